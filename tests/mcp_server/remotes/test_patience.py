"""How long a crowded server is waited for: as it says, in seconds or as a date, by its own clock."""

import logging
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import httpx2
import pytest
from hypothesis import given
from hypothesis import strategies as st

from commontrace import AsyncClient
from commontrace._patience import wait_told
from crowding import Team, before
from factories import contributed


def date(moment: datetime) -> str:
    return format_datetime(moment, usegmt=True)


@given(
    now=st.datetimes(datetime(1970, 1, 2), datetime(2100, 1, 1), timezones=st.just(UTC)),  # noqa: DTZ001 - they get one
    seconds=st.integers(-100_000, 100_000),
)
def test_a_date_means_the_same_whatever_the_clocks_of_server_and_client_say(now: datetime, seconds: int) -> None:
    now = now.replace(microsecond=0)
    headers = {"Date": date(now), "Retry-After": date(now + timedelta(seconds=seconds))}
    assert wait_told(httpx2.Headers(headers)) == max(0, seconds)


def test_without_a_date_of_the_answer_the_own_clock_must_do() -> None:
    told = wait_told({"Retry-After": date(datetime.now(UTC) + timedelta(seconds=30))})
    assert told is not None
    assert 20 < told <= 30


@pytest.mark.parametrize(
    "text",
    [
        "",
        "-1",
        "nan",
        "inf",
        "1e3",
        "1_0",
        "٣",
        "soon",
        "Wed, 99 Oct 2015 07:28:00 GMT",
        "1 Jan 99999 0:0:0 +99999999999",
    ],
)
def test_what_is_neither_seconds_nor_a_date_is_no_wait(text: str) -> None:
    assert wait_told({"Retry-After": text}) is None


async def test_a_proxy_that_names_a_date_is_waited_for(
    client: AsyncClient, team: Team, caplog: pytest.LogCaptureFixture
) -> None:
    with before(team.url) as front:
        client.remotes.add("team", front.url, team.key)
        await contributed(client, 0, visibility="team")
        front.crowded = {"deliveries": [(503, "Wed, 21 Oct 2015 07:28:00 GMT")]}
        with caplog.at_level(logging.INFO, "commontrace.remotes"):
            assert (await client.remotes.push("team")).count("added") == 1
        assert front.counts["deliveries"] == 2
        assert [record.getMessage() for record in caplog.records] == ["team has too much to do; asking again in 0 s"]
