"""What is written to the log, and never to standard output: that belongs to whoever runs us, above all to MCP."""

import logging
from collections.abc import Mapping
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any, Final


@dataclass(slots=True)
class Noted:
    """What is known about the request at hand, for its log line and its figures: never what anybody wrote.

    Attributes:
        request_id: as the caller named it, else made up.
        key_id: the public part of the key that it came with.
        code: of the error that it was answered with.
    """

    request_id: str
    key_id: str = ""
    code: str = ""


NOTED: Final[ContextVar[Noted | None]] = ContextVar("noted", default=None)


@dataclass(frozen=True, slots=True)
class Line:
    """An event and what is known about it; worded only where somebody listens."""

    fields: Mapping[str, Any]

    def __str__(self) -> str:
        import structlog  # here, for it loads a library of colours that no ordinary request should wait for

        return structlog.processors.LogfmtRenderer(key_order=["event"])(None, "", dict(self.fields))


def report(level: int, event: str, **fields: object) -> None:
    """Write one line to the standard library's log: an event, what is known about it, and in which request."""
    noted = NOTED.get()
    told = {"event": event, **fields} | ({"request_id": noted.request_id} if noted else {})
    logging.getLogger("commontrace").log(level, "%s", Line(told))
