"""Tokens that stand for a key for a while: what they allow, when they end, and what is not taken for one."""

import base64
import sqlite3
from collections.abc import Callable
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import jwt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from commontrace import AsyncClient, connect_async
from commontrace.errors import AuthenticationError, ForbiddenError, InvalidInputError
from commontrace.models.contributors import NewApiKey, NewToken, Scope
from commontrace.models.search import Query
from commontrace_backend.contributors.signing import Signer
from doors import People
from factories import contributed
from identities import by_hand

SEED = "0" * 43
CLAIMS = {"key": "0123abcd", "scope": "read vote", "jti": "1", "sub": "ann"}
ALL: tuple[Scope, ...] = ("read", "contribute", "vote", "admin")


def lasting(**seconds: float) -> dict[str, Any]:
    now = datetime.now(UTC)
    return {**CLAIMS, "iat": now - timedelta(hours=1), "exp": now + timedelta(**seconds)}


async def test_a_token_acts_as_its_key_does_without_the_right_to_administer(people: People) -> None:
    ann = await people("ann", scopes=ALL)
    given = await ann.contributors.create_token()
    assert given.scopes == ["contribute", "read", "vote"]
    assert timedelta(minutes=14) < given.expires_at - datetime.now(UTC) <= timedelta(minutes=15)
    holder = people.keyed.acting_as(given.token)
    me = await holder.contributors.me()
    assert (me.name, me.scopes) == ("ann", given.scopes)
    assert (await ann.traces.get(await contributed(holder))).contributor.name == "ann"
    with pytest.raises(ForbiddenError, match="may not admin"):
        await holder.contributors.keys()


async def test_a_token_has_the_scopes_that_were_chosen_and_no_others(people: People) -> None:
    ann = await people("ann", scopes=ALL)
    reading = people.keyed.acting_as((await ann.contributors.create_token(NewToken(scopes=["read"]))).token)
    await reading.traces.query(Query(query="anything"))
    with pytest.raises(ForbiddenError, match="may not contribute"):
        await contributed(reading)
    ruling = people.keyed.acting_as((await ann.contributors.create_token(NewToken(scopes=["admin"]))).token)
    assert len(await ruling.contributors.keys()) == 1


async def test_a_token_never_has_more_scopes_than_its_key(people: People) -> None:
    reader, boss = await people("ann", scopes=("read",)), await people("boss", scopes=("admin",))
    with pytest.raises(ForbiddenError, match=r"may not admin, vote.*it has: read"):
        await reader.contributors.create_token(NewToken(scopes=["read", "vote", "admin"]))
    with pytest.raises(ForbiddenError, match="do anything but administer"):
        await boss.contributors.create_token()


async def test_a_token_does_not_outlive_its_key(client: AsyncClient, people: People, store: Path) -> None:
    created = await client.contributors.create_key(NewApiKey(contributor="ann", expires_in_days=1))
    ends = datetime.now(UTC) + timedelta(minutes=5)
    with closing(sqlite3.connect(store)) as connection, connection:
        connection.execute("UPDATE api_keys SET expires_at = ?", [ends.strftime("%Y-%m-%d %H:%M:%S.%f")])
    given = await people.keyed.acting_as(created.key).contributors.create_token(NewToken(minutes=60))
    assert given.expires_at <= ends


async def test_a_token_is_no_key_to_another_token(client: AsyncClient, people: People) -> None:
    ann = await people("ann")
    holder = people.keyed.acting_as((await ann.contributors.create_token()).token)
    for nobody in (holder, client):
        with pytest.raises(AuthenticationError, match="given for a key, and for nothing else"):
            await nobody.contributors.create_token()


@pytest.mark.both_databases
async def test_a_token_ends_at_once_with_its_key(client: AsyncClient, people: People) -> None:
    ann = await people("ann")
    given = await ann.contributors.create_token(NewToken(minutes=24 * 60))
    holder = people.keyed.acting_as(given.token)
    await holder.contributors.me()
    await client.contributors.revoke_key(given.key_id)
    with pytest.raises(AuthenticationError, match="was revoked"):
        await holder.contributors.me()


async def test_a_token_loses_what_its_key_loses(people: People, store: Path) -> None:
    ann = await people("ann")
    holder = people.keyed.acting_as((await ann.contributors.create_token()).token)
    with closing(sqlite3.connect(store)) as connection, connection:
        connection.execute("""UPDATE api_keys SET scopes = '["read"]'""")
    assert (await holder.contributors.me()).scopes == ["read"]
    with closing(sqlite3.connect(store)) as connection, connection:
        connection.execute("UPDATE api_keys SET expires_at = '2020-01-01 00:00:00.000000'")
    with pytest.raises(AuthenticationError, match="has expired"):
        await holder.contributors.me()


async def test_who_holds_a_leaked_token_ends_its_key(people: People) -> None:
    ann = await people("ann")
    given = await ann.contributors.create_token(NewToken(scopes=["read"]))
    assert await people.keyed.acting_as(given.token).contributors.report_leaked() == [given.key_id]
    with pytest.raises(AuthenticationError):
        await ann.contributors.me()


async def test_a_change_of_the_pepper_ends_every_token(
    people: People, url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    given = await (await people("ann")).contributors.create_token()
    monkeypatch.setenv("COMMONTRACE_PEPPER", "another one")
    async with connect_async(url, api_key=given.token) as holder:
        with pytest.raises(AuthenticationError, match="does not accept that token"):
            await holder.contributors.me()


@pytest.mark.parametrize("wanted", [{"minutes": 0}, {"minutes": 24 * 60 + 1}, {"scopes": []}, {"scopes": ["all"]}])
def test_a_token_lasts_a_day_at_most_and_for_something(wanted: dict[str, Any]) -> None:
    with pytest.raises(InvalidInputError):
        NewToken.of(**wanted)


def _claims(ours: Signer) -> dict[str, Any]:
    claims: dict[str, Any] = jwt.decode(ours.sign(lasting(hours=1)), options={"verify_signature": False})
    return claims


FORGERIES: dict[str, Callable[[Signer], str]] = {
    "no algorithm": lambda ours: by_hand({"alg": "none"}, _claims(ours), None),
    "our key with another algorithm": lambda ours: by_hand({"alg": "HS512"}, _claims(ours), ours._secret),
    "another audience": lambda ours: ours.sign(lasting(hours=1) | {"aud": "elsewhere"}),
    "no audience": lambda ours: ours.sign(lasting(hours=1) | {"aud": []}),
    "another issuer": lambda ours: ours.sign(lasting(hours=1) | {"iss": "https://evil.example"}),
    "no expiry": lambda ours: ours.sign({**CLAIMS, "iat": 1}),
    "no key": lambda ours: ours.sign({name: lasting(hours=1)[name] for name in ("iat", "exp", "jti", "scope")}),
    "another store's": lambda _: Signer("1" * 43, "pepper").sign(lasting(hours=1)),
    "another pepper": lambda _: Signer(SEED, "").sign(lasting(hours=1)),
    "a secret that one can guess": lambda _: jwt.encode(
        lasting(hours=1) | {"iss": "commontrace", "aud": "commontrace"}, "0" * 32, "HS256"
    ),
    "nothing": lambda _: "..",
    "a deep header": lambda _: base64.urlsafe_b64encode(b"[" * 3000).decode() + ".e30.",
}


@pytest.mark.parametrize("case", FORGERIES)
def test_a_forged_token_is_refused(case: str) -> None:
    ours = Signer(SEED, "pepper")
    with pytest.raises(AuthenticationError, match="does not accept that token"):
        ours.read(FORGERIES[case](ours))


@given(position=st.integers(0, 10_000), char=st.sampled_from("aZ3-_."))
def test_a_token_with_one_other_character_is_refused(position: int, char: str) -> None:
    ours = Signer(SEED, "pepper")
    good = ours.sign(lasting(hours=1))
    place = position % (len(good) - 1)  # the last character holds bits that nothing is encoded in
    changed = good[:place] + char + good[place + 1 :]
    if changed != good:
        with pytest.raises(AuthenticationError):
            ours.read(changed)


async def test_what_only_looks_like_a_token_opens_nothing(client: AsyncClient) -> None:
    for text in ("..", "a.b.c", "e30.e30.e30", "x" * 9000 + ".."):
        with pytest.raises(AuthenticationError):
            await client.acting_as(text).contributors.me()
