"""Moments as people write them: `2026-11-21`, `2026-11-21T14:30`, `yesterday`, `2 hours ago`. Standard library only."""

import re
from datetime import UTC, datetime, timedelta
from typing import Final

from commontrace.errors import InvalidInputError

_AGO: Final = re.compile(r"(\d{1,6}) ?(s|sec|second|m|min|minute|h|hour|d|day|w|week)s?(?: ago)?")
_SECONDS: Final = {"s": 1, "m": 60, "h": 3600, "d": 86_400, "w": 604_800}
_DATE: Final = re.compile(r"\d{4}-\d{2}-\d{2}")


def parse_moment(text: str, now: datetime, *, end: bool = False) -> datetime:
    """The moment that is meant, in UTC; one without a zone is in UTC.

    Args:
        text: a date, an ISO 8601 time, `now`, `today`, `yesterday`, or how long ago, as in `2 hours ago` or `3d`.
        now: what `ago` counts from.
        end: a whole day means its end, and not its beginning.

    Raises:
        InvalidInputError: none of these.
    """
    said = " ".join(text.lower().split())
    today = now.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    if said == "now":
        return now
    if said in {"today", "yesterday"}:
        return _day(today - timedelta(days=said == "yesterday"), end=end)
    try:
        if ago := _AGO.fullmatch(said):
            return now - timedelta(seconds=int(ago[1]) * _SECONDS[ago[2][0]])
        found = datetime.fromisoformat(text.strip())
        found = found.astimezone(UTC) if found.tzinfo else found.replace(tzinfo=UTC)
    except (ValueError, OverflowError):
        raise InvalidInputError(
            f"{text!r} is not a time.", "Write a date, 2026-11-21T14:30, yesterday, or 2 hours ago."
        ) from None
    return _day(found, end=end) if _DATE.fullmatch(said) else found


def _day(beginning: datetime, *, end: bool) -> datetime:
    return beginning + timedelta(days=1, microseconds=-1) if end else beginning
