"""A real identity provider for tests: small, with keys of its own, and as broken as a test wants it."""

import base64
import hmac
import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cache
from http.server import BaseHTTPRequestHandler
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from jwt.algorithms import ECAlgorithm, OKPAlgorithm, RSAAlgorithm

from http_servers import serving_http

AUDIENCE = "https://traces.example.com"


@cache
def signing_key(algorithm: str, name: str) -> Any:
    """A private key; the same for the same name, since making one of RSA takes its time."""
    assert name
    if algorithm == "RS256":
        return rsa.generate_private_key(65537, 2048)
    return ec.generate_private_key(ec.SECP256R1()) if algorithm == "ES256" else ed25519.Ed25519PrivateKey.generate()


def public_key(algorithm: str, name: str = "first") -> dict[str, Any]:
    """Its public half as a JWK; its id is the name and the algorithm."""
    kinds: dict[str, Any] = {"RS256": RSAAlgorithm, "ES256": ECAlgorithm, "EdDSA": OKPAlgorithm}
    whole: dict[str, Any] = kinds[algorithm].to_jwk(signing_key(algorithm, name).public_key(), as_dict=True)
    return {**whole, "kid": f"{name}-{algorithm}", "use": "sig"}


def by_hand(header: dict[str, Any], claims: dict[str, Any], secret: bytes | None) -> str:
    """A token that no library would make: signed with a secret by HMAC as the header says, or not at all."""
    parts = [_part(json.dumps(part, default=datetime.timestamp).encode()) for part in (header, claims)]
    signature = hmac.digest(secret, ".".join(parts).encode(), f"sha{header['alg'][2:]}") if secret else b""
    return ".".join([*parts, _part(signature)])


def _part(content: bytes) -> str:
    return base64.urlsafe_b64encode(content).rstrip(b"=").decode()


@dataclass
class IdentityProvider:
    """How it behaves, and what it was asked.

    Attributes:
        url: its issuer.
        keys: what it says its keys are.
        discovery: what replaces or adds to fields of its discovery document.
        status: of its answers.
        padding: bytes that are sent after a document.
        body: what is sent in place of every document.
        asked: the paths that came.
    """

    url: str = ""
    keys: Any = field(default_factory=list)
    discovery: dict[str, Any] = field(default_factory=dict)
    status: int = 200
    padding: int = 0
    body: bytes | None = None
    asked: list[str] = field(default_factory=list)

    def token(self, algorithm: str = "ES256", *, header: dict[str, Any] | None = None, **claims: Any) -> str:
        """An access token; what is None is left out."""
        now = datetime.now(UTC)
        usual = {"iss": self.url, "aud": AUDIENCE, "sub": "ann-1", "iat": now, "exp": now + timedelta(minutes=5)}
        whole = {name: value for name, value in {**usual, **claims}.items() if value is not None}
        named = {"kid": f"first-{algorithm}", "typ": "at+jwt", **(header or {})}
        headers = {name: value for name, value in named.items() if value is not None}
        return jwt.encode(whole, signing_key(algorithm, "first"), algorithm, headers=headers)

    def document(self, path: str) -> bytes | None:
        """What a path leads to."""
        if self.body is not None:
            return self.body
        known = {"issuer": self.url, "jwks_uri": f"{self.url}/keys", **self.discovery}
        found = {"/.well-known/openid-configuration": known, "/keys": {"keys": self.keys}}.get(path)
        return json.dumps(found).encode() + b" " * self.padding if found else None


@contextmanager
def identity_provider() -> Iterator[IdentityProvider]:
    """Run one on a free port."""
    behaviour = IdentityProvider(keys=[public_key("ES256")])

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            behaviour.asked.append(self.path)
            body = behaviour.document(self.path)
            self.send_response(behaviour.status if body else 404)
            if behaviour.status == 302:
                self.send_header("Location", f"{behaviour.url}/elsewhere")
            self.send_header("Content-Length", str(len(body or b"")))
            self.end_headers()
            self.wfile.write(body or b"")

        def log_message(self, *_: object) -> None:
            """Tests print nothing."""

    with serving_http(Handler) as url:
        behaviour.url = url
        yield behaviour
