"""Tokens of our own: JWTs that stand for a key for a while, signed with what is derived from the store's secrets."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

import jwt
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from commontrace.errors import AuthenticationError

_ALGORITHM: Final = "HS256"
_NAME: Final = "commontrace"


@dataclass(frozen=True, slots=True)
class Grant:
    """What a good token says: which key it stands for, what of that key's scopes it has, and until when."""

    key_id: str
    scopes: frozenset[str]
    ends_at: datetime


class Signer:
    """Signs and reads the tokens of one store.

    Args:
        seed: 256 random bits that the store made for itself: nobody can guess the key however short the pepper is.
        pepper: changing it ends all tokens, as it ends all keys.
    """

    def __init__(self, seed: str, pepper: str) -> None:
        derived = HKDF(SHA256(), 32, salt=pepper.encode(), info=b"commontrace token 1")
        self._secret = derived.derive(seed.encode())
        self._kid = hashlib.sha256(b"kid" + self._secret).hexdigest()[:16]

    def sign(self, claims: Mapping[str, Any]) -> str:
        """A token with these claims beside who signed it and for whom; one of `claims` that is named so wins."""
        whole = {"iss": _NAME, "aud": _NAME, **claims}
        return jwt.encode(whole, self._secret, _ALGORITHM, headers={"kid": self._kid})

    def is_ours(self, text: str) -> bool:
        """Whether a token says that it was signed with this key, which `read` then finds out."""
        try:
            return jwt.get_unverified_header(text).get("kid") == self._kid
        except jwt.InvalidTokenError:
            return False

    def read(self, text: str) -> Grant:
        """What a token grants; raises AuthenticationError for one that is forged or changed.

        Whether it has expired is for the clock to say that it was made by.
        """
        try:
            claims = jwt.decode(
                text,
                self._secret,
                [_ALGORITHM],
                issuer=_NAME,
                audience=_NAME,
                options={
                    "require": ["exp", "iat", "jti", "key", "scope"],
                    "verify_exp": False,
                    "verify_iat": False,
                },
            )
        except jwt.InvalidTokenError:
            raise unknown_token() from None
        ends_at = datetime.fromtimestamp(claims["exp"], UTC)
        return Grant(str(claims["key"]), frozenset(str(claims["scope"]).split()), ends_at)


def unknown_token() -> AuthenticationError:
    """What is said of every token that is not good, whatever is wrong with it."""
    return AuthenticationError(
        "This server does not accept that token.",
        "Get one for your key (commontrace keys token), or sign in again with the identity provider.",
    )
