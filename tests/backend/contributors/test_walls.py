"""Two walls between organizations: no statement without a tenant, and row-level security in PostgreSQL."""

from collections.abc import Iterator
from itertools import count

import pytest
from sqlalchemy import Executable, MetaData, Table, func, inspect, make_url, select, text
from sqlalchemy.ext.asyncio import create_async_engine

from commontrace import connect_async
from commontrace.models.search import Query
from commontrace.models.traces import AmendmentProposal
from commontrace_backend.contexts.tables import commits, repositories
from commontrace_backend.contributors.tables import api_keys, contributors
from commontrace_backend.database.engine import Database, connect_database
from commontrace_backend.database.tables import metadata
from commontrace_backend.database.tenancy import EVERY_TENANT, TenantlessError, across, unbound
from commontrace_backend.traces.tables import amendments, outcomes, trace_versions, traces
from doors import People
from factories import contributed, found, read, use
from postgres import Postgres, name_of

OUTSIDE = {"contributors", "api_keys", "log_leaves"}
"""Outside of the second wall: looked up before anyone is known, and the one log of the whole store."""

_roles = count()

REFUSED: dict[str, Executable] = {
    "everything": select(traces),
    "a trace by its id": select(traces).where(traces.c.trace_id == "x"),
    "a count": select(func.count()).select_from(traces),
    "a context by its number": select(repositories.c.name).where(repositories.c.repository_id == 1),
    "an amendment by its id": select(amendments).where(amendments.c.amendment_id == "x"),
    "outcomes joined with their authors": select(outcomes).join(
        contributors, contributors.c.contributor_id == outcomes.c.contributor_id
    ),
    "versions joined with traces of anybody": select(trace_versions)
    .join(traces, traces.c.trace_id == trace_versions.c.trace_id)
    .where(trace_versions.c.trace_id == "x"),
    "words of SQL": text("SELECT title FROM traces WHERE trace_id = 'x'"),
    "another name of the table": select(traces.alias("t")),
    "one side of a union": select(commits.c.commit_id)
    .where(commits.c.tenant_id == "a")
    .union(select(amendments.c.amendment_id)),
    "a key by its id": select(api_keys).where(api_keys.c.key_id == "x"),
}
LET_THROUGH: dict[str, Executable] = {
    "of a tenant": select(traces).where(traces.c.tenant_id == "a"),
    "of a contributor": select(traces).where(traces.c.contributor_id == "a"),
    "what hangs on a trace read before": select(outcomes).where(outcomes.c.trace_id.in_(["x"])),
    "what hangs on a context read before": select(commits).where(commits.c.repository_id == 1),
    "a join with traces of a tenant": select(amendments)
    .join(traces, traces.c.trace_id == amendments.c.trace_id)
    .where(amendments.c.amendment_id == "x", traces.c.tenant_id == "a"),
    "said to be across": across(select(traces), "a test says so"),
    "what has no tenant": select(Table("something_else", MetaData())),
}


@pytest.fixture
def database(url: str) -> Database:
    return connect_database(url)


@pytest.mark.parametrize("case", REFUSED)
async def test_a_statement_without_a_tenant_is_refused(database: Database, case: str) -> None:
    async with database.reading("a") as session:
        with pytest.raises(TenantlessError, match="without a tenant"):
            await session.execute(REFUSED[case])
    async with database.reading(EVERY_TENANT) as session:
        await session.execute(REFUSED[case])
    await database.close()


@pytest.mark.parametrize("case", LET_THROUGH)
def test_a_statement_that_says_whose_rows_it_wants_runs(case: str) -> None:
    named = LET_THROUGH[case]
    assert unbound(named) == set() or case == "said to be across"


async def test_a_statement_that_may_cross_lets_no_other_through(database: Database) -> None:
    async with database.reading("a") as session:
        await session.execute(across(select(traces.c.title), "a test says so"))
        with pytest.raises(TenantlessError):
            await session.execute(select(traces.c.title))
    await database.close()


@pytest.fixture
def plain(postgres: Postgres) -> Iterator[str]:
    """The URL of an empty database for a role that owns it and is no superuser."""
    url, role = postgres.create(), f"plain_{next(_roles)}"
    postgres.run(f"CREATE ROLE {role} LOGIN")
    postgres.run(f"ALTER DATABASE {name_of(url)} OWNER TO {role}")
    postgres.run_in(url, "CREATE EXTENSION vector")
    yield make_url(url).set(username=role).render_as_string()
    postgres.drop(url)
    postgres.run(f"DROP ROLE {role}")


async def _titles(database: Database, tenant: str | None) -> set[str]:
    """What a defect of ours that forgets every predicate would see."""
    async with database.reading(tenant) as session:
        rows = await session.all(across(select(traces.c.title, traces.c.tenant_id), "what the second wall is for"))
        versions = await session.all(across(select(trace_versions.c.trace_id), "the same"))
        contexts = await session.all(across(select(repositories.c.tenant_id), "the same"))
    assert len(rows) == len(versions)
    assert {row.tenant_id for row in contexts} <= {tenant} or tenant == EVERY_TENANT
    return {row.title for row in rows}


async def test_behind_the_second_wall_people_of_other_organizations_are_told_of_a_recall(plain: str) -> None:
    async with connect_async(plain) as home, connect_async(plain, api_key="") as keyed:
        eve = await People(home, keyed)("eve", "elsewhere")
        known = await contributed(home)
        await home.traces.publish(known)
        await eve.traces.query(Query(ids=[known]))
        await home.traces.withdraw(known, "wrong")
        for told in (True, False):
            assert any("Recalled" in note for note in (await eve.traces.query("anything")).notes) is told


async def test_the_database_itself_shows_an_organization_its_own_and_what_is_public(plain: str) -> None:
    async with connect_async(plain) as home, connect_async(plain, api_key="") as keyed:
        people = People(home, keyed)
        eve = await people("eve", "elsewhere")
        mine, shared = await contributed(home, 0), await contributed(home, 1, visibility="team")
        public, hers = await contributed(home, 2), await contributed(eve, 3)
        await home.traces.publish(public)
        await home.contexts.create("plans")
        titles = {one: (await home.traces.get(one)).content.title for one in (mine, shared, public)}
        titles[hers] = (await eve.traces.get(hers)).content.title
        here, there = [(await one.contributors.me()).organization_id for one in (home, eve)]
        database = connect_database(plain)
        assert await _titles(database, here) == {titles[one] for one in (mine, shared, public)}
        assert await _titles(database, there) == {titles[public], titles[hers]}
        assert await _titles(database, None) == {titles[public]}
        assert await _titles(database, EVERY_TENANT) == set(titles.values())
        await database.close()


async def test_behind_the_second_wall_all_that_people_do_with_traces_works(plain: str) -> None:
    async with connect_async(plain) as home, connect_async(plain, api_key="") as keyed:
        people = People(home, keyed)
        eve, mate = (
            await people("eve", "elsewhere"),
            await people("ann", scopes=("read", "vote", "contribute", "admin")),
        )
        known = await contributed(home, 0)
        await home.traces.publish(known)
        assert (await read(eve, known)).trace_id == known
        assert (await use(eve, known)).standing.organizations == 1
        flag = await eve.traces.flag(known, "spam")
        assert len(await mate.traces.flags(known)) == 1
        await eve.traces.unflag(flag.flag_id)
        amended = await eve.traces.amend(known, AmendmentProposal(title="Locked, said shorter", reason="shorter"))
        await home.traces.decide(amended.amendment_id, accept=True)
        assert (await eve.traces.get(known)).content.title == "Locked, said shorter"
        assert await found(mate, Query(query="database is locked", include_unproven=True)) == ["Locked, said shorter"]
        assert await found(eve, Query(query="kangaroo migration")) == []
        assert [wanted.times for wanted in await eve.traces.wanted()] == [1]
        assert await home.traces.wanted() == []
        await home.traces.withdraw(known, "wrong")
        await home.traces.restore(known)


async def test_every_table_of_tenants_has_its_policy(postgres_url: str) -> None:
    engine = create_async_engine(make_url(postgres_url).set(drivername="postgresql+asyncpg"))
    async with engine.connect() as connection:
        there = set(await connection.run_sync(lambda sync: inspect(sync).get_table_names()))
        forced = await connection.scalars(
            text(
                "SELECT relname FROM pg_class JOIN pg_policy ON polrelid = pg_class.oid"
                " WHERE relrowsecurity AND relforcerowsecurity"
            )
        )
        walled = set(forced)
    await engine.dispose()
    with_tenant = {name for name, table in metadata.tables.items() if "tenant_id" in table.c and name in there}
    assert with_tenant - OUTSIDE == walled
