"""What somebody's traces have done for others, by tag, and who may know it."""

import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import Engine, create_engine, literal, select

from commontrace import AsyncClient
from commontrace.models.contributors import Reputation
from commontrace_backend.database.engine import connect_database
from commontrace_backend.database.tenancy import EVERY_TENANT
from commontrace_backend.traces.reputation import recount, recount_if_due, wilson
from commontrace_backend.traces.trust import wilson_lower_bound
from doors import People
from factories import contributed, use

pytestmark = pytest.mark.both_databases


def told(reputation: Reputation) -> dict[tuple[str, str], tuple[int, int, float]]:
    return {(one.tag, one.audience): (one.positive, one.voices, one.score) for one in reputation.tags}


async def counted_anew(client: AsyncClient) -> None:
    database = connect_database(client.url)
    await recount(database)
    await database.close()


async def test_colleagues_and_other_organizations_are_counted_apart(client: AsyncClient, people: People) -> None:
    ann, ben, eve, mia = [await people(name) for name in ("ann", "ben")] + [
        await people(name, "elsewhere") for name in ("eve", "mia")
    ]
    zoe = await people.stranger("zoe", "nowhere")
    known = [await contributed(ann, number, visibility="team") for number in (0, 1)]
    await client.traces.publish(known[0])
    await use(client, known[0])
    await use(ben, known[0], "did_not_work", "it still locks")
    await use(client, known[1])
    await use(ann, known[1])  # her own: says nothing
    await use(eve, known[0])
    await use(zoe, known[0])  # whom nobody vouches for
    assert told(await ann.contributors.reputation()) == {}
    await counted_anew(client)
    me = (await ann.contributors.me()).contributor_id
    two_of_three, one_of_two, one = (round(wilson_lower_bound(*pair), 4) for pair in ((2, 3), (1, 2), (1, 1)))
    public = {(tag, "public"): (1, 1, one) for tag in ("", "python", "sqlite")}
    team = {
        ("", "team"): (2, 3, two_of_three),
        **{(tag, "team"): (1, 2, one_of_two) for tag in ("python", "sqlite")},
        **{(tag, "team"): (1, 1, one) for tag in ("docker", "npm")},
    }
    mine = await ann.contributors.reputation()
    assert told(mine) == public | team
    assert mine.counted_at is not None
    assert told(await ben.contributors.reputation(me)) == public | team
    assert told(await eve.contributors.reputation(me)) == public
    assert told(await eve.contributors.reputation("0" * 32)) == {}
    await use(mia, known[0], "unsafe", "it deletes the file")  # in one organization the gravest outcome speaks
    await counted_anew(client)
    assert told(await eve.contributors.reputation(me))["", "public"] == (0, 1, 0.0)


async def test_the_store_counts_by_itself_and_not_all_the_time(client: AsyncClient, people: People) -> None:
    ann = await people("ann")
    known = await contributed(client, 0, visibility="team")
    await use(ann, known)
    await client.jobs.retry("reputation")
    deadline = time.monotonic() + 20
    while not (await client.contributors.reputation()).tags:
        assert time.monotonic() < deadline
    assert told(await client.contributors.reputation())["", "team"][:2] == (1, 1)
    await use(await people("ben"), known)
    database = connect_database(client.url)
    assert not await recount_if_due(database)  # within ten minutes
    await database.close()


@pytest.fixture(scope="module")
def plain() -> Engine:
    return create_engine("sqlite://")


@given(st.integers(1, 10**7).flatmap(lambda voices: st.tuples(st.integers(0, voices), st.just(voices))))
@settings(max_examples=150)
def test_sql_and_python_know_one_formula(plain: Engine, counts: tuple[int, int]) -> None:
    with plain.connect() as connection:
        found = connection.scalar(select(wilson(literal(counts[0]), literal(counts[1]))))
    assert found == pytest.approx(wilson_lower_bound(*counts), abs=1e-12)


async def test_so_does_the_database_that_is_used(client: AsyncClient) -> None:
    database = connect_database(client.url)
    async with database.reading(EVERY_TENANT) as session:
        for counts in ((0, 1), (1, 1), (2, 3), (999, 1000), (10**7, 10**7)):
            found = await session.scalar(select(wilson(literal(counts[0]), literal(counts[1]))))
            assert found == pytest.approx(wilson_lower_bound(*counts), abs=1e-12)
    await database.close()
