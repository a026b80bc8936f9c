"""Buckets that several processes share answer as those of one process do, whatever its clock says."""

import asyncio
from collections.abc import AsyncIterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from commontrace_backend.rates import InProcessBuckets, Level, Quota
from commontrace_backend.shared.link import PREFIX, Link
from commontrace_backend.shared_buckets import SharedBuckets
from valkey_server import Valkey

POWERS = [1, 2, 4, 8, 16]
HOUR = 4096  # seconds in which a bucket here is full again: what a test takes adds nothing that counts


class Here:
    """The clock of the process; it stands still until it is told."""

    now = 0.0

    def __call__(self) -> float:
        return self.now


class Both:
    """The same buckets in this process and in Redis, with one time for both."""

    def __init__(self, link: Link) -> None:
        self.clock = Here()
        self.here = InProcessBuckets(self.clock)
        self.link = link
        self.shared = SharedBuckets(link, InProcessBuckets())

    async def passing(self, seconds: float) -> None:
        """Let time go by: in Redis every bucket was touched that much earlier."""
        self.clock.now += seconds
        async for key in self.link.redis.scan_iter(f"{PREFIX}bucket:*"):
            tokens, since = (await self.link.redis.get(key)).split()
            await self.link.redis.set(key, b"%s %d" % (tokens, int(since) - seconds * 1_000_000), keepttl=True)

    async def held(self, quotas: dict[str, Quota]) -> dict[str, float]:
        """The tokens of each bucket when it was last taken from: the same in both."""
        here = {name: tokens for (name, _), (tokens, _) in self.here._held.items()}
        keys = [key async for key in self.link.redis.scan_iter(f"{PREFIX}bucket:*")]
        there = {key.decode().split(":")[2]: float((await self.link.redis.get(key)).split()[0]) for key in keys}
        # Redis forgets what is full, and its clock goes on a little.
        assert {name: there.get(name, quotas[name].most) for name in here} == pytest.approx(here, abs=0.05)
        return here | there

    async def take(self, wanted: list[tuple[str, Quota]], cost: int, least: int) -> tuple[Level, Level]:
        return await self.here.take(wanted, cost, least), await self.shared.take(wanted, cost, least)


@pytest.fixture
async def link(redis_url: str) -> AsyncIterator[Link]:
    opened = Link(redis_url)
    yield opened
    await opened.close()


steps = st.lists(
    st.tuples(
        st.integers(0, 64),
        st.sets(st.sampled_from(["ann", "ben", "home", "elsewhere"]), min_size=1),
        st.integers(1, 20),
        st.integers(0, 1),
    ),
    min_size=1,
    max_size=12,
)


@given(sizes=st.tuples(*[st.sampled_from(POWERS)] * 4), steps=steps)
@settings(max_examples=25)
def test_buckets_in_redis_answer_as_buckets_in_the_process_do(
    valkey: Valkey, sizes: tuple[int, ...], steps: list[tuple[int, set[str], int, int]]
) -> None:
    quotas = {
        name: Quota("reads-key", size, HOUR)
        for name, size in zip(["ann", "ben", "home", "elsewhere"], sizes, strict=True)
    }

    async def compare() -> None:
        both = Both(Link(valkey.url()))
        for passed, names, cost, least in steps:
            await both.passing(passed * 16)
            here, shared = await both.take([(name, quotas[name]) for name in sorted(names)], cost, least)
            assert bool(shared.wait) == bool(here.wait)
            assert shared.wait == pytest.approx(here.wait, abs=5)
            held = await both.held(quotas)
            assert shared.wait or shared.left in {
                max(0, int(held[name])) for name in names if quotas[name] == shared.quota
            }
        await both.link.close()

    asyncio.run(compare())


async def test_two_processes_take_from_one_bucket(redis_url: str) -> None:
    links = [Link(redis_url), Link(redis_url)]
    processes = [SharedBuckets(link, InProcessBuckets()) for link in links]
    quota = Quota("writes-key", 20, HOUR)
    levels = await asyncio.gather(*[processes[turn % 2].take([("ann", quota)]) for turn in range(60)])
    assert sum(level.wait == 0 for level in levels) == 20
    assert all(level.wait <= HOUR / 20 for level in levels)
    for link in links:
        await link.close()


async def test_a_refused_request_costs_no_other_bucket_anything(link: Link) -> None:
    buckets = SharedBuckets(link, InProcessBuckets())
    small, large = Quota("reads-key", 1, HOUR), Quota("reads-organization", 3, HOUR)
    both = [("ann", small), ("home", large)]
    assert (await buckets.take(both)).wait == 0
    for _ in range(5):
        assert (await buckets.take(both)).quota == small
    assert (await buckets.take([("home", large)])).left == 1


async def test_a_bucket_is_forgotten_when_it_is_full_again(link: Link) -> None:
    await SharedBuckets(link, InProcessBuckets()).take([("ann", Quota("reads-key", 10, 100))])
    (key,) = await link.redis.keys(f"{PREFIX}bucket:*")
    assert 9_000 < await link.redis.pttl(key) <= 10_000
