"""An OpenID Connect provider whose access tokens are accepted: its keys are fetched, nothing that a token points to."""

import asyncio
import json
import logging
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import urlsplit

import httpx2
import jwt

from commontrace.errors import AuthenticationError, InvalidInputError, UnavailableError
from commontrace_backend.contributors.signing import unknown_token
from commontrace_backend.reporting import report
from commontrace_backend.settings import BackendSettings

SCOPE_PREFIX: Final = "commontrace:"
"""What our scopes are called in a provider's tokens: `commontrace:read`."""

_ALGORITHMS: Final = {("RSA", None): "RS256", ("EC", "P-256"): "ES256", ("OKP", "Ed25519"): "EdDSA"}
_LEEWAY: Final = 30.0  # seconds by which the clocks of the provider and of this machine may differ
_TYPES: Final = frozenset({"jwt", "at+jwt", "application/at+jwt"})
_LOOPBACK: Final = frozenset({"localhost", "127.0.0.1", "::1"})

_FRESH: Final = 300.0  # seconds after which keys are fetched again, so that a withdrawn one ends
_STALE: Final = 3600.0  # seconds for which keys are good although the provider does not answer
_PAUSE: Final = 60.0  # seconds between two fetches, however many tokens name keys that nobody knows
_FIRST_PAUSE: Final = 5.0  # the same while there are no keys at all
_SECONDS: Final = 5.0
_LARGEST: Final = 256 * 1024


class _FetchError(Exception):
    """The provider does not say what it has to."""


@dataclass(frozen=True, slots=True)
class Subject:
    """Whom a good token is about.

    Attributes:
        issuer: who says so.
        subject: the issuer's own name for them, of which nothing is assumed.
        scopes: ours among those that the token was given; None where it names none of ours.
    """

    issuer: str
    subject: str
    scopes: frozenset[str] | None


class Provider:
    """The provider that the settings name; its keys are kept for a while.

    Args:
        issuer: its URL, as its tokens have it.
        audiences: whom its tokens must be meant for; one of them is enough.
        clock: seconds that only ever grow.
    """

    def __init__(self, issuer: str, audiences: list[str], clock: Callable[[], float] = time.monotonic) -> None:
        self._issuer = issuer
        self._audiences = audiences
        self._clock = clock
        self._lock = asyncio.Lock()
        self._keys: dict[str, jwt.PyJWK] = {}
        self._fetched = self._tried = float("-inf")

    async def subject_of(self, text: str) -> Subject:
        """Whom an access token is about.

        Raises:
            AuthenticationError: it is forged, expired, for somebody else or of another kind.
            UnavailableError: the provider's keys cannot be had.
        """
        try:
            header = jwt.get_unverified_header(text)
            if str(header.get("typ", "JWT")).lower() not in _TYPES:
                raise unknown_token()
            key = await self._key(str(header.get("kid")))
            claims = jwt.decode(
                text,
                key,
                [key.algorithm_name],
                issuer=self._issuer,
                audience=self._audiences,
                leeway=_LEEWAY,
                options={"require": ["exp", "iss", "aud", "sub"], "enforce_minimum_key_length": True},
            )
        except jwt.ExpiredSignatureError:
            raise AuthenticationError("This token has expired.", "Sign in again with the identity provider.") from None
        except jwt.PyJWTError:
            raise unknown_token() from None
        return Subject(self._issuer, claims["sub"], _scopes(claims))

    async def _key(self, kid: str) -> jwt.PyJWK:
        if kid not in self._keys or self._age() >= _FRESH:
            async with self._lock:  # one fetch, whoever waits for it
                await self._refresh(kid)
        if self._age() >= _STALE:
            raise UnavailableError("The identity provider does not answer.", "Try again later, or use an API key.")
        if kid not in self._keys:
            raise unknown_token()
        return self._keys[kid]

    def _age(self) -> float:
        return self._clock() - self._fetched

    async def _refresh(self, kid: str) -> None:
        now = self._clock()
        if kid in self._keys and self._age() < _FRESH:
            return  # somebody else did it meanwhile
        if now - self._tried < (_PAUSE if self._keys else _FIRST_PAUSE):
            return
        self._tried = now
        try:
            self._keys = await self._fetch()
        except _FetchError as error:
            report(logging.WARNING, "identity_provider", issuer=self._issuer, error=str(error))
        else:
            self._fetched = self._clock()

    async def _fetch(self) -> dict[str, jwt.PyJWK]:
        try:
            async with (
                asyncio.timeout(_SECONDS),
                httpx2.AsyncClient(trust_env=False, follow_redirects=False, timeout=_SECONDS) as client,
            ):
                found = await _document(client, f"{self._issuer.rstrip('/')}/.well-known/openid-configuration")
                if found.get("issuer") != self._issuer:
                    raise _FetchError("its discovery document is another issuer's")
                where = str(found.get("jwks_uri"))
                if not _may_ask(where, self._issuer):
                    raise _FetchError("its keys are not at an https address")
                return _usable((await _document(client, where)).get("keys"))
        except (httpx2.HTTPError, httpx2.InvalidURL, TimeoutError) as error:
            raise _FetchError(type(error).__name__) from error


def provider_of(settings: BackendSettings) -> Provider:
    """The provider that the settings name.

    Raises:
        InvalidInputError: its URL is not https, or nothing says whom its tokens must be meant for.
    """
    if not _may_ask(settings.oidc_issuer, settings.oidc_issuer):
        raise InvalidInputError(
            "COMMONTRACE_OIDC_ISSUER is not the https address of an identity provider.",
            "Write it as its tokens have it in `iss`; http is for this machine only.",
        )
    audiences = settings.oidc_audience.split() or [settings.public_url] * bool(settings.public_url)
    if not audiences:
        raise InvalidInputError(
            "Nothing says whom the identity provider's tokens must be meant for.",
            "Set COMMONTRACE_OIDC_AUDIENCE to what they have in `aud`, or COMMONTRACE_PUBLIC_URL.",
        )
    return Provider(settings.oidc_issuer, audiences)


def _may_ask(url: str, issuer: str) -> bool:
    """Whether an address may be asked: https, or on this machine where the issuer is, too."""
    try:
        parts, home = urlsplit(url), urlsplit(issuer)
    except ValueError:
        return False
    if parts.scheme == "http":
        return parts.hostname in _LOOPBACK and home.hostname in _LOOPBACK
    return parts.scheme == "https" and bool(parts.hostname)


async def _document(client: httpx2.AsyncClient, url: str) -> Mapping[str, Any]:
    body = b""
    # As it was sent: what a few bytes unpack to would have to be measured as well.
    async with client.stream("GET", url, headers={"Accept-Encoding": "identity"}) as answer:
        if answer.status_code != httpx2.codes.OK:
            raise _FetchError(f"it answers {answer.status_code}")
        async for piece in answer.aiter_raw():
            body += piece
            if len(body) > _LARGEST:
                raise _FetchError("it sends too much")
    try:
        document = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise _FetchError("it does not send JSON") from error
    if not isinstance(document, dict):
        raise _FetchError("it does not send an object")
    return document


def _usable(found: Any) -> dict[str, jwt.PyJWK]:
    """The keys that we take signatures of, by their ids; each is good for the one algorithm of its kind."""
    usable = {}
    for one in found if isinstance(found, list) else []:
        with suppress(jwt.PyJWTError, AttributeError, ValueError, TypeError, KeyError):  # what is no key is left out
            algorithm = _ALGORITHMS[one["kty"], one.get("crv")]
            if one.get("use", "sig") == "sig" and one.get("alg", algorithm) == algorithm:
                usable[str(one["kid"])] = jwt.PyJWK(one, algorithm)
    return usable


def _scopes(claims: Mapping[str, Any]) -> frozenset[str] | None:
    """Ours among the scopes of a token: `scope` (RFC 9068), or `scp` as some providers call it, as words or a list."""
    given: set[str] = set()
    for name in ("scope", "scp"):
        value = claims.get(name, "")
        given |= {str(one) for one in (value if isinstance(value, list) else str(value).split())}
    ours = {one.removeprefix(SCOPE_PREFIX) for one in given if one.startswith(SCOPE_PREFIX)}
    return frozenset(ours) if ours else None
