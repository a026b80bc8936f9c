"""The plans of what is asked often: each question has an index that answers it, however large its tables become.

A small table is read whole whatever its indexes are. So the planner is told here that this costs a lot: what it
reads whole all the same has no index that it could use.
"""

import time

import asyncpg
import pytest

from commontrace import AsyncClient, connect_async
from commontrace.models.search import Query
from commontrace_backend.database.engine import connect_database
from commontrace_backend.database.tenancy import EVERY_TENANT
from commontrace_backend.log import store as log
from conversations import say
from doors import People
from embeddings import settled
from factories import contributed, use
from postgres import Postgres, name_of

USED = {
    "ix_trace_search_terms": "the words of a question (GIN)",
    "ix_trace_vectors_hnsw_1": "its meaning (HNSW)",
    "ix_trace_errors_fingerprint": "an error by its fingerprint",
    "uq_traces_trace_id": "a trace by its id",
    "pk_trace_versions": "the version that is served",
    "pk_outcomes": "what others report of it",
    "pk_receipts": "whether a caller was shown it",
    "pk_trace_commands": "a command before it runs, among what a caller was shown",
    "pk_api_keys": "whose a key is",
    "ix_log_leaves_trace_id": "what is logged of a trace",
    "pk_log_leaves": "a page of the log",
    "uq_repositories_contributor_id_name": "a context by its name",
    "pk_refs": "where a branch points",
    "pk_commits": "a commit",
    "pk_blobs": "a message",
    "ix_operations_repository_id": "what was done last",
}
LARGE = {
    *("trace_versions", "trace_search", "trace_errors", "trace_commands", "trace_tags", "trace_vectors", "receipts"),
    *("outcomes", "log_leaves", "log_nodes", "refs", "commits", "blobs", "operations", "api_keys", "misses"),
}

GROWN = """
CREATE TEMP TABLE copies AS SELECT g FROM generate_series(1, 400) AS g;
INSERT INTO traces SELECT (jsonb_populate_record(t, jsonb_build_object(
    'number', t.number + 3 * g, 'trace_id', md5(t.trace_id || g)))).* FROM traces AS t, copies;
INSERT INTO trace_versions SELECT (jsonb_populate_record(v, jsonb_build_object(
    'trace_id', md5(v.trace_id || g)))).* FROM trace_versions AS v, copies;
INSERT INTO trace_search SELECT s.number + 3 * g, s.version, 'filler:1', 1 FROM trace_search AS s, copies;
INSERT INTO trace_commands SELECT md5(c.trace_id || g), c.version_id, md5(c.command_key || g), c.tenant_id
    FROM trace_commands AS c, copies;
INSERT INTO log_leaves SELECT (jsonb_populate_record(l, jsonb_build_object(
    'leaf_index', 1000 * g + l.leaf_index, 'trace_id', md5(l.trace_id || g)))).* FROM log_leaves AS l, copies;
INSERT INTO repositories SELECT (jsonb_populate_record(r, jsonb_build_object(
    'repository_id', 1000 + g, 'name', 'copy-' || g))).* FROM repositories AS r, copies;
ANALYZE;
"""
"""Twelve hundred traces with other ids and words, and their log."""


@pytest.fixture
async def url(postgres_url: str, postgres: Postgres, hashed: None) -> str:
    """A store with some traces and a context, whose planner would rather use an index."""
    async with connect_async(postgres_url) as client:
        for number in range(3):
            await contributed(
                client, number, visibility="team", verification="Ran `npm install left-pad` in a new image."
            )
        await say(client.contexts.open("parser"), "one", "two")
        await settled(client)
    postgres.run(f"ALTER DATABASE {name_of(postgres_url)} SET enable_seqscan = off")
    postgres.run_in(postgres_url, GROWN)
    postgres.run_in(postgres_url, "SELECT pg_stat_reset()")
    return postgres_url


async def test_what_is_asked_often_is_answered_by_an_index(url: str, postgres: Postgres) -> None:
    async with connect_async(url) as owner, connect_async(url, api_key="") as keyed:
        await ask(await People(owner, keyed)("ann"))
        await owner.log.proof(next(iter([trace.trace_id async for trace in owner.traces.all()])))
        postgres.run(f"ALTER DATABASE {name_of(url)} SET enable_sort = off")  # six vectors are sorted in no time
    async with connect_async(url) as client:
        await client.traces.query("several processes write to sqlite")
    database = connect_database(url)
    async with database.reading(EVERY_TENANT) as session:
        assert await log.leaves_from(session, 3)
    await database.close()
    connection = await asyncpg.connect(url)
    deadline = time.monotonic() + 20
    rows: list[asyncpg.Record] = []
    while time.monotonic() < deadline:  # what a connection did is counted once it is gone
        rows = await connection.fetch("SELECT indexrelname FROM pg_stat_user_indexes WHERE idx_scan > 0")
        if not USED.keys() - {row[0] for row in rows}:
            break
    whole = await connection.fetch("SELECT relname FROM pg_stat_user_tables WHERE seq_scan > 0")
    await connection.close()
    assert {USED[name] for name in USED.keys() - {row[0] for row in rows}} == set()
    assert LARGE & {row[0] for row in whole} == set()


async def ask(client: AsyncClient) -> None:
    """What agents, people and the store itself do all day."""
    answer = await client.traces.query("several processes write to sqlite")
    assert answer.mode == "hybrid"
    known = answer.hits[0].trace_id
    await client.traces.query(Query(error="sqlite3.OperationalError: database is locked"))
    await use(client, known)
    await client.traces.get(known)
    await client.traces.check("npm install left-pad")
    await client.log.checkpoint()
    repo = client.contexts.open("parser")
    await say(repo, "three")
    await repo.window()
    await repo.log()
    await repo.operations()
