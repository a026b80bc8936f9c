"""How keys come to their end: rotation, revocation of many at once, and a report that one has leaked."""

from datetime import UTC, datetime, timedelta

import pytest

from commontrace import AsyncClient, Client, connect_async
from commontrace.errors import AuthenticationError, ConflictError, ForbiddenError, NotFoundError
from commontrace.models.contributors import CreatedApiKey, NewApiKey, Revocation, Scope
from doors import People

EVERYTHING: tuple[Scope, ...] = ("read", "contribute", "vote", "admin")


async def _good(client: AsyncClient, key: str) -> bool:
    try:
        await client.acting_as(key).contributors.me()
    except AuthenticationError:
        return False
    return True


async def _created(client: AsyncClient, name: str, **wanted: object) -> CreatedApiKey:
    fields = {"contributor": name, "scopes": list(EVERYTHING), **wanted}
    return await client.contributors.create_key(NewApiKey.model_validate(fields))


@pytest.mark.both_databases
async def test_a_rotated_key_and_its_successor_are_both_good_for_the_overlap(client: AsyncClient) -> None:
    old = await _created(client, "ann", scopes=["read", "vote"], publication="after approval", expires_in_days=30)
    new = await client.contributors.rotate_key(old.key_id, overlap_hours=2)
    assert new.key != old.key
    assert new.replaces == old.key_id
    assert (new.contributor, new.scopes, new.publication) == (old.contributor, old.scopes, old.publication)
    assert new.expires_at is not None
    assert abs(new.expires_at - datetime.now(UTC) - timedelta(days=30)) < timedelta(minutes=1)
    assert await _good(client, old.key)
    assert await _good(client, new.key)
    ends = {key.key_id: key.expires_at for key in await client.contributors.keys()}[old.key_id]
    assert ends is not None
    assert abs(ends - datetime.now(UTC) - timedelta(hours=2)) < timedelta(minutes=1)


async def test_without_an_overlap_the_old_key_ends_at_once(client: AsyncClient) -> None:
    old = await _created(client, "ann")
    new = await client.contributors.rotate_key(old.key_id, overlap_hours=0)
    assert not await _good(client, old.key)
    assert await _good(client, new.key)
    assert new.expires_at is None
    with pytest.raises(ConflictError, match="has expired"):
        await client.contributors.rotate_key(old.key_id)


async def test_a_key_that_ends_sooner_is_not_made_to_last_by_an_overlap(client: AsyncClient) -> None:
    old = await _created(client, "ann", expires_in_days=1)
    await client.contributors.rotate_key(old.key_id, overlap_hours=24 * 30)
    ends = {key.key_id: key.expires_at for key in await client.contributors.keys()}
    assert ends[old.key_id] == old.expires_at


async def test_only_a_good_key_of_ones_own_organization_can_be_rotated(client: AsyncClient, people: People) -> None:
    eve = await people("eve", "elsewhere", EVERYTHING)
    mine = await _created(client, "ann")
    with pytest.raises(NotFoundError, match=f"No active key {mine.key_id}"):
        await eve.contributors.rotate_key(mine.key_id)
    with pytest.raises(NotFoundError, match="No active key 00000000"):
        await client.contributors.rotate_key("00000000")
    await client.contributors.revoke_key(mine.key_id)
    with pytest.raises(NotFoundError):
        await client.contributors.rotate_key(mine.key_id)


@pytest.mark.both_databases
async def test_a_revoked_key_ends_at_once_in_every_server_on_the_store(client: AsyncClient, url: str) -> None:
    created = await _created(client, "ann")
    async with connect_async(url, api_key=created.key) as one, connect_async(url, api_key=created.key) as other:
        await one.contributors.me()
        await other.contributors.me()
        await one.contributors.revoke_key(created.key_id)
        for server in (one, other):
            with pytest.raises(AuthenticationError, match="was revoked"):
                await server.contributors.me()


async def test_all_keys_of_a_contributor_are_revoked_together(client: AsyncClient) -> None:
    ann, again, ben = [await _created(client, name) for name in ("ann", "ann", "ben")]
    revoked = await client.contributors.revoke_keys(Revocation(contributor="ann"))
    assert revoked == sorted([ann.key_id, again.key_id])
    assert [await _good(client, one.key) for one in (ann, again, ben)] == [False, False, True]
    by_id = Revocation(contributor=ben.contributor.contributor_id)
    assert await client.contributors.revoke_keys(by_id) == [ben.key_id]
    assert await client.contributors.revoke_keys(by_id) == []


async def test_the_owner_says_which_of_two_of_one_name_is_meant(client: AsyncClient) -> None:
    here, there = await _created(client, "ann"), await _created(client, "ann", organization="elsewhere")
    meant = there.contributor.contributor_id
    with pytest.raises(ConflictError, match=rf"Several people are called ann.*by id: .* or {meant} \(elsewhere\)"):
        await client.contributors.revoke_keys(Revocation(contributor="ann"))
    assert await client.contributors.revoke_keys(Revocation(lineage=meant)) == [there.key_id]
    assert await _good(client, here.key)


async def test_all_keys_of_an_organization_are_revoked_together(client: AsyncClient) -> None:
    here, there = await _created(client, "ann"), await _created(client, "eve", organization="elsewhere")
    assert await client.contributors.revoke_keys(Revocation(organization="elsewhere")) == [there.key_id]
    assert await _good(client, here.key)
    assert not await _good(client, there.key)


@pytest.mark.both_databases
async def test_a_bad_branch_of_invitations_is_cut_at_once_and_nothing_beside_it(client: AsyncClient) -> None:
    ann = await _created(client, "ann")
    ben = await _created(client.acting_as(ann.key), "ben")
    cat = await _created(client.acting_as(ben.key), "cat")
    dan = await _created(client, "dan")
    revoked = await client.contributors.revoke_keys(Revocation(lineage="ben"))
    assert revoked == sorted([ben.key_id, cat.key_id])
    assert [await _good(client, one.key) for one in (ann, ben, cat, dan)] == [True, False, False, True]


async def test_an_admin_revokes_within_their_organization_only(client: AsyncClient, people: People) -> None:
    eve = await people("eve", "elsewhere", EVERYTHING)
    ann = await _created(client, "ann")
    for wanted in (
        Revocation(contributor=ann.contributor.contributor_id),
        Revocation(lineage="owner"),
        Revocation(organization="home"),
        Revocation(organization="nowhere"),
    ):
        with pytest.raises(NotFoundError):
            await eve.contributors.revoke_keys(wanted)
    assert await _good(client, ann.key)


@pytest.mark.parametrize("wanted", [{}, {"contributor": "a", "lineage": "b"}])
def test_whose_keys_are_revoked_is_said_once(wanted: dict[str, str]) -> None:
    with pytest.raises(ValueError, match="exactly one of"):
        Revocation.model_validate(wanted)


async def test_who_holds_a_leaked_key_ends_it_whatever_it_allows(client: AsyncClient, people: People) -> None:
    key = await people.key("ann", scopes=("vote",))
    other = await people.key("ann")
    finder = client.acting_as(key)
    with pytest.raises(ForbiddenError):
        await finder.contributors.keys()
    assert await finder.contributors.report_leaked() == [key.split("_")[2]]
    assert not await _good(client, key)
    assert await _good(client, other)
    with pytest.raises(AuthenticationError, match="was revoked"):
        await finder.contributors.report_leaked()


async def test_without_a_key_nothing_is_reported(client: AsyncClient) -> None:
    with pytest.raises(AuthenticationError, match="came without a key"):
        await client.contributors.report_leaked()


def test_the_blocking_client_does_the_same(blocking: Client) -> None:
    created = blocking.contributors.create_key(NewApiKey(contributor="ann"))
    rotated = blocking.contributors.rotate_key(created.key_id)
    assert blocking.acting_as(created.key).contributors.report_leaked() == [created.key_id]
    assert blocking.contributors.revoke_keys(Revocation(contributor="ann")) == [rotated.key_id]
