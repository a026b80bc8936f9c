"""Vectors of questions that processes remember together: the same as fresh ones, for a while, and nothing else."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from redis import Redis

from commontrace import AsyncClient, connect_async
from commontrace.models.search import Query, QueryAnswer
from commontrace.models.traces import AmendmentProposal
from commontrace_backend.shared.link import PREFIX
from commontrace_backend.shared.vectors import _key
from doors import People
from embeddings import Endpoint, settled
from factories import contributed, contribution

ASKED = "writers that queue instead of failing"


@pytest.fixture(autouse=True)
def shared(redis_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COMMONTRACE_REDIS_URL", redis_url)


async def ask(client: AsyncClient, text: str = ASKED) -> QueryAnswer:
    return await client.traces.query(Query(query=text, silence=False, explain=True))


def asked_of(endpoint: Endpoint, text: str = ASKED) -> int:
    return sum(text in one for one in endpoint.texts)


async def test_what_one_process_asked_another_one_need_not_embed(url: str, endpoint: Endpoint) -> None:
    async with connect_async(url) as one:
        await contributed(one)
        await settled(one)
        first = await ask(one)
    async with connect_async(url) as other:
        again = await ask(other)
    assert asked_of(endpoint) == 1
    assert first.mode == again.mode == "hybrid"
    assert [(hit.trace_id, hit.similarity) for hit in first.hits] == [
        (hit.trace_id, hit.similarity) for hit in again.hits
    ]


async def test_nought_seconds_mean_always_from_the_source(
    url: str, endpoint: Endpoint, redis_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COMMONTRACE_CACHE_SECONDS", "0")
    async with connect_async(url) as client:
        await contributed(client)
        await settled(client)
        for _ in range(3):
            await ask(client)
    assert asked_of(endpoint) == 3
    with Redis.from_url(redis_url) as known:
        assert known.keys(f"{PREFIX}vector:*") == []


async def test_what_is_remembered_is_a_hash_and_numbers_and_not_for_ever(
    url: str, endpoint: Endpoint, redis_url: str
) -> None:
    async with connect_async(url) as client:
        await contributed(client)
        await settled(client)
        await ask(client)
    with Redis.from_url(redis_url) as known:
        (key,) = known.keys(f"{PREFIX}vector:*")
        assert b"queue" not in key
        assert known.strlen(key) == endpoint.dimension * 4
        assert 0 < int(known.ttl(key)) <= 3600


async def test_another_model_finds_nothing_of_the_first_one_s(
    url: str, endpoint: Endpoint, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with connect_async(url) as client:
        await contributed(client)
        await settled(client)
        await ask(client)
    monkeypatch.setenv("COMMONTRACE_EMBED_MODEL", "other")
    async with connect_async(url) as client:
        await settled(client)
        await ask(client)
    assert asked_of(endpoint) == 2


async def test_a_remembered_question_answers_with_what_is_there_now_and_a_receipt(
    client: AsyncClient, endpoint: Endpoint, people: People
) -> None:
    known = await contributed(client, visibility="team")
    await settled(client)
    ann, eve = await people("ann"), await people("eve", "elsewhere")
    assert [hit.trace_id for hit in (await ask(ann)).hits] == [known]
    assert (await ask(eve)).hits == []
    assert (await ann.traces.vote(known, "worked")).standing.worked == 1  # only whoever was shown it may vote
    assert (await ask(ann)).hits[0].standing.worked == 1
    await client.traces.amend(known, AmendmentProposal(title="Writers queue up", reason="shorter"))
    assert (await ask(ann)).hits[0].title == "Writers queue up"
    await client.traces.withdraw(known, "wrong")
    assert (await ask(ann)).hits == []
    other = await contributed(client, visibility="team", title=contribution().title, insist=True)
    await settled(client)
    assert [hit.trace_id for hit in (await ask(ann)).hits] == [other]
    assert asked_of(endpoint) == 1


parts = st.text("ab0:", max_size=3)


@settings(max_examples=40)
@given(one=st.tuples(parts, parts, parts), other=st.tuples(parts, parts, parts))
def test_two_questions_have_one_key_only_if_they_are_the_same(
    one: tuple[str, str, str], other: tuple[str, str, str]
) -> None:
    assert (_key(one[0], one[1:]) == _key(other[0], other[1:])) == (one == other)
    assert _key(one[0], (one[1] + one[2], "")) != _key(one[0], one[1:]) or not one[2]
