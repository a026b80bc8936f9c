"""API keys: `ct_<environment>_<id 8>_<secret 43>_<crc 6>`, known to the store by an HMAC only.

The prefix lets secret scanners find a leaked key and the checksum lets them tell it from noise without a look-up.
"""

import hashlib
import hmac
import re
import secrets
import zlib
from dataclasses import dataclass
from typing import Final

from commontrace.errors import AuthenticationError

_ALPHABET: Final = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
_SHAPE: Final = re.compile(r"ct_([a-z]{2,8})_([0-9a-f]{8})_([0-9A-Za-z]{43})_([0-9A-Za-z]{6})\Z")


@dataclass(frozen=True, slots=True)
class Key:
    """A key in parts; `text` is the whole of it and is shown once."""

    environment: str
    key_id: str
    text: str


def new_key(environment: str) -> Key:
    """A key with 43 base-62 digits (256 bits) of secret."""
    key_id = secrets.token_hex(4)
    stem = f"ct_{environment}_{key_id}_{''.join(secrets.choice(_ALPHABET) for _ in range(43))}"
    return Key(environment, key_id, f"{stem}_{_checksum(stem)}")


def parse_key(text: str) -> Key:
    """The parts of a key; raises AuthenticationError for a text that cannot be one."""
    found = _SHAPE.match(text)
    if not found or _checksum(text[:-7]) != found[4]:
        raise AuthenticationError(
            "This is not a CommonTrace key, or a part of it is missing.",
            "Copy it whole: ct_<env>_<id>_<secret>_<crc>.",
        )
    return Key(found[1], found[2], text)


def digest(key: str, pepper: str) -> str:
    """HMAC-SHA-256 of a key: a fast hash is right for 256 random bits, and gives no lever for denial of service."""
    return hmac.new(pepper.encode(), key.encode(), hashlib.sha256).hexdigest()


def matches(key: str, pepper: str, stored: str) -> bool:
    """Compare in constant time."""
    return hmac.compare_digest(digest(key, pepper), stored)


def _checksum(stem: str) -> str:
    value, digits = zlib.crc32(stem.encode()), ""
    for _ in range(6):
        value, rest = divmod(value, 62)
        digits = _ALPHABET[rest] + digits
    return digits
