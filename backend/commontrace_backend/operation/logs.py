"""How a server words its log: one line an event, on standard error, as logfmt or as JSON."""

import logging
import sys
import traceback
from collections.abc import MutableMapping
from datetime import UTC, datetime
from typing import Any, Literal

import structlog

from commontrace_backend.reporting import Line

LogFormat = Literal["text", "json"]


class Lines(logging.Formatter):
    """Words records of ours and of others; of an exception its kind and its place, for its text may be anybody's."""

    def __init__(self, kind: LogFormat) -> None:
        super().__init__()
        self._is_json = kind == "json"
        self._logfmt = structlog.processors.LogfmtRenderer(key_order=["time", "level", "event"])
        self._json = structlog.processors.JSONRenderer(sort_keys=False)

    def format(self, record: logging.LogRecord) -> str:
        """One line."""
        told: MutableMapping[str, Any] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            **_said(record),
        }
        return str((self._json if self._is_json else self._logfmt)(None, "", told))


def _said(record: logging.LogRecord) -> dict[str, Any]:
    if isinstance(record.args, tuple) and len(record.args) == 1 and isinstance(record.args[0], Line):
        return dict(record.args[0].fields)
    if record.exc_info and record.exc_info[1]:
        error = record.exc_info[1]
        where = traceback.extract_tb(error.__traceback__)
        place = f"{where[-1].filename}:{where[-1].lineno}" if where else ""
        return {"event": "error", "logger": record.name, "error": type(error).__name__, "where": place}
    return {"event": record.getMessage(), "logger": record.name}


def log_to_stderr(level: str, kind: LogFormat) -> int:
    """Send every logger of this process to standard error; returns the level, WARNING for a name that is none."""
    lowest = logging.getLevelNamesMapping().get(level.upper(), logging.WARNING)
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(Lines(kind))
    root = logging.getLogger()
    root.handlers[:] = [handler]
    # Libraries tell at DEBUG and INFO what was sent.
    root.setLevel(max(lowest, logging.WARNING))
    for name in ("commontrace", "uvicorn"):
        logging.getLogger(name).setLevel(lowest)
    return lowest
