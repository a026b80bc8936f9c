"""API keys: their form, their life, and whose they are."""

import re
import sqlite3
from contextlib import closing
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from commontrace import AsyncClient, connect_async
from commontrace.errors import AuthenticationError, ForbiddenError, InvalidInputError, NotFoundError
from commontrace.models.contributors import NewApiKey
from commontrace_backend.contributors.keys import digest, new_key, parse_key
from doors import People
from factories import contributed

# A key with all its parts fixed: scanners and servers of every version must go on to agree on the checksum.
GOLDEN = "ct_live_0123abcd_" + "A" * 43 + "_3Ciw84"


def test_a_key_has_the_form_that_secret_scanners_look_for() -> None:
    key = new_key("live")
    assert re.fullmatch(r"ct_live_[0-9a-f]{8}_[0-9A-Za-z]{43}_[0-9A-Za-z]{6}", key.text)
    assert parse_key(key.text) == key
    assert new_key("live").text != key.text


def test_the_checksum_never_changes() -> None:
    assert parse_key(GOLDEN).key_id == "0123abcd"


@given(st.integers(0, len(GOLDEN) - 1), st.sampled_from("0aZ_-"))
def test_a_slip_of_the_pen_is_seen_without_asking_the_store(position: int, char: str) -> None:
    slip = GOLDEN[:position] + char + GOLDEN[position + 1 :]
    if slip != GOLDEN:
        with pytest.raises(AuthenticationError, match=r"not a CommonTrace key.*Copy it whole"):
            parse_key(slip)


@pytest.mark.parametrize("text", ["", "ct_", "sk-ant-1234", GOLDEN[:-1], GOLDEN + "a", GOLDEN + "\n", " " + GOLDEN])
def test_what_is_no_key_is_refused(text: str) -> None:
    with pytest.raises(AuthenticationError):
        parse_key(text)


def test_a_digest_needs_the_pepper_as_well() -> None:
    assert digest(GOLDEN, "one") != digest(GOLDEN, "other")
    assert len(digest(GOLDEN, "")) == 64


async def test_a_new_key_is_shown_once_and_acts_as_its_contributor(client: AsyncClient, url: str, store: Path) -> None:
    created = await client.contributors.create_key(NewApiKey(contributor="ann"))
    assert created.key.startswith(f"ct_live_{created.key_id}_")
    async with connect_async(url, api_key=created.key) as ann:
        me = await ann.contributors.me()
    assert (me.name, me.organization_name, me.scopes) == ("ann", "home", ["contribute", "read", "vote"])
    (listed,) = await client.contributors.keys()
    assert listed.model_dump() == created.model_dump(exclude={"key"}) | {"last_used_at": listed.last_used_at}
    secret = created.key.split("_")[3]
    for path in store.parent.glob("store.db*"):
        assert secret.encode() not in path.read_bytes()


async def test_a_second_key_for_the_same_name_acts_as_the_same_contributor(people: People) -> None:
    one, two = await people("ann"), await people("ann")
    assert await one.contributors.me() == await two.contributors.me()


async def test_the_same_name_elsewhere_is_somebody_else(people: People) -> None:
    here, there = await (await people("ann")).contributors.me(), await (await people("ann", "acme")).contributors.me()
    assert here.contributor_id != there.contributor_id
    assert there.organization_name == "acme"


async def test_when_a_key_was_last_used_is_known(client: AsyncClient, people: People) -> None:
    ann = await people("ann")
    assert (await client.contributors.keys())[0].last_used_at is None
    before = datetime.now(UTC)
    await ann.contributors.me()
    (key,) = await client.contributors.keys()
    assert key.last_used_at is not None
    assert key.last_used_at >= before
    await ann.contributors.me()
    assert (await client.contributors.keys())[0].last_used_at == key.last_used_at  # noted every ten minutes only


async def test_a_revoked_key_stops_at_once(client: AsyncClient, people: People) -> None:
    ann = await people("ann")
    await ann.contributors.me()
    (key,) = await client.contributors.keys()
    await client.contributors.revoke_key(key.key_id)
    with pytest.raises(AuthenticationError, match="was revoked"):
        await ann.contributors.me()
    assert (await client.contributors.keys())[0].revoked_at is not None
    with pytest.raises(NotFoundError, match=f"No active key {key.key_id}"):
        await client.contributors.revoke_key(key.key_id)


async def test_an_expired_key_is_refused(client: AsyncClient, url: str, store: Path) -> None:
    created = await client.contributors.create_key(NewApiKey(contributor="ann", expires_in_days=30))
    assert created.expires_at is not None
    assert timedelta(days=29) < created.expires_at - datetime.now(UTC) <= timedelta(days=30)
    with closing(sqlite3.connect(store)) as connection, connection:
        connection.execute("UPDATE api_keys SET expires_at = '2020-01-01 00:00:00.000000'")
    async with connect_async(url, api_key=created.key) as ann:
        with pytest.raises(AuthenticationError, match="has expired"):
            await ann.contributors.me()


async def test_a_key_of_another_store_is_unknown(url: str) -> None:
    async with connect_async(url, api_key=GOLDEN) as stranger:
        with pytest.raises(AuthenticationError, match="does not know that API key"):
            await stranger.contributors.me()


@pytest.mark.parametrize("key", ["nonsense", "ct_live_0123abcd_short_abcdef"])
async def test_a_text_that_is_no_key_is_refused_even_where_the_owner_needs_none(client: AsyncClient, key: str) -> None:
    with pytest.raises(AuthenticationError, match="not a CommonTrace key"):
        await client.acting_as(key).contributors.me()


async def test_an_owners_connection_acts_for_somebody_else_with_their_key(client: AsyncClient, people: People) -> None:
    known = await contributed(client)
    ann = client.acting_as(await people.key("ann"))
    assert (await ann.contributors.me()).name == "ann"
    with pytest.raises(NotFoundError):
        await ann.traces.get(known)
    assert (await client.contributors.me()).name == "owner"


async def test_an_empty_key_is_nobodys(url: str) -> None:
    async with connect_async(url, api_key="") as nobody:
        with pytest.raises(AuthenticationError, match="needs an API key"):
            await nobody.contributors.me()


@pytest.mark.parametrize("text", ["ключ", "two\nlines", "nul\x00"])
async def test_what_no_header_can_carry_is_refused_before_it_is_sent(url: str, text: str) -> None:
    for opening in (partial(connect_async, url, api_key=text), partial(connect_async, url, working_copy=text)):
        with pytest.raises(InvalidInputError, match="holds characters that none has"):
            opening()


async def test_a_working_copy_with_spaces_is_refused_by_the_server(url: str) -> None:
    async with connect_async(url, working_copy="two words") as client:
        with pytest.raises(InvalidInputError, match="CommonTrace-Working-Copy header is malformed"):
            await client.contributors.me()


async def test_an_admin_rules_over_the_keys_of_one_organization(client: AsyncClient, people: People) -> None:
    everything = ("read", "contribute", "vote", "admin")
    boss = await people("boss", "acme", everything)  # type: ignore[arg-type]  # a tuple of scopes
    await people("ann")
    hired = await boss.contributors.create_key(NewApiKey(contributor="bo"))
    named = await boss.contributors.create_key(NewApiKey(contributor="cy", organization="acme"))
    assert (hired.organization_name, named.organization_name) == ("acme", "acme")
    with pytest.raises(ForbiddenError, match="Only the owner of the store"):
        await boss.contributors.create_key(NewApiKey(contributor="spy", organization="home"))
    assert {key.contributor.name for key in await boss.contributors.keys()} == {"boss", "bo", "cy"}
    everybody = {key.contributor.name: key.key_id for key in await client.contributors.keys()}
    assert everybody.keys() == {"boss", "bo", "cy", "ann"}
    with pytest.raises(NotFoundError):
        await boss.contributors.revoke_key(everybody["ann"])
    await boss.contributors.revoke_key(everybody["bo"])
    await client.contributors.revoke_key(everybody["cy"])


async def test_an_admin_with_a_key_has_no_more_rights_on_the_owners_connection(
    client: AsyncClient, people: People
) -> None:
    key = await people.key("boss", "acme", ("read", "admin"))
    boss = client.acting_as(key)
    await people("ann")
    assert {listed.contributor.name for listed in await boss.contributors.keys()} == {"boss"}
    with pytest.raises(ForbiddenError):
        await boss.contributors.create_key(NewApiKey(contributor="spy", organization="home"))


@pytest.mark.parametrize("wanted", [{"contributor": ""}, {"contributor": "x", "scopes": []}, {"contributor": "a\nb"}])
def test_a_key_needs_a_name_and_a_scope(wanted: dict[str, object]) -> None:
    with pytest.raises(ValueError, match=r"contributor|scopes"):
        NewApiKey.model_validate(wanted)
