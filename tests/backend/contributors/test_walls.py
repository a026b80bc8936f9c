"""Two walls between organizations: no statement without a tenant, and row-level security in PostgreSQL."""

from collections.abc import Iterator
from itertools import count

import pytest
from sqlalchemy import Executable, MetaData, Table, func, inspect, make_url, select, text
from sqlalchemy.ext.asyncio import create_async_engine

from commontrace import AsyncClient, connect_async
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

IDENTITY = {"contributors", "api_keys"}
"""Looked up before anyone is known, so outside of the second wall."""

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
def plain(postgres: Postgres, postgres_template: str) -> Iterator[str]:
    """The URL of an empty store in PostgreSQL for a role that owns the tables and is no superuser."""
    url = postgres.create(postgres_template)
    role = f"plain_{next(_roles)}"
    postgres.run(f"CREATE ROLE {role} LOGIN")
    postgres.run(f"ALTER DATABASE {name_of(url)} OWNER TO {role}")
    yield make_url(url).set(username=role).render_as_string()
    postgres.drop(url)
    postgres.run(f"DROP ROLE {role}")


@pytest.fixture
async def owner(plain: str, postgres: Postgres) -> AsyncClient:
    return await _handed_over(plain, postgres)


async def _handed_over(plain: str, postgres: Postgres) -> AsyncClient:
    del postgres
    return connect_async(plain)


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
    assert with_tenant - IDENTITY == walled
