"""Tokens of an identity provider: whose they are, what they allow, and what is never fetched or believed."""

import asyncio
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx2
import jwt
import pytest
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from commontrace import AsyncClient, connect_async
from commontrace._transport import LOCAL_BASE, async_transport
from commontrace.errors import (
    AuthenticationError,
    CommonTraceError,
    ConflictError,
    ForbiddenError,
    InvalidInputError,
    NotFoundError,
    UnavailableError,
)
from commontrace.models.contributors import ApiKey, NewIdentity, NewToken, Revocation, Scope
from commontrace_backend.app import create_app
from commontrace_backend.contributors.provider import Provider
from commontrace_backend.settings import BackendSettings
from doors import People
from factories import contributed
from identities import AUDIENCE, IdentityProvider, by_hand, identity_provider, public_key, signing_key

ALL: tuple[Scope, ...] = ("read", "contribute", "vote", "admin")


@pytest.fixture
def provider(monkeypatch: pytest.MonkeyPatch) -> Iterator[IdentityProvider]:
    """A provider that runs and that the backend is told of."""
    with identity_provider() as running:
        monkeypatch.setenv("COMMONTRACE_OIDC_ISSUER", running.url)
        monkeypatch.setenv("COMMONTRACE_OIDC_AUDIENCE", f"other {AUDIENCE}")
        yield running


async def link(client: AsyncClient, provider: IdentityProvider, **fields: Any) -> ApiKey:
    wanted = {"issuer": provider.url, "subject": "ann-1", "contributor": "ann", **fields}
    return await client.contributors.create_identity(NewIdentity.of(**wanted))


async def refusal(people: People, token: str) -> CommonTraceError:
    with pytest.raises(CommonTraceError) as caught:
        await people.keyed.acting_as(token).contributors.me()
    return caught.value


@pytest.mark.both_databases
async def test_whom_an_admin_linked_acts_as_that_contributor_until_it_is_taken_back(
    provider: IdentityProvider, client: AsyncClient, people: People
) -> None:
    linked = await link(client, provider, scopes=["read", "contribute"])
    ann = people.keyed.acting_as(provider.token())
    me = await ann.contributors.me()
    assert (me.name, me.organization_name, me.scopes) == ("ann", "home", ["contribute", "read"])
    assert (await client.traces.get(await contributed(ann, visibility="team"))).contributor.name == "ann"
    (listed,) = await client.contributors.keys()
    assert (listed.key_id, listed.issuer, listed.subject) == (linked.key_id, provider.url, "ann-1")
    assert listed.last_used_at is not None
    await client.contributors.revoke_key(linked.key_id)
    assert isinstance(await refusal(people, provider.token()), AuthenticationError)
    assert (await link(client, provider, contributor="bo")).contributor.name == "bo"
    assert (await ann.contributors.me()).name == "bo"


async def test_who_is_linked_to_nobody_is_nobody(
    provider: IdentityProvider, client: AsyncClient, people: People
) -> None:
    await link(client, provider)
    for subject in ("eve", "ANN-1", "ann-1 ", ""):
        error = await refusal(people, provider.token(sub=subject))
        assert isinstance(error, AuthenticationError)
        assert "keys link" in error.hint


@pytest.mark.parametrize(
    ("claims", "scopes"),
    [
        ({"scope": "openid profile"}, ["contribute", "read"]),
        ({"scope": "openid commontrace:read"}, ["read"]),
        ({"scp": ["commontrace:read", "commontrace:admin"]}, ["read"]),
        ({"scp": "commontrace:vote"}, []),
        ({"scope": "commontrace:"}, []),
    ],
)
async def test_a_token_has_what_both_its_link_and_its_own_scopes_allow(
    provider: IdentityProvider, client: AsyncClient, people: People, claims: dict[str, Any], scopes: list[str]
) -> None:
    await link(client, provider, scopes=["read", "contribute"])
    assert (await people.keyed.acting_as(provider.token(**claims)).contributors.me()).scopes == scopes


@pytest.mark.parametrize("algorithm", ["RS256", "ES256", "EdDSA"])
async def test_keys_of_three_kinds_are_taken(
    provider: IdentityProvider, client: AsyncClient, people: People, algorithm: str
) -> None:
    provider.keys = [public_key(each) for each in ("RS256", "ES256", "EdDSA")]
    await link(client, provider)
    assert (await people.keyed.acting_as(provider.token(algorithm)).contributors.me()).name == "ann"


def _hours(count: float) -> datetime:
    return datetime.now(UTC) + timedelta(hours=count)


def _claims(provider: IdentityProvider) -> dict[str, Any]:
    return {"iss": provider.url, "aud": AUDIENCE, "sub": "ann-1", "exp": _hours(1)}


def _signed_by_the_public_key(provider: IdentityProvider) -> str:
    """The classic confusion: what everybody knows, taken for a shared secret."""
    known = signing_key("ES256", "first").public_key()
    shared = known.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return by_hand({"alg": "HS256", "kid": "first-ES256"}, _claims(provider), shared)


def _by_a_key_of_its_own(provider: IdentityProvider, **header: Any) -> str:
    return jwt.encode(
        _claims(provider), signing_key("ES256", "mallory"), "ES256", headers={"kid": "first-ES256", **header}
    )


FORGERIES: dict[str, Callable[[IdentityProvider], str]] = {
    "expired": lambda provider: provider.token(exp=_hours(-0.1)),
    "not yet good": lambda provider: provider.token(nbf=_hours(0.1)),
    "issued in the future": lambda provider: provider.token(iat=_hours(0.1)),
    "never expires": lambda provider: provider.token(exp=None),
    "for another audience": lambda provider: provider.token(aud="https://elsewhere.example"),
    "for nobody": lambda provider: provider.token(aud=None),
    "of another issuer": lambda provider: provider.token(iss="https://evil.example"),
    "of nobody": lambda provider: provider.token(iss=None),
    "about nobody": lambda provider: provider.token(sub=None),
    "about a number": lambda provider: provider.token(sub=1),
    "of another kind": lambda provider: provider.token(header={"typ": "dpop+jwt"}),
    "unknown key": lambda provider: provider.token(header={"kid": "second"}),
    "no key named": lambda provider: provider.token(header={"kid": None}),
    "key of another kind": lambda provider: provider.token("EdDSA", header={"kid": "first-ES256"}),
    "critical extension": lambda provider: provider.token(header={"crit": ["exp"]}),
    "signed by the public key": _signed_by_the_public_key,
    "signed by somebody else": _by_a_key_of_its_own,
    "brings its key": lambda provider: _by_a_key_of_its_own(provider, jwk=public_key("ES256", "mallory")),
    "names where its key is": lambda provider: _by_a_key_of_its_own(provider, jku=f"{provider.url}/evil"),
    "names its certificate": lambda provider: _by_a_key_of_its_own(provider, x5u=f"{provider.url}/evil"),
    "no signature": lambda provider: provider.token().rpartition(".")[0] + ".",
    "no algorithm": lambda provider: by_hand({"alg": "none", "kid": "first-ES256"}, _claims(provider), None),
}


async def test_a_forged_token_is_refused_and_nothing_that_it_points_to_is_fetched(
    provider: IdentityProvider, client: AsyncClient, people: People
) -> None:
    await link(client, provider)
    provider.keys = [public_key("ES256"), {"kty": "oct", "kid": "shared", "k": "AAAA"}]
    for case, forge in FORGERIES.items():
        error = await refusal(people, forge(provider))
        assert (case, error.code) == (case, "unauthenticated")
    assert (await people.keyed.acting_as(provider.token()).contributors.me()).name == "ann"
    assert provider.asked == ["/.well-known/openid-configuration", "/keys"]


async def test_an_admin_of_a_guest_organization_cannot_claim_a_subject(
    provider: IdentityProvider, client: AsyncClient, people: People
) -> None:
    guest, boss = await people("eve", "elsewhere", ALL), await people("boss", None, ALL)
    with pytest.raises(ForbiddenError, match="Only the server's operator"):
        await link(guest, provider, contributor="eve")
    linked = await link(boss, provider)
    with pytest.raises(ConflictError, match=rf"acts as ann of home.*revoke {linked.key_id}"):
        await link(client, provider, contributor="bo")
    with pytest.raises(ForbiddenError, match="Only the owner of the store"):
        await link(boss, provider, subject="bo-1", organization="elsewhere")
    assert (await link(client, provider, subject="bo-1", organization="elsewhere")).organization_name == "elsewhere"
    with pytest.raises(NotFoundError):
        await guest.contributors.revoke_key(linked.key_id)


async def test_an_identity_is_no_key_and_cannot_be_made_into_one(
    provider: IdentityProvider, client: AsyncClient, people: People
) -> None:
    linked = await link(client, provider)
    with pytest.raises(NotFoundError):
        await client.contributors.rotate_key(linked.key_id)
    with pytest.raises(AuthenticationError, match="given for a key"):
        await people.keyed.acting_as(provider.token()).contributors.create_token(NewToken())


async def test_an_identity_ends_with_all_else_of_its_contributor(
    provider: IdentityProvider, client: AsyncClient, people: People
) -> None:
    linked, key = await link(client, provider), await people.key("ann")
    revoked = await client.contributors.revoke_keys(Revocation(contributor="ann"))
    assert set(revoked) == {linked.key_id, key.split("_")[2]}
    assert "Nobody is linked" in (await refusal(people, provider.token())).detail


async def test_keys_go_on_working_beside_a_provider(
    provider: IdentityProvider, client: AsyncClient, people: People
) -> None:
    await link(client, provider)
    bo = await people("bo")
    given = await bo.contributors.create_token()
    for one in (bo, people.keyed.acting_as(given.token)):
        assert (await one.contributors.me()).name == "bo"
    assert provider.asked == []


async def test_a_provider_that_does_not_answer_is_said_and_asked_again_later(
    provider: IdentityProvider, client: AsyncClient, people: People
) -> None:
    await link(client, provider)
    provider.status = 500
    error = await refusal(people, provider.token())
    assert isinstance(error, UnavailableError)
    assert "identity provider does not answer" in error.detail


BROKEN: dict[str, dict[str, Any]] = {
    "an error": {"status": 500},
    "a redirect": {"status": 302},
    "too much": {"padding": 300_000},
    "another issuer": {"discovery": {"issuer": "https://evil.example"}},
    "keys at an address that is not https": {"discovery": {"jwks_uri": "http://169.254.169.254/keys"}},
    "keys in a file": {"discovery": {"jwks_uri": "file:///etc/passwd"}},
    "no JSON": {"body": b"<html>"},
    "JSON too deep to read": {"body": b"[" * 100_000},
    "a list": {"body": b"[1]"},
    "keys nowhere": {"discovery": {"jwks_uri": None}},
    "keys at no address": {"discovery": {"jwks_uri": "http://["}},
}


@pytest.mark.parametrize("case", BROKEN)
async def test_what_a_broken_provider_says_is_not_believed(
    provider: IdentityProvider, case: str, caplog: pytest.LogCaptureFixture
) -> None:
    for name, value in BROKEN[case].items():
        setattr(provider, name, value)
    with pytest.raises(UnavailableError):
        await Provider(provider.url, [AUDIENCE]).subject_of(provider.token())
    assert len(provider.asked) == 1
    assert ("not at an https address" in caplog.text) is ("jwks_uri" in BROKEN[case].get("discovery", {}))


@pytest.mark.parametrize(
    "keys",
    [None, 5, [None, 5, "x"], [{"kty": ["RSA"]}], [{"kty": "RSA", "kid": "first-ES256"}]],
)
async def test_keys_that_are_none_are_left_out(provider: IdentityProvider, keys: Any) -> None:
    provider.keys = keys
    asking = Provider(provider.url, [AUDIENCE])
    with pytest.raises(AuthenticationError):
        await asking.subject_of(provider.token())


@pytest.mark.parametrize("fields", [{"use": "enc"}, {"alg": "ES384"}])
async def test_a_key_for_something_else_is_left_out(provider: IdentityProvider, fields: dict[str, str]) -> None:
    provider.keys = [public_key("ES256") | fields]
    with pytest.raises(AuthenticationError):
        await Provider(provider.url, [AUDIENCE]).subject_of(provider.token())


class Clock:
    """Seconds that a test turns."""

    now = 0.0

    def __call__(self) -> float:
        return self.now


async def test_keys_are_fetched_once_for_many_and_again_when_they_are_old(provider: IdentityProvider) -> None:
    clock = Clock()
    asking = Provider(provider.url, [AUDIENCE], clock)
    await asyncio.gather(*(asking.subject_of(provider.token()) for _ in range(20)))
    clock.now = 299
    await asking.subject_of(provider.token())
    assert provider.asked.count("/keys") == 1
    provider.keys = []  # the key is withdrawn
    clock.now = 301
    with pytest.raises(AuthenticationError):
        await asking.subject_of(provider.token())
    assert provider.asked.count("/keys") == 2


async def test_unknown_keys_are_asked_for_once_a_minute_at_most(provider: IdentityProvider) -> None:
    clock = Clock()
    asking = Provider(provider.url, [AUDIENCE], clock)
    for second in range(0, 120, 5):
        clock.now = second
        with pytest.raises(AuthenticationError):
            await asking.subject_of(provider.token(header={"kid": f"guess-{second}"}))
    assert provider.asked.count("/keys") == 2
    provider.keys = [public_key("ES256"), public_key("EdDSA")]
    clock.now = 125
    assert (await asking.subject_of(provider.token("EdDSA"))).subject == "ann-1"


async def test_known_keys_are_good_for_an_hour_without_the_provider(provider: IdentityProvider) -> None:
    clock = Clock()
    asking = Provider(provider.url, [AUDIENCE], clock)
    await asking.subject_of(provider.token())
    provider.status = 503
    clock.now = 3599
    assert (await asking.subject_of(provider.token())).subject == "ann-1"
    clock.now = 3601
    with pytest.raises(UnavailableError):
        await asking.subject_of(provider.token())
    provider.status = 200
    clock.now = 3670
    assert (await asking.subject_of(provider.token())).subject == "ann-1"


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"oidc_issuer": "http://id.example.com", "oidc_audience": "a"}, "not the https address"),
        ({"oidc_issuer": "id.example.com", "oidc_audience": "a"}, "not the https address"),
        ({"oidc_issuer": "https://id.example.com"}, "Nothing says whom"),
        ({"oidc_issuer": "https://id.example.com", "public_url": "traces.example.com"}, "no address"),
    ],
)
def test_settings_that_do_not_fit_together_are_refused(url: str, settings: dict[str, Any], said: str) -> None:
    with pytest.raises(InvalidInputError, match=said):
        create_app(BackendSettings(database_url=url, **settings))


@pytest.fixture
def plain(provider: IdentityProvider, url: str, monkeypatch: pytest.MonkeyPatch) -> httpx2.AsyncClient:
    """Plain HTTP to a server that knows where it is reached."""
    assert provider.url
    monkeypatch.setenv("COMMONTRACE_PUBLIC_URL", "https://traces.example.com/team")
    return httpx2.AsyncClient(transport=async_transport(url, 30, owner=False), base_url=LOCAL_BASE)


WHERE = "/.well-known/oauth-protected-resource/team"


async def test_who_is_turned_away_is_told_where_to_get_a_token(
    provider: IdentityProvider, plain: httpx2.AsyncClient, client: AsyncClient
) -> None:
    await link(client, provider, scopes=["read"])
    told = f'resource_metadata="https://traces.example.com{WHERE}"'
    async with plain:
        nobody = await plain.get("/api/v1/tags")
        wrong = await plain.get("/api/v1/tags", headers={"Authorization": f"Bearer {provider.token(aud='x')}"})
        reader = await plain.get("/api/v1/keys", headers={"Authorization": f"Bearer {provider.token()}"})
        described = await plain.get(WHERE)
    assert (nobody.status_code, nobody.headers["WWW-Authenticate"]) == (401, f"Bearer {told}")
    assert (wrong.status_code, wrong.headers["WWW-Authenticate"]) == (401, f'Bearer error="invalid_token", {told}')
    scope = 'error="insufficient_scope", scope="commontrace:admin"'
    assert (reader.status_code, reader.headers["WWW-Authenticate"]) == (403, f"Bearer {scope}, {told}")
    assert described.json() == {
        "resource": "https://traces.example.com/team",
        "authorization_servers": [provider.url],
        "scopes_supported": [f"commontrace:{scope}" for scope in ("read", "contribute", "vote", "admin")],
        "bearer_methods_supported": ["header"],
        "resource_name": "CommonTrace",
    }


async def test_without_a_provider_none_is_advertised(http: httpx2.AsyncClient) -> None:
    answer = await http.get("/api/v1/tags", headers={"Authorization": "Bearer wrong"})
    assert answer.headers["WWW-Authenticate"] == 'Bearer error="invalid_token"'
    assert (await http.get("/.well-known/oauth-protected-resource")).status_code == 404


async def test_the_public_address_is_the_audience_where_no_other_is_named(
    provider: IdentityProvider, client: AsyncClient, url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    await link(client, provider)
    monkeypatch.delenv("COMMONTRACE_OIDC_AUDIENCE")
    monkeypatch.setenv("COMMONTRACE_PUBLIC_URL", AUDIENCE)
    async with connect_async(url, api_key=provider.token()) as ann:
        assert (await ann.contributors.me()).name == "ann"
