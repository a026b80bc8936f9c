"""Traces in bounded requests: each there or not by itself, counted as a write each, and sent again without harm."""

import logging
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest

from commontrace import AsyncClient, connect_async
from commontrace.errors import InvalidInputError, NearDuplicateError, NotFoundError, RateLimitedError, UnavailableError
from commontrace.models.syncing import Delivery, DeliveryResult, TraceHistory, TravelVersion
from commontrace.models.traces import TraceContent
from commontrace.versions import version_id
from crowding import Team, before
from factories import contributed, contribution


def words(number: int, **changes: object) -> TraceContent:
    return TraceContent.model_validate(contribution(number, **changes).model_dump(include={*TraceContent.model_fields}))


def delivery(content: TraceContent, name: str = "") -> Delivery:
    version = TravelVersion(version_id=name or version_id(content), content=content)
    return Delivery(versions=[version], serves=version.version_id, visibility="team")


@pytest.mark.both_databases
async def test_each_trace_of_a_request_is_there_or_not_by_itself(client: AsyncClient) -> None:
    wanted = [
        delivery(words(0)),
        delivery(words(1), "0" * 64),
        delivery(words(0, verification="Ran it once more.")),
        delivery(words(2)),
        delivery(words(0)),
    ]
    results = await client.exchange.deliver_all(wanted)
    assert isinstance(results[1], InvalidInputError)
    assert isinstance(results[2], NearDuplicateError)
    there = [one.action for one in results if isinstance(one, DeliveryResult)]
    assert there == ["added", "added", "kept"]
    assert [trace.content.title async for trace in client.traces.all()] == [words(0).title, words(2).title]
    again = await client.exchange.deliver_all(wanted)
    assert [one.action for one in again if isinstance(one, DeliveryResult)] == ["kept"] * 3


async def test_several_histories_come_in_the_order_asked_and_a_missing_one_is_named(client: AsyncClient) -> None:
    ids = [await contributed(client, number) for number in range(2)]
    found = await client.exchange.histories([ids[1], "f" * 32, ids[0]])
    assert [one.trace_id if isinstance(one, TraceHistory) else type(one) for one in found] == [
        ids[1],
        NotFoundError,
        ids[0],
    ]


async def test_a_request_holds_so_many_bytes_and_no_more_of_the_rest(team: Team) -> None:
    attempts = [{"tried": f"{n} " + "-" * 3900, "why": "It was too long."} for n in range(14)]
    wanted = [delivery(words(number, failed_attempts=attempts)) for number in range(5)]
    with before(team.url) as front:
        async with connect_async(front.url, api_key=team.key) as ana:
            there = await ana.exchange.deliver_all(wanted)
            ids = [one.trace_id or "" for one in there if isinstance(one, DeliveryResult)]
            found = await ana.exchange.histories(ids)
    assert [one.version_id for one in found if isinstance(one, TraceHistory)] == [one.serves for one in wanted]
    assert front.counts == {"deliveries": 2, "histories": 2}


@pytest.mark.parametrize("team", [{"rate_writes": 2, "rate_group_factor": 1}], indirect=True)
async def test_each_trace_counts_as_a_write_in_whatever_company_it_comes(team: Team) -> None:
    async with connect_async(team.url, api_key=team.key) as ana:
        with pytest.raises(RateLimitedError, match="2 in 60 s"):
            await ana.exchange.deliver_all([delivery(words(number)) for number in range(3)])
        assert {trace.content.title async for trace in ana.traces.all()} == {words(0).title, words(1).title}


def grown(versions: int) -> Delivery:
    """A trace that was amended often, all of it with its words."""
    contents = [words(4, verification=f"Ran it {number} times.") for number in range(versions)]
    names = [version_id(content) for content in contents]
    return Delivery(
        versions=[
            TravelVersion(version_id=name, after=names[max(0, place - 1) : place], content=content)
            for place, (name, content) in enumerate(zip(names, contents, strict=True))
        ],
        serves=names[-1],
        visibility="team",
    )


@pytest.mark.parametrize("team", [{"rate_writes": 4, "rate_group_factor": 1}], indirect=True)
@pytest.mark.parametrize("alone", [True, False])
async def test_a_trace_counts_as_many_writes_as_it_has_versions_with_words(team: Team, alone: bool) -> None:
    async with connect_async(team.url, api_key=team.key) as ana:
        if alone:
            await ana.exchange.deliver(grown(6))
            second = ana.exchange.deliver(delivery(words(0)))
        else:
            second = ana.exchange.deliver_all([grown(6), delivery(words(0))])  # type: ignore[assignment]
        with pytest.raises(RateLimitedError, match="4 in 60 s") as refused:
            await second
        assert 40 < int(str(refused.value.extra["retry_after"])) <= 45  # two that it owes, and one to go on with
        assert [trace.content.title async for trace in ana.traces.all()] == [words(4).title]


async def test_a_crowded_remote_is_waited_for_as_it_says(
    client: AsyncClient, team: Team, caplog: pytest.LogCaptureFixture
) -> None:
    with before(team.url) as front:
        client.remotes.add("team", front.url, team.key)
        front.crowded = {"deliveries": [(429, "0"), (503, "0")], "changes": [(503, "0")], "refs": [(429, "0")]}
        await contributed(client, 0, visibility="team")
        repository = client.contexts.open("work")
        repository.user("hello")
        await repository.commit("first")
        with caplog.at_level(logging.INFO, "commontrace.remotes"):
            assert (await client.remotes.push("team")).count("added") == 1
            assert (await client.remotes.pull("team")).kept == 1
            assert (await repository.push("team")).commits == 1
        assert front.counts == {"known": 3, "deliveries": 3, "changes": 2, "bundle": 1, "refs": 2}
        assert (
            [record.getMessage() for record in caplog.records].count("team has too much to do; asking again in 0 s")
            == len(caplog.records)
            == 4
        )


async def test_whoever_asks_for_too_long_or_too_often_is_not_waited_for(client: AsyncClient, team: Team) -> None:
    with before(team.url) as front:
        client.remotes.add("team", front.url, team.key)
        await contributed(client, 0, visibility="team")
        later = format_datetime(datetime.now(UTC) + timedelta(hours=1), usegmt=True)
        for crowd, asked in (([(503, "3600")], 1), ([(503, later)], 1), ([(503, "0")] * 20, 11)):
            front.counts, front.crowded = {}, {"deliveries": crowd}
            with pytest.raises(UnavailableError):
                await client.remotes.push("team")
            assert front.counts["deliveries"] == asked
