"""Token buckets a key, an organization and a lineage, and what a server that is asked too much answers."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import httpx2
import pytest
from hypothesis import given
from hypothesis import strategies as st

from commontrace import AsyncClient, connect_async
from commontrace._transport import LOCAL_BASE, async_transport
from commontrace.errors import RateLimitedError
from commontrace.models.contributors import NewApiKey
from commontrace_backend import problems
from commontrace_backend.rates import InProcessBuckets, Quota
from doors import People
from factories import contribution, use


class Clock:
    """A clock that stands still until it is told."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        """Seconds."""
        return self.now


@given(
    most=st.integers(1, 50),
    seconds=st.integers(1, 3600),
    steps=st.lists(st.floats(0, 100), min_size=1, max_size=200),
)
def test_in_any_while_a_bucket_gives_no_more_than_it_held_and_gained(
    most: int, seconds: int, steps: list[float]
) -> None:
    clock = Clock()
    buckets, quota = InProcessBuckets(clock), Quota("reads-key", most, seconds)
    taken = 0
    for step in steps:
        clock.now += step
        taken += _take(buckets, quota)
        assert taken <= most + clock.now * most / seconds + 1e-6


@given(
    most=st.integers(1, 50),
    seconds=st.integers(1, 3600),
    steps=st.lists(st.tuples(st.floats(0, 100), st.integers(1, 200)), min_size=1, max_size=100),
)
def test_what_costs_much_is_paid_for_by_whatever_comes_after(
    most: int, seconds: int, steps: list[tuple[float, int]]
) -> None:
    clock = Clock()
    buckets, quota = InProcessBuckets(clock), Quota("writes-key", most, seconds)
    taken, last = 0, 0
    for step, cost in steps:
        clock.now += step
        if _take(buckets, quota, cost):
            taken, last = taken + cost, cost
        assert taken - last <= most + clock.now * most / seconds + 1e-6


def _take(buckets: InProcessBuckets, quota: Quota, cost: int = 1) -> bool:
    step = buckets.take([("ann", quota)], cost)
    try:
        step.send(None)
    except StopIteration as done:
        return bool(done.value.wait == 0)
    raise AssertionError("buckets in memory wait for nothing")


async def test_an_empty_bucket_says_when_there_is_a_token_again_and_keeps_its_word() -> None:
    clock = Clock()
    buckets, quota = InProcessBuckets(clock), Quota("reads-key", 2, 10)
    assert [(await buckets.take([("ann", quota)])).left for _ in range(2)] == [1, 0]
    level = await buckets.take([("ann", quota)])
    assert level.wait == pytest.approx(5)
    clock.now += level.wait
    assert (await buckets.take([("ann", quota)])).wait == 0
    assert (await buckets.take([("ben", quota)])).left == 1


async def test_a_refused_request_costs_no_other_bucket_anything() -> None:
    buckets = InProcessBuckets(Clock())
    small, large = Quota("reads-key", 1, 60), Quota("reads-organization", 3, 60)
    both = [("ann", small), ("home", large)]
    assert (await buckets.take(both)).wait == 0
    for _ in range(5):
        assert (await buckets.take(both)).quota == small
    assert (await buckets.take([("home", large)])).left == 1


async def test_full_buckets_are_forgotten() -> None:
    clock = Clock()
    buckets, quota = InProcessBuckets(clock), Quota("reads-key", 10, 1)
    for number in range(10_000):
        await buckets.take([(f"key{number}", quota)])
    clock.now = 60
    await buckets.take([("one more", quota)])
    assert len(buckets._held) == 1


@pytest.fixture
def tight(monkeypatch: pytest.MonkeyPatch) -> None:
    """A server of three requests a minute for a key, and six for an organization."""
    for kind in ("READS", "WRITES", "VOTES", "KEYS"):
        monkeypatch.setenv(f"COMMONTRACE_RATE_{kind}", "3")
    monkeypatch.setenv("COMMONTRACE_RATE_GROUP_FACTOR", "2")


async def _until_refused(ask: Callable[[], Awaitable[object]], most: int = 20) -> int:
    for done in range(most):
        try:
            await ask()
        except RateLimitedError:
            return done
    return most


@asynccontextmanager
async def _keyed(client: AsyncClient, name: str, organization: str | None = None) -> AsyncIterator[httpx2.AsyncClient]:
    wanted = NewApiKey(contributor=name, organization=organization, scopes=["read", "contribute", "vote", "admin"])
    key = (await client.contributors.create_key(wanted)).key
    transport = async_transport(client.url, 30, owner=False)
    headers = {"Authorization": f"Bearer {key}"}
    async with httpx2.AsyncClient(transport=transport, base_url=LOCAL_BASE, headers=headers) as plain:
        yield plain


async def test_a_key_that_asks_too_much_is_told_when_to_come_again(client: AsyncClient, tight: None) -> None:
    async with _keyed(client, "ann") as ann:
        answers = [await ann.get("/api/v1/me") for _ in range(4)]
    assert [answer.status_code for answer in answers] == [200, 200, 200, 429]
    assert [answer.headers["RateLimit"] for answer in answers] == [
        '"reads-key";r=2;t=0',
        '"reads-key";r=1;t=0',
        '"reads-key";r=0;t=0',
        f'"reads-key";r=0;t={answers[-1].headers["Retry-After"]}',
    ]
    refused = answers[-1]
    assert refused.headers["RateLimit-Policy"] == '"reads-key";q=3;w=60'
    assert 1 <= int(refused.headers["Retry-After"]) <= 20
    body = refused.json()
    assert (body["code"], body["extra"]["retry_after"]) == ("rate_limited", int(refused.headers["Retry-After"]))
    assert body["detail"] == "This key made all the reads that it may for now: 3 in 60 s."
    assert "COMMONTRACE_RATE_READS" in body["hint"]


async def test_reads_writes_votes_and_keys_are_counted_apart(client: AsyncClient, tight: None, people: People) -> None:
    known = (await client.traces.contribute(contribution(visibility="team"))).trace_id
    assert known
    ann = await people("ann", scopes=("read", "contribute", "vote", "admin"))
    await use(ann, known)
    refusals = {
        "reads": await _until_refused(ann.contributors.me),
        "writes": await _until_refused(ann.traces.load_starter),
        "votes": await _until_refused(lambda: ann.traces.vote(known, "worked")),
        "keys": await _until_refused(lambda: ann.contributors.create_key(NewApiKey(contributor="ben"))),
    }
    assert refusals == {"reads": 2, "writes": 3, "votes": 2, "keys": 3}


async def test_many_keys_of_one_organization_get_no_more_than_the_organization(
    client: AsyncClient, tight: None, people: People
) -> None:
    keys = [await people(f"person {number}", "crowd") for number in range(4)]
    assert sum([await _until_refused(one.contributors.me) for one in keys]) == 6
    elsewhere = await people("ann", "elsewhere")
    assert await _until_refused(elsewhere.contributors.me) == 3


async def test_the_owner_of_a_local_store_meets_no_limit(client: AsyncClient, tight: None) -> None:
    assert await _until_refused(client.contributors.me, 20) == 20


async def test_a_limit_of_nought_is_none(client: AsyncClient, tight: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COMMONTRACE_RATE_READS", "0")
    async with _keyed(client, "ann") as ann:
        answers = [await ann.get("/api/v1/me") for _ in range(10)]
    assert {answer.status_code for answer in answers} == {200}
    assert "RateLimit" not in answers[0].headers


async def test_a_request_that_takes_too_long_is_given_up(
    client: AsyncClient, url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COMMONTRACE_REQUEST_SECONDS", "0.2")
    key = (await client.contributors.create_key(NewApiKey(contributor="ann"))).key
    async with connect_async(url, api_key=key) as ann, connect_async(url, api_key=key) as holder:
        await ann.contributors.me()
        transport = holder._http._client._transport
        await holder.contributors.me()
        async with transport._app.state.database.writing(None):  # type: ignore[attr-defined]
            plain = await ann._http._client.post(
                "/api/v1/traces", content=contribution().model_dump_json(), headers=ann._http._headers
            )
    assert (plain.status_code, plain.json()["code"]) == (503, "unavailable")
    assert plain.json()["detail"] == "This took longer than 0.2 s."


async def test_what_times_out_inside_is_no_late_request() -> None:
    async def failing(*_: object) -> None:
        raise TimeoutError

    with pytest.raises(TimeoutError):
        await problems.Deadline(failing, 10)({"type": "http", "path": "/"}, None, None)  # type: ignore[arg-type]
