"""Times as people write them."""

from datetime import UTC, datetime, timedelta, timezone

import pytest

from commontrace.errors import InvalidInputError
from commontrace.moments import parse_moment

NOW = datetime(2026, 11, 21, 14, 30, tzinfo=UTC)
LAST = timedelta(days=1, microseconds=-1)


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("now", NOW),
        ("2 hours ago", NOW - timedelta(hours=2)),
        ("1 Hour  ago", NOW - timedelta(hours=1)),
        ("90 min ago", NOW - timedelta(minutes=90)),
        ("3d", NOW - timedelta(days=3)),
        ("1 week ago", NOW - timedelta(weeks=1)),
        ("45 seconds ago", NOW - timedelta(seconds=45)),
        ("2026-11-20T09:00", datetime(2026, 11, 20, 9, tzinfo=UTC)),
        ("2026-11-20 09:00", datetime(2026, 11, 20, 9, tzinfo=UTC)),
        ("2026-11-20T09:00+02:00", datetime(2026, 11, 20, 7, tzinfo=UTC)),
        ("2026-11-20T09:00:00Z", datetime(2026, 11, 20, 9, tzinfo=UTC)),
    ],
)
def test_a_moment_is_the_same_from_either_end(text: str, moment: datetime) -> None:
    assert parse_moment(text, NOW) == parse_moment(text, NOW, end=True) == moment


@pytest.mark.parametrize(
    ("text", "day"),
    [
        ("2026-11-20", datetime(2026, 11, 20, tzinfo=UTC)),
        ("today", datetime(2026, 11, 21, tzinfo=UTC)),
        ("Yesterday", datetime(2026, 11, 20, tzinfo=UTC)),
    ],
)
def test_a_day_begins_and_ends(text: str, day: datetime) -> None:
    assert parse_moment(text, NOW) == day
    assert parse_moment(text, NOW, end=True) == day + LAST


def test_today_is_the_day_in_utc() -> None:
    early = datetime(2026, 11, 22, 1, tzinfo=timezone(timedelta(hours=9)))
    assert parse_moment("today", early) == datetime(2026, 11, 21, tzinfo=UTC)


@pytest.mark.parametrize("text", ["", "soon", "ago", "2 moons ago", "2026-02-30", "999999 weeks ago", "noon", "12"])
def test_what_is_no_time_is_refused_with_what_would_be_one(text: str) -> None:
    with pytest.raises(InvalidInputError, match="is not a time") as caught:
        parse_moment(text, NOW)
    assert "2 hours ago" in caught.value.hint
