"""Reviews: what waits for whom, what a decision does, and that it can be undone."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from pydantic import ValidationError

from commontrace import AsyncClient
from commontrace.errors import ConflictError, ForbiddenError, InvalidInputError, NotFoundError
from commontrace.models.contributors import NewApiKey, Scope
from commontrace.models.search import Query
from commontrace.models.traces import AmendmentProposal
from commontrace_backend.traces.bursts import MANY
from doors import People
from factories import contributed, contribution, found, read, use

TITLE = contribution().title
ADMIN: tuple[Scope, ...] = ("read", "contribute", "vote", "admin")
AN_HOUR = timedelta(hours=1)


async def flagged(people: People, known: str, *names: str) -> None:
    for name in names:
        await (await people(name)).traces.flag(known, "harmful", f"{name} says so")


async def published(client: AsyncClient, number: int = 0) -> str:
    known = await contributed(client, number)
    await client.traces.publish(known)
    return known


@pytest.mark.both_databases
async def test_what_flags_have_hidden_waits_and_approving_serves_it_again(client: AsyncClient, people: People) -> None:
    known = await contributed(client, visibility="team")
    await flagged(people, known, "ann", "bo", "cy")
    (item,) = await client.reviews.waiting()
    assert (item.subject, item.causes, item.state, item.title) == (known, ["hidden"], "hidden", TITLE)
    assert item.notes == [f"flag harmful: {name} says so" for name in ("ann", "bo", "cy")]
    decision = await client.reviews.approve(known[:8], "it is harmless")
    assert (decision.action, decision.subject, decision.flags, decision.complete) == ("approve", known, 3, True)
    assert await client.reviews.waiting() == []
    assert await found(await people("dee"), "database is locked") == [TITLE]
    assert len(await client.traces.flags(known)) == 3  # they stay on record, undone
    (kept,) = await client.reviews.decisions()
    assert (kept.reason, kept.contributor.name, kept.undone_at) == ("it is harmless", "owner", None)


@pytest.mark.both_databases
async def test_undoing_an_approval_lets_the_flags_stand_again(client: AsyncClient, people: People) -> None:
    known = await contributed(client, visibility="team")
    await flagged(people, known, "ann", "bo", "cy")
    decision = await client.reviews.approve(known, "hasty")
    undone = await client.reviews.restore(decision.decision_id, "it was not harmless")
    assert (undone.action, undone.subject) == ("restore", decision.decision_id)
    assert (await client.traces.get(known)).state == "hidden"
    with pytest.raises(ConflictError, match="undone already"):
        await client.reviews.restore(decision.decision_id, "again")
    with pytest.raises(ConflictError, match="not undone here"):
        await client.reviews.restore(undone.decision_id, "of a restoration")


@pytest.mark.both_databases
async def test_a_quarantined_trace_waits_and_an_approval_leaves_the_warnings_out(
    client: AsyncClient, people: People
) -> None:
    known = await contributed(client, visibility="team")
    for name in ("ann", "bo"):
        await use(await people(name), known, "unsafe", "it bites")
    (item,) = await client.reviews.waiting()
    assert (item.causes, item.tier, item.notes) == (["quarantined"], "quarantined", ["unsafe: it bites"] * 2)
    decision = await client.reviews.approve(known, "they used it wrongly")
    standing = (await client.traces.get(known)).standing
    assert (decision.outcomes, standing.tier, standing.unsafe, standing.uncounted) == (2, "unproven", 0, 2)
    assert await found(await people("cy"), "database is locked") == [TITLE]
    await client.reviews.restore(decision.decision_id, "they did not")
    assert (await client.traces.get(known)).standing.tier == "quarantined"


async def test_an_amendment_waits_and_is_accepted_or_rejected(client: AsyncClient, people: People) -> None:
    known = await contributed(client, visibility="team")
    ann = await people("ann")
    one = await ann.traces.amend(known, AmendmentProposal(title="A better title", reason="shorter"))
    two = await ann.traces.amend(known, AmendmentProposal(title="A worse title", reason="longer"))
    waiting = await client.reviews.waiting()
    assert [(item.subject, item.causes, item.notes) for item in waiting] == [
        (one.amendment_id, ["amendment"], ["shorter"]),
        (two.amendment_id, ["amendment"], ["longer"]),
    ]
    await client.reviews.reject(two.amendment_id, "no")
    await client.reviews.approve(one.amendment_id, "yes")
    assert (await client.traces.get(known)).content.title == "A better title"
    assert [item.status for item in await client.traces.amendments(known)] == ["rejected", "accepted"]
    assert await client.reviews.waiting() == []
    with pytest.raises(ConflictError, match="stands"):
        await client.reviews.restore(one.amendment_id, "back")


@pytest.mark.both_databases
async def test_a_proven_trace_of_somebody_else_is_removed_by_two_reviewers_only(
    client: AsyncClient, people: People
) -> None:
    ann, bo, root = await people("ann"), await people("bo"), await people("root", scopes=ADMIN)
    known = await contributed(ann, visibility="team")
    await use(bo, known)
    with pytest.raises(ConflictError, match=rf"takes two reviewers.*review reject {known[:10]}"):
        await client.traces.withdraw(known, "I do not like it")
    first = await client.reviews.reject(known, "it is wrong")
    assert (first.complete, first.traces) == (False, [])
    assert await found(bo, "database is locked") == [TITLE]
    (item,) = await root.reviews.waiting()
    assert (item.causes, item.notes) == (["removal"], ["removal proposed: it is wrong"])
    with pytest.raises(ConflictError, match="another admin"):
        await client.reviews.reject(known, "once more")
    second = await root.reviews.reject(known, "I agree")
    assert (second.complete, second.traces) == (True, [known])
    assert await found(bo, "database is locked") == []
    assert await client.reviews.waiting() == []
    with pytest.raises(ConflictError, match="withdrawn already"):
        await client.reviews.reject(known, "again")
    await client.reviews.restore(known, "it was right after all")
    assert await found(bo, "database is locked") == [TITLE]


async def test_a_proposal_of_removal_is_turned_down_by_an_approval(client: AsyncClient, people: People) -> None:
    ann, root = await people("ann"), await people("root", scopes=ADMIN)
    known = await contributed(ann, visibility="team")
    await use(await people("bo"), known)
    await client.reviews.reject(known, "it is wrong")
    await root.reviews.approve(known, "it is not")
    assert await client.reviews.waiting() == []
    assert not (await root.reviews.reject(known, "or is it")).complete


async def test_its_author_withdraws_a_proven_trace_alone(client: AsyncClient, people: People) -> None:
    known = await contributed(client, visibility="team")
    await use(await people("ann"), known)
    assert (await client.traces.withdraw(known, "mine to take back")).trace_id == known


async def test_reviewers_see_their_own_organization_and_who_runs_the_store_the_public_too(
    client: AsyncClient, people: People
) -> None:
    acme, root = await people("ann", "acme"), await people("root", "acme", ADMIN)
    private, team = await contributed(acme, 0), await contributed(acme, 1, visibility="team")
    public = await published(acme, 2)
    bo = await people("bo", "acme")
    for known in (team, public):
        await bo.traces.flag(known, "spam")
    await acme.traces.flag(private, "spam")
    assert {item.trace_id for item in await root.reviews.waiting()} == {team, public}
    assert await (await people("root", "globex", ADMIN)).reviews.waiting() == []
    assert [item.trace_id for item in await client.reviews.waiting()] == [public]
    for unseen in (team, private, "0" * 32):
        with pytest.raises(NotFoundError, match="Nothing to review"):
            await client.reviews.approve(unseen, "let me")
    with pytest.raises(ForbiddenError, match="runs the store"):
        await root.reviews.approve(public, "ours is fine")
    with pytest.raises(ForbiddenError):
        await bo.reviews.waiting()
    await client.reviews.approve(public, "it is fine")


async def test_what_awaits_nothing_is_not_approved_and_what_is_no_id_is_refused(client: AsyncClient) -> None:
    known = await contributed(client, visibility="team")
    with pytest.raises(ConflictError, match="Nothing about this trace awaits"):
        await client.reviews.approve(known, "fine")
    for wrong in ("nonsense", "../keys", "", "abc"):
        with pytest.raises(InvalidInputError, match="not the id of anything to review"):
            await client.reviews.approve(wrong, "fine")


@pytest.mark.both_databases
async def test_a_burst_of_new_accounts_is_left_out_until_somebody_looks(client: AsyncClient, people: People) -> None:
    known = await published(client)
    result = [await use(await people("x", f"new {number}"), known) for number in range(MANY - 1)][-1]
    assert result.standing.tier == "verified"
    result = await use(await people("x", "one more"), known)
    assert (result.standing.tier, result.standing.worked, result.standing.uncounted) == ("unproven", 0, MANY)
    (item,) = await client.reviews.waiting()
    assert item.causes == ["burst"]
    await client.reviews.approve(known, "it was announced at a conference")
    assert (await client.traces.get(known)).standing.worked == MANY


@pytest.mark.both_databases
async def test_a_reversal_takes_back_what_an_organization_did_and_can_be_undone(
    client: AsyncClient, people: People
) -> None:
    eve = await people("eve", "evil")
    theirs, honest, other = await published(eve, 1), await published(client), await published(client, 2)
    for name in ("evil", "acme"):
        await use(await people("x", name), honest)
    await eve.traces.flag(other, "spam")
    since = datetime.now(UTC) - AN_HOUR
    wanted: dict[str, Any] = {"organization": "evil", "since": since, "reason": "a farm"}
    preview = await client.reviews.reverse(**wanted, dry_run=True)
    assert (preview.traces, preview.outcomes, preview.flags, preview.decision_id) == ([theirs], 1, 1, "")
    assert (await client.traces.get(honest)).standing.tier == "corroborated"
    done = await client.reviews.reverse(**wanted)
    assert (done.traces, done.outcomes, done.flags, done.action) == ([theirs], 1, 1, "reverse")
    assert (await client.traces.get(honest)).standing.tier == "unproven"
    assert (await client.traces.get(other)).flags == 0
    zoe = await people("zoe", "elsewhere")
    with pytest.raises(NotFoundError):
        await zoe.traces.get(theirs)
    await client.reviews.restore(done.decision_id, "they explained")
    assert (await client.traces.get(honest)).standing.tier == "corroborated"
    assert (await client.traces.get(other)).flags == 1
    assert (await zoe.traces.get(theirs)).state == "active"


async def test_a_reversal_reaches_back_no_further_than_its_moment_and_no_other_people(
    client: AsyncClient, people: People
) -> None:
    honest = await published(client)
    eve = await people("eve", "evil")
    await use(eve, honest)
    await use(await people("x", "acme"), honest)
    later: dict[str, Any] = {"since": datetime.now(UTC) + AN_HOUR, "reason": "r"}
    assert (await client.reviews.reverse(organization="evil", **later)).outcomes == 0
    assert (await client.traces.get(honest)).standing.tier == "corroborated"
    mine = (await eve.contributors.me()).contributor_id
    since: dict[str, Any] = {"since": datetime.now(UTC) - AN_HOUR, "reason": "r"}
    assert (await client.reviews.reverse(lineage=mine, **since, dry_run=True)).outcomes == 1
    assert (await client.reviews.reverse(contributor=mine, **since)).outcomes == 1
    assert (await client.traces.get(honest)).standing.worked == 1


async def test_admins_reverse_their_own_people_and_only_who_runs_the_store_others(
    client: AsyncClient, people: People
) -> None:
    root = await people("root", "acme", ADMIN)
    await people("ann", "acme")
    eve = (await (await people("eve", "evil")).contributors.me()).contributor_id
    since: dict[str, Any] = {"since": datetime.now(UTC) - AN_HOUR, "reason": "r"}
    assert (await root.reviews.reverse(contributor="ann", **since)).outcomes == 0
    whom: list[dict[str, Any]] = [{"contributor": eve}, {"organization": "evil"}, {"contributor": "nobody"}]
    for wanted in whom:
        with pytest.raises(NotFoundError, match="Nobody is called that"):
            await root.reviews.reverse(**wanted, **since)
    with pytest.raises(ValidationError, match="exactly one"):
        await client.reviews.reverse(contributor="a", organization="b", **since)


@pytest.mark.both_databases
async def test_who_was_shown_a_trace_that_is_withdrawn_learns_it_once(client: AsyncClient, people: People) -> None:
    known = await contributed(client, visibility="team")
    ann, bo = await people("ann"), await people("bo")
    await read(ann, known)
    await client.traces.withdraw(known, "it deletes files")
    answer = await ann.traces.query("something else altogether")
    assert any(
        note.startswith(f"Recalled: trace {known[:10]}, which you were shown, was withdrawn on")
        for note in answer.notes
    )
    for person in (ann, bo, client):
        assert not any("Recalled" in note for note in (await person.traces.query("something else")).notes)


async def test_a_quarantine_recalls_and_what_is_back_before_anybody_asked_is_not_told(
    client: AsyncClient, people: People
) -> None:
    known = await contributed(client, visibility="team")
    ann, bo, cy = [await people(name) for name in ("ann", "bo", "cy")]
    await read(cy, known)
    for person in (ann, bo):
        await use(person, known, "unsafe", "it bites")
    (note,) = [note for note in (await cy.traces.query(Query(tags=["none"]))).notes if "Recalled" in note]
    assert "was quarantined on" in note
    await client.traces.withdraw(known, "hasty")
    await client.traces.restore(known)
    assert not any("Recalled" in note for note in (await cy.traces.query("again")).notes)


async def test_a_pending_publication_waits_and_is_approved_or_turned_down(client: AsyncClient, people: People) -> None:
    wanted = NewApiKey(contributor="kim", publication="after approval")
    kim = people.keyed.acting_as((await client.contributors.create_key(wanted)).key)
    one = await contributed(kim, 0, visibility="team")
    two = await contributed(kim, 1, visibility="team")
    waiting = await client.reviews.waiting()
    assert [(item.subject, item.causes, item.state) for item in waiting] == [
        (one, ["pending"], "pending"),
        (two, ["pending"], "pending"),
    ]
    ann = await people("ann")
    assert await found(ann, "database is locked") == []
    await client.reviews.approve(one, "helpful")
    await client.reviews.reject(two, "not for the team")
    assert await found(ann, "database is locked") == [TITLE]
    assert (await kim.traces.get(two)).visibility == "private"
    assert await client.reviews.waiting() == []
    assert {decision.action for decision in await client.reviews.decisions()} == {"approve", "reject"}
