"""Stores that begin with something in them: filled once a worker, and copied from then on."""

import shutil
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from sqlalchemy import make_url

from commontrace import AsyncClient, connect_async
from postgres import Postgres, name_of

T = TypeVar("T")

Stocks = dict[tuple[Any, bool], tuple[str, Any]]
"""Where a filled store is kept and what its filling gave, by what filled it and whether it is in PostgreSQL."""


@dataclass(frozen=True)
class Stock:
    """Fills the store at `url`, which nobody may have opened yet."""

    url: str
    folder: Path
    stocks: Stocks
    postgres: Postgres | None

    async def __call__(self, fill: Callable[[AsyncClient], Awaitable[T]]) -> T:
        """Have the store be as its owner leaves it after `fill`; gives what `fill` gave when it ran."""
        key = (fill, self.postgres is not None)
        if key in self.stocks:
            kept, given = self.stocks[key]
            self._bring(kept)
        else:
            async with connect_async(self.url) as owner:
                given = await fill(owner)
            self.stocks[key] = self._keep(), given
        answer: T = given
        return answer

    def _bring(self, kept: str) -> None:
        if self.postgres:
            self.postgres.drop(self.url)
            self.postgres.create(kept, name_of(self.url))
        else:
            shutil.copy(kept, self._file)

    def _keep(self) -> str:
        if self.postgres:
            return name_of(self.postgres.create(name_of(self.url)))
        return str(shutil.copy(self._file, self.folder / f"{len(self.stocks)}.db"))

    @property
    def _file(self) -> str:
        return str(make_url(self.url).database)
