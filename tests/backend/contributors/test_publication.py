"""Publication policies of keys: directly, after approval, drafts only."""

from collections.abc import AsyncIterator

import pytest

from commontrace import AsyncClient
from commontrace.errors import ConflictError, ForbiddenError, NotFoundError
from commontrace.models.contributors import NewApiKey, PublicationPolicy
from commontrace.models.search import Query
from commontrace.models.traces import AmendmentProposal
from commontrace_backend.contributors.caller import Caller
from commontrace_backend.contributors.keyring import Keyring
from commontrace_backend.contributors.service import open_keyring
from commontrace_backend.database.engine import Database, connect_database
from commontrace_backend.settings import BackendSettings
from commontrace_backend.traces.publishing import approve_publication, reject_publication
from doors import People
from factories import contributed, contribution, found

LOCKED = Query(query="database is locked", include_unproven=True)
SCOPES = ["read", "contribute", "vote", "admin"]


@pytest.fixture
async def database(client: AsyncClient) -> AsyncIterator[Database]:
    await client.contributors.me()
    opened = connect_database(client.url)
    yield opened
    await opened.close()


@pytest.fixture
async def keyring(client: AsyncClient, database: Database) -> Keyring:
    return await open_keyring(database, BackendSettings(database_url=client.url, local_owner=True), None)


@pytest.fixture
def admin(keyring: Keyring) -> Caller:
    assert keyring.owner is not None
    return keyring.owner


async def _key(client: AsyncClient, name: str, publication: PublicationPolicy, scopes: list[str] = SCOPES[:3]) -> str:
    wanted = NewApiKey.model_validate({"contributor": name, "publication": publication, "scopes": scopes})
    return (await client.contributors.create_key(wanted)).key


@pytest.fixture
async def novice(client: AsyncClient) -> AsyncClient:
    """Somebody whose key publishes after approval."""
    return client.acting_as(await _key(client, "novice", "after approval"))


async def _sees(person: AsyncClient, trace_id: str) -> bool:
    try:
        await person.traces.get(trace_id)
    except NotFoundError:
        return False
    return True


@pytest.mark.both_databases
async def test_what_waits_is_seen_by_its_author_and_admins_and_found_by_its_author_alone(
    client: AsyncClient, novice: AsyncClient, people: People
) -> None:
    result = await novice.traces.contribute(contribution(visibility="team"))
    assert (result.stored, result.state, result.visibility) == (True, "pending", "private")
    assert "until an admin approves, team waits" in result.notes[0]
    assert result.trace_id
    mate, stranger = await people("mate"), await people("eve", "elsewhere", ("read", "admin"))
    seen = [await _sees(one, result.trace_id) for one in (novice, client, mate, stranger)]
    assert seen == [True, True, False, False]
    assert [await found(one, LOCKED) for one in (novice, client, mate, stranger)] == [
        [contribution().title],
        [],
        [],
        [],
    ]
    assert (await client.traces.get(result.trace_id)).state == "pending"
    assert not (await mate.traces.query(Query(ids=[result.trace_id]))).hits
    assert [tag.tag for tag in await mate.tags.list()] == []


@pytest.mark.both_databases
async def test_an_approved_trace_reaches_the_audience_it_waited_for(
    novice: AsyncClient, people: People, database: Database, admin: Caller
) -> None:
    known = await contributed(novice)
    asked = await novice.traces.publish(known, "public")
    assert (asked.published, asked.pending) == (False, True)
    stranger = await people("eve", "elsewhere")
    assert not await _sees(stranger, known)
    async with database.writing(admin.tenant_id) as session:
        await approve_publication(session, admin, known)
    shown = await stranger.traces.get(known)
    assert (shown.state, shown.visibility) == ("active", "public")
    async with database.writing(admin.tenant_id) as session:
        with pytest.raises(ConflictError, match="waits for nothing"):
            await approve_publication(session, admin, known)


async def test_a_rejected_trace_stays_with_the_audience_it_had(
    novice: AsyncClient, people: People, database: Database, admin: Caller
) -> None:
    result = await novice.traces.contribute(contribution(visibility="team"))
    assert result.trace_id
    async with database.writing(admin.tenant_id) as session:
        await reject_publication(session, admin, result.trace_id)
    assert not await _sees(await people("mate"), result.trace_id)
    mine = await novice.traces.get(result.trace_id)
    assert (mine.state, mine.visibility) == ("active", "private")


async def test_a_team_keeps_what_it_has_while_the_public_waits(
    client: AsyncClient, novice: AsyncClient, people: People, database: Database, admin: Caller
) -> None:
    result = await novice.traces.contribute(contribution(visibility="team"))
    assert result.trace_id
    async with database.writing(admin.tenant_id) as session:
        await approve_publication(session, admin, result.trace_id)
    mate = await people("mate")
    await novice.traces.publish(result.trace_id, "public")
    assert (await client.traces.get(result.trace_id)).state == "pending"
    assert await found(mate, LOCKED) == [contribution().title]


async def test_only_an_admin_of_the_organization_whose_key_publishes_directly_decides(
    client: AsyncClient, novice: AsyncClient, people: People, database: Database, keyring: Keyring
) -> None:
    result = await novice.traces.contribute(contribution(visibility="team"))
    assert result.trace_id
    keys = [await _key(client, "novice", "after approval", SCOPES), await _key(client, "novice", "direct")]
    for key in keys:
        caller = await keyring.caller(database, key)
        async with database.writing(caller.tenant_id) as session:
            with pytest.raises(ForbiddenError, match="Only an admin of its organization"):
                await approve_publication(session, caller, result.trace_id)
    stranger = await keyring.caller(database, await people.key("eve", "elsewhere", ("read", "admin")))
    async with database.writing(stranger.tenant_id) as session:
        with pytest.raises(NotFoundError):
            await reject_publication(session, stranger, result.trace_id)


async def test_drafts_are_kept_private_and_said_to_be(client: AsyncClient) -> None:
    drafter = client.acting_as(await _key(client, "drafter", "drafts only"))
    result = await drafter.traces.contribute(contribution(visibility="team"))
    assert (result.state, result.visibility) == ("active", "private")
    assert result.notes == ["This key keeps drafts only: it was stored as private."]
    assert result.trace_id
    with pytest.raises(ForbiddenError, match="drafts only"):
        await drafter.traces.publish(result.trace_id)
    private = await drafter.traces.contribute(contribution(1))
    assert private.notes == []


async def test_a_new_version_of_what_others_see_is_no_way_around_the_approval(
    client: AsyncClient, people: People
) -> None:
    open_handed = client.acting_as(await _key(client, "novice", "direct"))
    known = await contributed(open_handed, visibility="team")
    novice = client.acting_as(await _key(client, "novice", "after approval"))
    proposed = await novice.traces.amend(known, AmendmentProposal(title="Quietly something else", reason="r"))
    assert proposed.status == "open"
    with pytest.raises(ForbiddenError, match="does not publish by itself"):
        await novice.traces.decide(proposed.amendment_id, accept=True)
    assert (await (await people("mate")).traces.get(known)).content.title == contribution().title
    assert (await client.traces.decide(proposed.amendment_id, accept=True)).status == "accepted"


async def test_its_author_publishes_a_pending_trace_with_a_key_that_may(
    client: AsyncClient, novice: AsyncClient
) -> None:
    result = await novice.traces.contribute(contribution(visibility="team"))
    assert result.trace_id
    direct = client.acting_as(await _key(client, "novice", "direct"))
    assert (await direct.traces.publish(result.trace_id, "team")).published
    assert (await client.traces.get(result.trace_id)).state == "active"


async def test_what_is_withdrawn_waits_for_nothing(novice: AsyncClient) -> None:
    known = await contributed(novice)
    await novice.traces.withdraw(known, "wrong")
    with pytest.raises(ConflictError, match="is withdrawn"):
        await novice.traces.publish(known)
