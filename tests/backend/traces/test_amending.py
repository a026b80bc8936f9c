"""Amendments: proposing a better version, and what becomes of it."""

import pytest

from commontrace import AsyncClient
from commontrace.errors import ConflictError, ForbiddenError, InvalidInputError, LowQualityError, NotFoundError
from commontrace.models.traces import AmendmentProposal
from doors import People
from factories import contributed, contribution, found

pytestmark = pytest.mark.both_databases

BETTER = AmendmentProposal(solution="Begin every write with BEGIN IMMEDIATE.\nAnd retry on busy.", reason="shorter")


async def test_ones_own_trace_takes_an_amendment_at_once(client: AsyncClient) -> None:
    known = await contributed(client)
    before = await client.traces.get(known)
    amendment = await client.traces.amend(known, BETTER)
    after = await client.traces.get(known)
    assert (amendment.status, amendment.reason, amendment.proposer.name) == ("accepted", "shorter", "owner")
    assert amendment.decided_at is not None
    assert (after.version_number, after.version_id) == (2, amendment.version_id)
    assert after.content == before.content.model_copy(update={"solution": BETTER.solution})
    assert after.updated_at > before.updated_at


async def test_an_amended_trace_is_found_by_its_new_words_and_no_longer_by_the_old(client: AsyncClient) -> None:
    known = await contributed(client)
    new = AmendmentProposal.model_validate(
        {
            "title": "Zebras", "problem": "Zebras gallop away.", "solution": "Close the zebra gate first.",
            "errors": ["ZebraError: gone"], "tags": ["zebra"], "reason": "all new",
            "environment": {"language": "zulu"}, "verification": "", "applies_when": "",
        }
    )  # fmt: skip
    await client.traces.amend(known, new)
    assert await found(client, "zebras gallop") == ["Zebras"]
    assert await found(client, "sqlite database is locked") == []
    assert [count.tag for count in await client.tags.list()] == ["zebra"]


async def test_somebody_elses_trace_waits_for_a_decision(client: AsyncClient, people: People) -> None:
    known = await contributed(client, visibility="team")
    ann = await people("ann")
    proposed = await ann.traces.amend(known, BETTER)
    trace = await client.traces.get(known)
    assert (proposed.status, proposed.decided_at, proposed.proposer.name) == ("open", None, "ann")
    assert (trace.version_number, trace.open_amendments) == (1, 1)
    assert [amendment.amendment_id for amendment in await client.traces.amendments(known)] == [proposed.amendment_id]


async def test_an_amendment_shows_each_changed_field_line_by_line(client: AsyncClient, people: People) -> None:
    known = await contributed(client, visibility="team", solution="Begin every write with BEGIN.\nAnd retry on busy.")
    (change,) = (await (await people("ann")).traces.amend(known, BETTER)).changes
    assert change.field == "solution"
    assert change.diff.splitlines()[2:] == [
        "@@ -1,2 +1,2 @@",
        "-Begin every write with BEGIN.",
        "+Begin every write with BEGIN IMMEDIATE.",
        " And retry on busy.",
    ]


async def test_an_accepted_amendment_is_served_and_names_its_author(client: AsyncClient, people: People) -> None:
    known = await contributed(client, visibility="team")
    proposed = await (await people("ann")).traces.amend(known, BETTER)
    decided = await client.traces.decide(proposed.amendment_id, accept=True, note="thank you")
    assert (decided.status, decided.decision_note) == ("accepted", "thank you")
    newest, oldest = await client.traces.history(known)
    assert (newest.number, newest.contributor.name, newest.content.solution) == (2, "ann", BETTER.solution)
    assert (oldest.number, oldest.contributor.name) == (1, "owner")
    assert (newest.parent_version_id, oldest.parent_version_id) == (oldest.version_id, None)
    assert (await client.traces.get(known)).contributor.name == "owner"


async def test_a_rejected_amendment_changes_nothing_and_says_why(client: AsyncClient, people: People) -> None:
    known = await contributed(client, visibility="team")
    ann = await people("ann")
    proposed = await ann.traces.amend(known, BETTER)
    await client.traces.decide(proposed.amendment_id, accept=False, note="retrying hides the cause")
    trace = await ann.traces.get(known)
    (amendment,) = await ann.traces.amendments(known)
    assert (amendment.status, amendment.decision_note) == ("rejected", "retrying hides the cause")
    assert (trace.version_number, trace.open_amendments, trace.content.solution) == (1, 0, contribution().solution)


async def test_a_decision_is_made_once(client: AsyncClient, people: People) -> None:
    known = await contributed(client, visibility="team")
    proposed = await (await people("ann")).traces.amend(known, BETTER)
    await client.traces.decide(proposed.amendment_id, accept=False)
    with pytest.raises(ConflictError, match="was rejected already"):
        await client.traces.decide(proposed.amendment_id, accept=True)


async def test_an_amendment_of_a_version_that_is_no_longer_served_conflicts(
    client: AsyncClient, people: People
) -> None:
    known = await contributed(client, visibility="team")
    proposed = await (await people("ann")).traces.amend(known, BETTER)
    await client.traces.amend(known, AmendmentProposal(title="Another title", reason="clearer"))
    with pytest.raises(ConflictError, match=r"has changed since.*Propose the change again"):
        await client.traces.decide(proposed.amendment_id, accept=True)
    assert (await client.traces.amendments(known))[-1].status == "open"
    assert (await client.traces.get(known)).content.title == "Another title"


async def test_only_the_contributor_or_an_admin_of_the_organization_decides(
    client: AsyncClient, people: People
) -> None:
    ann = await people("ann")
    known = await contributed(ann, visibility="team")
    proposed = await (await people("bo")).traces.amend(known, BETTER)
    for person in (await people("bo"), await people("cy")):
        with pytest.raises(ForbiddenError, match="belongs to somebody else"):
            await person.traces.decide(proposed.amendment_id, accept=True)
    assert (await client.traces.decide(proposed.amendment_id, accept=True)).status == "accepted"  # an admin


async def test_an_amendment_that_changes_nothing_is_refused(client: AsyncClient) -> None:
    known = await contributed(client)
    for proposal in (AmendmentProposal(reason="?"), AmendmentProposal(title=contribution().title, reason="?")):
        with pytest.raises(InvalidInputError, match="changes nothing"):
            await client.traces.amend(known, proposal)
    assert len(await client.traces.history(known)) == 1


async def test_an_amendment_that_makes_a_trace_useless_is_refused(client: AsyncClient) -> None:
    known = await contributed(client)
    with pytest.raises(LowQualityError, match="would help nobody: the solution says too little"):
        await client.traces.amend(known, AmendmentProposal(solution="fixed", reason="?"))


async def test_the_way_back_to_an_earlier_version_is_an_amendment_too(client: AsyncClient) -> None:
    known = await contributed(client)
    first = await client.traces.get(known)
    await client.traces.amend(known, BETTER)
    await client.traces.amend(known, AmendmentProposal(solution=contribution().solution, reason="was right"))
    back = await client.traces.get(known)
    assert (back.version_id, back.content) == (first.version_id, first.content)
    assert len(await client.traces.history(known)) == 2
    assert len(await client.traces.amendments(known)) == 2


async def test_two_people_may_propose_the_same_words(client: AsyncClient, people: People) -> None:
    known = await contributed(client, visibility="team")
    one = await (await people("ann")).traces.amend(known, BETTER)
    two = await (await people("bo")).traces.amend(known, BETTER)
    assert one.version_id == two.version_id
    await client.traces.decide(one.amendment_id, accept=True)
    with pytest.raises(ConflictError):
        await client.traces.decide(two.amendment_id, accept=True)


async def test_an_unknown_amendment_is_not_found(client: AsyncClient) -> None:
    with pytest.raises(NotFoundError, match="No amendment 0000000000000000"):
        await client.traces.decide("0" * 16, accept=True)
