"""Statements that the stores of one process compile once between them: a worker opens thousands, each with an engine.

A third of what a short test costs was to compile what the test before it had compiled already. Nothing else is shared,
and a statement is the same text wherever it is sent: only the kind of the database decides what it looks like.
"""

from typing import Any, Final

from sqlalchemy import Connection, Engine, event
from sqlalchemy.util import LRUCache

_MANY: Final = 10_000


class _Compiled(LRUCache[Any, Any]):
    """Compiled statements by what they say and by the kind of the database, not by the engine that met them first."""

    def get(self, key: Any, default: Any = None) -> Any:
        return super().get(_of_any_engine(key), default)

    def __setitem__(self, key: Any, value: Any) -> None:
        super().__setitem__(_of_any_engine(key), value)


def _of_any_engine(key: Any) -> Any:
    dialect, *statement = key
    return type(dialect), *statement


def share_compiled_statements() -> None:
    """From now on, for every engine of this process."""
    compiled = _Compiled(_MANY)

    @event.listens_for(Engine, "engine_connect")
    def use_it(connection: Connection) -> None:
        connection.execution_options(compiled_cache=compiled)
