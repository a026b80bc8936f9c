"""The upkeep of a store in the background: nobody has to ask for it, and nothing is lost whatever happens meanwhile."""

import asyncio
import time
from functools import partial

import pytest
from sqlalchemy import text as sql

from commontrace import AsyncClient, connect_async
from commontrace.errors import ForbiddenError, InvalidInputError
from commontrace.models.jobs import Job
from commontrace.models.search import Query
from commontrace.models.traces import AmendmentProposal
from commontrace_backend.database.engine import connect_database
from doors import People
from embeddings import Endpoint, background, settled
from factories import contributed, contribution, found
from valkey_server import comes_true

pytestmark = pytest.mark.both_databases


async def test_traces_are_embedded_without_being_asked_for_and_again_when_amended(
    client: AsyncClient, endpoint: Endpoint
) -> None:
    first = await contributed(client)
    await contributed(client, 1)
    state = await background(client, lambda state: state.embedded == 2)
    assert (state.traces, state.words, state.model, state.done) == (2, 2, "endpoint:small", True)
    await client.traces.amend(first, AmendmentProposal(solution="Ask a kangaroo to write.", reason="better"))
    await background(
        client, lambda state: state.embedded == 2 and "kangaroo" in endpoint.texts[-1] + endpoint.texts[-2]
    )


async def test_what_an_earlier_process_left_undone_is_done_when_the_store_is_opened(
    url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with connect_async(url) as client:
        for number in range(5):
            await contributed(client, number)
        state = await client.traces.refresh_index()
        assert (state.traces, state.words, state.model, state.embedded, state.done) == (5, 5, None, 0, True)
    monkeypatch.setenv("COMMONTRACE_EMBEDDER", "in-memory")
    async with connect_async(url) as client:
        assert (await background(client, lambda state: state.embedded == 5)).model == "in-memory:64"


async def test_closing_finishes_the_step_at_hand_and_the_next_process_the_rest(url: str, endpoint: Endpoint) -> None:
    endpoint.hold.clear()
    client = connect_async(url)
    for number in range(20):
        await contributed(client, number % 5, title=f"Case {number}", insist=True)
    await asyncio.to_thread(endpoint.arrived.wait, 20)
    closing = asyncio.create_task(client.aclose())
    await asyncio.sleep(0)
    assert not closing.done()
    endpoint.hold.set()
    await closing
    begun = len(endpoint.texts)
    assert 0 < begun < 20
    async with connect_async(url) as client:
        await background(client, lambda state: state.embedded == 20)
    assert len(endpoint.texts) == len(set(endpoint.texts))  # what was made once was kept
    assert len(endpoint.texts) > begun


async def test_a_trace_that_is_amended_while_it_is_embedded_gets_the_vector_of_its_new_text(
    client: AsyncClient, endpoint: Endpoint
) -> None:
    endpoint.hold.clear()
    known = await contributed(client)
    await asyncio.to_thread(endpoint.arrived.wait, 20)
    solution = "Ask a kangaroo to write down everything."
    await client.traces.amend(known, AmendmentProposal(solution=solution, reason="better"))
    endpoint.hold.set()
    await background(client, lambda state: state.embedded == 1)
    asked = Query(query=f"{contribution().title} {solution}", explain=True, silence=False)
    (hit,) = (await client.traces.query(asked)).hits
    assert hit.similarity == pytest.approx(1.0, abs=0.01)


async def test_a_failing_embedder_does_not_stop_words_and_does_not_hold_up_closing(
    url: str, endpoint: Endpoint
) -> None:
    endpoint.statuses = [401]
    async with connect_async(url) as client:
        known = await contributed(client)
        await asyncio.to_thread(endpoint.arrived.wait, 20)
    database = connect_database(url)
    name = "trace_words" if url.startswith("sqlite") else "trace_search"
    async with database.writing() as session:  # as an older version of ours left them
        await session.execute(sql(f"UPDATE {name} SET version = '0'"))
    await database.close()
    async with connect_async(url) as client:
        await background(client, lambda state: state.words == 1)
        endpoint.arrived.clear()
        other = await contributed(client, 1)
        assert await found(client, "EAI_AGAIN") == [contribution(1).title]
        state = await settled(client)
        assert (state.words, state.embedded) == (2, 0)
        assert "answers 401" in state.reason
        assert {hit.trace_id for hit in (await client.traces.query(Query(ids=[known, other]))).hits} == {known, other}
        began = time.monotonic()
    assert time.monotonic() - began < 10


async def test_two_processes_can_embed_at_once(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    async with connect_async(url) as client:
        for number in range(30):
            await contributed(client, number % 5, title=f"Case {number}", insist=True)
    monkeypatch.setenv("COMMONTRACE_EMBEDDER", "in-memory")
    async with connect_async(url) as one, connect_async(url) as other:
        states = await asyncio.gather(settled(one), settled(other))
        assert [(state.embedded, state.reason) for state in states] == [(30, ""), (30, "")]
        for client in (one, other):
            answer = await client.traces.query(Query(query="Case 7 database is locked", silence=False))
            assert answer.mode == "hybrid"


@pytest.mark.usefixtures("hashed")
async def test_everybody_may_see_how_far_the_index_is_and_only_an_administrator_hurry_it(
    client: AsyncClient, people: People
) -> None:
    await contributed(client)
    await settled(client)
    ann = await people("ann")
    assert await ann.traces.index_state() == await client.traces.index_state()
    with pytest.raises(ForbiddenError):
        await ann.traces.refresh_index()
    for limit in (0, 257):
        with pytest.raises(InvalidInputError):
            await client.traces.refresh_index(limit)


async def test_an_empty_store_has_nothing_left_to_do(client: AsyncClient) -> None:
    state = await client.traces.index_state()
    assert (state.traces, state.steps, state.steps_done, state.done, state.reason) == (0, 0, 0, True, "")


async def test_what_failed_is_shown_until_it_is_done_and_done_when_it_is_asked_for(
    client: AsyncClient, endpoint: Endpoint
) -> None:
    endpoint.statuses = [401]
    await contributed(client)

    async def failed() -> bool:
        return (await state_of(client, "embed")).state == "dead"

    await comes_true(failed)
    job = await state_of(client, "embed")
    assert (job.tries, "answers 401" in job.reason) == (1, True)
    endpoint.statuses = []
    await client.jobs.retry()
    await background(client, lambda state: state.embedded == 1)
    await comes_true(partial(rests, client))


async def state_of(client: AsyncClient, name: str) -> Job:
    return next(job for job in (await client.jobs.report()).jobs if job.name == name)


async def rests(client: AsyncClient) -> bool:
    return (await state_of(client, "embed")).state == "resting"
