"""What the hooks have of a running server: a door to knock at, and work that is done behind their backs."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Final

from commontrace.hooks.journal import note
from commontrace.hooks.listening import open_door
from commontrace.hooks.surroundings import hooks_folder

if TYPE_CHECKING:
    from commontrace import AsyncClient
    from commontrace.hooks.answering import Answering

_MEGABYTE: Final = 1_000_000
_WARMED: Final = 30.0
"""Seconds after which the work begins, even if nobody said that the server is warm."""


@asynccontextmanager
async def answering_hooks(client: "AsyncClient", project: Path, warm: asyncio.Event) -> AsyncIterator[None]:
    """Answer the hooks of a project for the length of a block.

    Nothing heavy is imported before the first of them asks, or the server is warm.
    """
    serving = _Serving(client, project, hooks_folder())
    working = asyncio.create_task(serving.work(warm))
    try:
        async with open_door(serving.folder, client.url, serving.answer):
            yield
    finally:
        working.cancel()
        await asyncio.wait({working})


class _Serving:
    """One server's hooks."""

    def __init__(self, client: "AsyncClient", project: Path, folder: str) -> None:
        self.folder = folder
        self._client, self._project = client, project
        self._woken = asyncio.Event()
        self._answering: Answering | None = None

    async def answer(self, name: str, event: bytes, patience: float) -> bytes:
        """What a hook prints."""
        return await self._answers().answer(name, event, patience)

    def _answers(self) -> "Answering":
        if self._answering is None:
            from commontrace.hooks.answering import Answering
            from commontrace.settings import Settings

            holdout = Settings().hooks_holdout
            self._answering = Answering(self._client, self.folder, holdout=holdout, drain=self._wake)
        return self._answering

    async def _wake(self) -> None:
        self._woken.set()

    async def work(self, warm: asyncio.Event) -> None:
        """Keep the transcripts that wait and write down what the next run is told: at first, and when woken."""
        await _in_time(warm.wait)
        while True:
            self._woken.clear()
            try:
                await self._work()
            except Exception as error:  # noqa: BLE001 - it is nobody's business but the log's
                note(self.folder, f"work: {type(error).__name__}: {error}")
            await self._woken.wait()

    async def _work(self) -> None:
        from commontrace.hooks.briefing import refresh_brief
        from commontrace.hooks.capturing import keep_waiting
        from commontrace.settings import Settings

        settings = Settings()
        if settings.hooks:
            await self._answers().prepare(self._project)
            if settings.capture:
                await keep_waiting(self._client, self.folder, settings.capture_limit * _MEGABYTE)
            await refresh_brief(self._client, self.folder, self._project)


async def _in_time(wait: Callable[[], Awaitable[object]]) -> None:
    try:
        await asyncio.wait_for(wait(), _WARMED)
    except TimeoutError:
        return
