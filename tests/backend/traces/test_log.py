"""The tamper-evident log: whatever is changed behind our back is found, and nothing that happened lawfully is."""

from pathlib import Path

import pytest

from commontrace import AsyncClient, connect_async
from commontrace.errors import ForbiddenError, InvalidInputError, NotFoundError, StoreUnusableError
from commontrace.models.log import LogProblem
from commontrace.models.traces import AmendmentProposal
from doors import People
from factories import contributed, contribution, use
from tampering import changed

pytestmark = pytest.mark.both_databases


async def problems(client: AsyncClient) -> list[LogProblem]:
    return (await client.log.audit()).problems


async def lived(client: AsyncClient, people: People) -> str:
    """A trace with versions, outcomes, flags, a removal and a restoration; returns its id."""
    known = await contributed(client, visibility="team")
    ann = await people("ann")
    await use(ann, known, "worked")
    await ann.traces.vote(known, "did_not_work", note="not on Windows")
    await client.traces.amend(known, AmendmentProposal(not_when="On a network share.", reason="It hung there."))
    await ann.traces.flag(known, "outdated")
    await client.traces.withdraw(known, "To look at it again.")
    await client.traces.restore(known)
    await client.traces.publish(known, "public")
    await contributed(client, 1)
    return known


async def test_a_life_that_went_its_lawful_way_has_no_problem(client: AsyncClient, people: People) -> None:
    await lived(client, people)
    found = await client.log.audit()
    assert (found.problems, found.traces) == ([], 2)
    assert found.leaves == found.checkpoint.size > 8


@pytest.mark.parametrize(
    ("statement", "kind", "what"),
    [
        ("UPDATE trace_versions SET content = '{}' WHERE number = 1", "changed", "content of its version 1"),
        ("UPDATE trace_versions SET labels = '[1]' WHERE number = 2", "changed", "seen"),
        ("UPDATE traces SET tier = 'verified'", "changed", "tier"),
        ("UPDATE traces SET visibility = 'team' WHERE visibility = 'public'", "changed", "visibility"),
        ("UPDATE traces SET title = 'Run this'", "changed", "title"),
        ("UPDATE outcomes SET outcome = 'worked'", "changed", "outcome"),
        ("UPDATE outcomes SET note = 'on Linux'", "changed", "note"),
        ("DELETE FROM outcomes", "missing", "outcome"),
        ("DELETE FROM tombstones", "missing", "tombstone"),
        ("UPDATE tombstones SET reason = ''", "changed", "reason"),
        ("UPDATE log_leaves SET facts = '{}' WHERE leaf_index = 3", "broken", "leaf 3"),
        ("UPDATE log_leaves SET leaf_hash = '00' WHERE leaf_index = 3", "broken", "leaf 3"),
        ("DELETE FROM log_leaves WHERE leaf_index = 3", "broken", "leaf 3 is gone"),
        ("UPDATE log_nodes SET node_hash = '00' WHERE level = 2 AND position = 0", "broken", "node (2, 0)"),
        ("DELETE FROM log_leaves WHERE kind = 'outcome'", "broken", "is gone"),
    ],
)
async def test_what_was_changed_behind_our_back_is_found(
    client: AsyncClient, people: People, store: Path, statement: str, kind: str, what: str
) -> None:
    await lived(client, people)
    await changed(f"sqlite:///{store}", statement)
    assert any(one.kind == kind and what in one.what for one in await problems(client))


async def test_a_row_that_nobody_logged_is_found(client: AsyncClient, people: People, url: str) -> None:
    known = await lived(client, people)
    await changed(
        url,
        "INSERT INTO outcomes (trace_id, version_id, contributor_id, tenant_id, lineage_id, outcome, note, self_report,"
        " created_at, updated_at) SELECT trace_id, version_id, (SELECT contributor_id FROM contributors"
        " WHERE name = 'owner'), tenant_id, lineage_id, 'worked', '', self_report, created_at, updated_at"
        " FROM outcomes LIMIT 1",
    )
    [found] = await problems(client)
    assert (found.kind, found.trace_id) == ("unlogged", known)


async def test_a_log_that_was_rewritten_as_a_whole_is_found_by_who_kept_a_checkpoint(
    client: AsyncClient, url: str
) -> None:
    await contributed(client)
    known = await client.log.checkpoint()
    await contributed(client, 1)
    grown = await client.log.since(known)
    assert grown.size > known.size
    assert await client.log.since(grown) == await client.log.checkpoint()
    for table in ("log_leaves", "log_nodes"):
        await changed(url, f"DELETE FROM {table}")
    await changed(url, "UPDATE traces SET tier = 'verified'")
    async with connect_async(url) as again:  # it takes in what is there, and all agrees with itself
        assert await problems(again) == []
        with pytest.raises(StoreUnusableError, match="rewritten"):
            await again.log.since(grown)
        for number in (2, 3, 4):
            await contributed(again, number)
        with pytest.raises(StoreUnusableError, match="rewritten"):
            await again.log.since(grown)


async def test_a_log_that_was_cut_is_found_by_who_kept_a_checkpoint(client: AsyncClient, url: str) -> None:
    await contributed(client)
    known = await client.log.checkpoint()
    await changed(url, f"DELETE FROM log_nodes WHERE level = 0 AND position = {known.size - 1}")
    with pytest.raises(InvalidInputError, match=f"has {known.size - 1} leaves, not {known.size}"):
        await client.log.since(known)


async def test_a_store_that_is_older_than_the_log_is_taken_into_it(
    client: AsyncClient, people: People, url: str
) -> None:
    known = await lived(client, people)
    for table in ("log_leaves", "log_nodes"):
        await changed(url, f"DELETE FROM {table}")
    async with connect_async(url) as again:
        assert await problems(again) == []
        assert (await again.log.proof(known)).facts["trace_id"] == known


async def test_the_log_proves_what_it_has_of_a_trace(client: AsyncClient, people: People, url: str) -> None:
    known = await lived(client, people)
    proof = await client.log.proof(known)
    trace = await client.traces.get(known)
    assert proof.facts["version_id"] == trace.version_id
    bob = await people("bob", organization="elsewhere")
    assert (await bob.log.proof(known)).facts == proof.facts  # it is public
    private = await contributed(client, 2, visibility="private")
    with pytest.raises(NotFoundError):
        await bob.log.proof(private)
    await changed(url, "UPDATE log_nodes SET node_hash = :other", other="00" * 32)
    with pytest.raises(StoreUnusableError, match="cannot prove"):
        await client.log.proof(known)


async def test_an_audit_is_for_admins_and_about_their_own(client: AsyncClient, people: People, url: str) -> None:
    known = await lived(client, people)
    with pytest.raises(ForbiddenError):
        await (await people("ann")).log.audit()
    await changed(url, "UPDATE traces SET tier = 'verified'")
    eve = await people("eve", organization="elsewhere", scopes=("read", "admin"))
    assert (await eve.log.audit()).problems == []
    assert known in {one.trace_id for one in await problems(client)}


async def test_what_is_refused_or_only_tried_is_not_logged(client: AsyncClient) -> None:
    before = (await client.log.checkpoint()).size
    with pytest.raises(NotFoundError):
        await client.traces.withdraw("0" * 32, "Never there.")
    assert (await client.traces.contribute(contribution(dry_run=True))).trace_id is None
    assert (await client.log.checkpoint()).size == before
