"""Near-duplicates that are there already wait for reviewers; nothing else happens to them."""

import pytest

from commontrace import AsyncClient
from commontrace.models.reviews import ReviewItem
from commontrace.models.traces import AmendmentProposal
from doors import People
from factories import contributed
from valkey_server import comes_true

pytestmark = pytest.mark.both_databases


async def compared(client: AsyncClient) -> list[ReviewItem]:
    """What waits once the job is done."""
    await client.jobs.retry("duplicates")

    async def rests() -> bool:
        states = {job.name: job.state for job in (await client.jobs.report()).jobs}
        return states["duplicates"] == "resting"

    await comes_true(rests)
    return await client.reviews.waiting()


async def test_a_near_duplicate_waits_until_a_reviewer_keeps_it(client: AsyncClient) -> None:
    older = await contributed(client, visibility="team")
    newer = await contributed(client, visibility="team", title="SQLite: database is locked", insist=True)
    await contributed(client, 1, visibility="team")
    (item,) = await compared(client)
    assert (item.subject, item.causes) == (newer, ["duplicate"])
    assert f"says nearly the same as trace {older}: " in item.notes[0]
    assert (await client.traces.get(newer)).state == "active"
    await client.reviews.approve(newer, "two sides of it")
    assert await compared(client) == []
    await client.traces.amend(newer, AmendmentProposal(title="SQLite says locked", reason="shorter"))
    assert [item.subject for item in await compared(client)] == [newer]


async def test_what_is_linked_on_purpose_private_withdrawn_or_somebody_else_s_is_no_duplicate(
    client: AsyncClient, people: People
) -> None:
    older = await contributed(client, visibility="team")
    await contributed(client, title="Locked, for me alone", insist=True)
    await contributed(await people("eve", "elsewhere"), visibility="team", insist=True)
    linked = await contributed(client, visibility="team", title="Locked, another way", insist=True)
    await client.traces.link(linked, "alternative_to", older)
    assert await compared(client) == []
    newer = await contributed(client, visibility="team", title="Locked once more", insist=True)
    assert [item.subject for item in await compared(client)] == [newer]
    for one in (older, linked):
        await client.traces.withdraw(one, "wrong")
    assert [item for item in await compared(client) if "duplicate" in item.causes] == []
