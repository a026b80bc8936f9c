"""Purging: no text of a trace is left anywhere, and what is left can still be checked."""

from pathlib import Path

import pytest

from commontrace import AsyncClient
from commontrace.errors import ConflictError, ForbiddenError, NotFoundError
from commontrace.models.traces import AmendmentProposal
from doors import People
from factories import contributed, found, use
from tampering import dumped

CANARY = "zyxquill"
TABLES = (
    *("traces", "trace_versions", "trace_tags", "trace_errors", "outcomes", "amendments", "flags", "tombstones"),
    *("log_leaves", "trace_search", "trace_vectors", "misses", "receipts", "idempotency_keys"),
)


async def spoken(client: AsyncClient, people: People) -> str:
    """A trace with the canary in every text that somebody can write; returns its id."""
    known = await contributed(
        client,
        visibility="team",
        title=f"SQLite says {CANARY} is locked when several processes write",
        solution=f"Open every write with BEGIN IMMEDIATE, then run `pip install {CANARY}` and wait for {CANARY}.",
        errors=[f"sqlite3.OperationalError: {CANARY} is locked"],
        tags=[CANARY],
        idempotency_key="once",
    )
    ann = await people("ann")
    await use(ann, known, "did_not_work", f"{CANARY} was wrong")
    await ann.traces.flag(known, "incorrect", f"{CANARY} again")
    await ann.traces.amend(known, AmendmentProposal(not_when=f"With {CANARY}.", reason=f"Because of {CANARY}."))
    return known


async def test_nothing_that_was_said_is_left_in_any_file(client: AsyncClient, people: People, store: Path) -> None:
    known = await spoken(client, people)
    assert any(CANARY.encode() in path.read_bytes() for path in store.parent.glob("store.db*"))
    done = await client.traces.purge(known, "It held what must not be here.")
    assert (done.trace_id, done.versions, done.erased, done.left) == (known, 2, True, [])
    assert done.tombstone.reason == "It held what must not be here."
    assert [path.name for path in store.parent.glob("store.db*") if CANARY.encode() in path.read_bytes()] == []
    assert await found(client, CANARY) == []
    assert await client.tags.list(CANARY) == []


@pytest.mark.both_databases
async def test_nothing_that_was_said_is_left_in_any_row(client: AsyncClient, people: People, url: str) -> None:
    known = await spoken(client, people)
    assert CANARY.encode() in await dumped(url, TABLES)
    await client.traces.purge(known, "It held what must not be here.")
    assert CANARY.encode() not in await dumped(url, TABLES)


@pytest.mark.both_databases
async def test_the_log_still_holds_and_knows_who_purged(client: AsyncClient, people: People) -> None:
    known = await spoken(client, people)
    before = await client.log.checkpoint()
    await client.traces.purge(known, "A secret.")
    assert (await client.log.audit()).problems == []
    assert (await client.log.since(before)).size > before.size
    assert (await client.traces.get(known)).state == "purged"
    assert (await client.traces.get(known)).content.solution == "[purged]"


@pytest.mark.both_databases
async def test_what_was_purged_does_not_come_back(client: AsyncClient, people: People) -> None:
    known = await spoken(client, people)
    first = await client.traces.purge(known, "A secret.")
    with pytest.raises(ConflictError):
        await client.traces.restore(known)
    again = await client.traces.purge(known, "Once more.")
    assert (again.versions, again.tombstone) == (0, first.tombstone)
    with pytest.raises(NotFoundError):
        await (await people("bob")).traces.get(known)
    assert await contributed(client) != known


async def test_only_the_author_or_an_admin_purges(client: AsyncClient, people: People) -> None:
    known = await spoken(client, people)
    with pytest.raises(ForbiddenError):
        await (await people("ann")).traces.purge(known, "I do not like it.")
    with pytest.raises(NotFoundError):
        await (await people("eve", organization="elsewhere")).traces.purge(known, "Nor do I.")
    admin = await people("root", scopes=("read", "contribute", "admin"))
    assert (await admin.traces.purge(known, "A secret.")).versions == 2
