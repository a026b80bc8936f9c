"""How many connections to a server there may be, and how patient they are."""

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Pools:
    """What a process may use of a PostgreSQL server.

    Attributes:
        readers: connections that read, at most.
        writers: connections that write, at most.
        statement_seconds: that a statement may take, beside waiting for a lock.
        reconnect_seconds: that is waited for a server that is starting, or has no free connection.
    """

    readers: int = 15
    writers: int = 2
    statement_seconds: float = 60.0
    reconnect_seconds: float = 5.0


DEFAULT_POOLS: Final = Pools()
