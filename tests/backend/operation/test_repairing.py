"""What is damaged in an index is found and made anew from rows; what cannot be is named."""

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from sqlalchemy import text

from commontrace import AsyncClient, connect_async
from commontrace._transport import beside_the_data
from commontrace_backend.database.engine import connect_database
from commontrace_backend.database.tenancy import EVERY_TENANT
from embeddings import settled
from factories import contributed, contribution, found

WORDS = {
    "sqlite": {
        "the inverted index is scribbled over": "UPDATE trace_search_data SET block = X'00ff00ff' WHERE id > 10",
        "a document is lost": "DELETE FROM trace_search WHERE rowid = 1",
        "the text of a document is another one": "UPDATE trace_search_content SET c0 = 'kangaroo' WHERE id = 1",
        "counted words are another document's": "UPDATE trace_words SET stems = 'kangaroo', counts = X'01'",
        "the totals are lost": "DELETE FROM search_totals",
        "the whole index is gone": "DROP TABLE trace_search",
    },
    "postgresql": {
        "the GIN index is gone": "DROP INDEX ix_trace_search_terms",
        "a document is lost": "DELETE FROM trace_search WHERE number = 1",
        "the words of a document are others": "UPDATE trace_search SET terms = 'kangaroo:1A'",
        "a word is counted wrongly": "UPDATE search_terms SET documents = 7 WHERE term = 'sqlite'",
        "the totals are lost": "DELETE FROM search_totals",
    },
}
VECTORS = {
    "sqlite": {
        "vectors are cut": "UPDATE trace_vectors SET vector = X'00'",
        "vectors are of another text": "UPDATE trace_vectors SET text_hash = 'x'",
    },
    "postgresql": {
        "vectors are shorter": "UPDATE trace_vectors SET vector = '[1,2]'",
        "vectors are of another text": "UPDATE trace_vectors SET text_hash = 'x'",
        "the HNSW index is gone": "DROP INDEX ix_trace_vectors_hnsw_1",
    },
}


async def harm(url: str, statement: str) -> None:
    if url.startswith("sqlite"):
        with closing(sqlite3.connect(url.removeprefix("sqlite:///"))) as connection, connection:
            connection.execute(statement)
        return
    database = connect_database(url)
    async with database.writing(EVERY_TENANT) as session:
        if "trace_vectors SET vector" in statement:
            await session.execute(text("DROP INDEX ix_trace_vectors_hnsw_1"))  # which would refuse it
        await session.execute(text(statement))
    await database.close()


@pytest.mark.both_databases
@pytest.mark.usefixtures("hashed")
async def test_a_damaged_index_is_found_and_made_anew_from_rows(client: AsyncClient) -> None:
    for number in range(3):
        await contributed(client, number)
    await settled(client)
    desk = beside_the_data(client.url)
    assert (await desk.examine()).faults == []
    engine = "sqlite" if client.url.startswith("sqlite") else "postgresql"
    for part, cases in (("words", WORDS[engine]), ("vectors", VECTORS[engine])):
        for case, statement in cases.items():
            await harm(client.url, statement)
            before = await desk.examine()
            assert {fault.part for fault in before.faults} == {part} or before.pending, case
            after = await desk.repair()
            assert (after.faults, after.pending) == ([], 0), case
            await settled(client)
            async with connect_async(client.url) as again:
                answer = await again.traces.query("several processes write to sqlite")
                assert (answer.mode, answer.hits[0].title) == ("hybrid", contribution(0).title), case
                assert await found(again, "kangaroo") == [], case


@pytest.mark.both_databases
async def test_in_a_sound_store_there_is_nothing_to_repair(client: AsyncClient) -> None:
    await contributed(client, 0)
    done = await beside_the_data(client.url).repair()
    assert (done.faults, done.repaired, done.pending) == ([], False, 0)


async def test_an_index_of_the_file_is_made_anew_too(client: AsyncClient, store: Path) -> None:
    await contributed(client, 0)
    with closing(sqlite3.connect(store)) as connection, connection:
        connection.execute("PRAGMA writable_schema = ON")
        connection.execute("UPDATE sqlite_master SET sql = replace(sql, 'ON traces', 'ON \"traces\"') WHERE 0")
        root = connection.execute("SELECT rootpage FROM sqlite_master WHERE name = 'ix_traces_version_id'").fetchone()
        other = connection.execute("SELECT rootpage FROM sqlite_master WHERE name = 'ix_misses_tenant_id_created_at'")
        connection.execute(
            "UPDATE sqlite_master SET rootpage = ? WHERE name = 'ix_traces_version_id'", other.fetchone()
        )
        connection.execute("UPDATE sqlite_master SET rootpage = ? WHERE name = 'ix_misses_tenant_id_created_at'", root)
    desk = beside_the_data(client.url)
    broken = await desk.examine()
    assert {fault.part for fault in broken.faults} == {"file"}
    assert any("ix_traces_version_id" in fault.what and fault.repairable for fault in broken.faults)
    assert (await desk.repair()).faults == []


async def test_a_damaged_file_is_named_with_the_next_step(client: AsyncClient, store: Path) -> None:
    await contributed(client, 0)
    with closing(sqlite3.connect(store)) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        (root,) = connection.execute("SELECT rootpage FROM sqlite_master WHERE name = 'outcomes'").fetchone()
        (size,) = connection.execute("PRAGMA page_size").fetchone()
    with store.open("r+b") as file:
        file.seek((root - 1) * size)
        file.write(b"\xa5" * size)
    for look in (beside_the_data(client.url).examine, beside_the_data(client.url).repair):
        named = [fault for fault in (await look()).faults if not fault.repairable]
        assert {fault.part for fault in named} == {"file"}
        assert "Restore a backup into a new place" in named[0].hint
