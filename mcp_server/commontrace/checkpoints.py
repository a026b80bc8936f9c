"""Signed checkpoints: how large a log is and what it comes to, as a note that its owner signed.

The form is that of C2SP's tlog-checkpoint and signed-note: origin, size, root in base64, an empty line, and a line
`— name base64(key id, signature)`. Signatures are Ed25519 (RFC 8032).
"""

import base64
import binascii
import hashlib
from dataclasses import dataclass
from typing import Final

from commontrace.errors import InvalidInputError

_KIND: Final = b"\x01"  # Ed25519, in C2SP's signed-note
_ID: Final = 4


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """A log at some time.

    Attributes:
        origin: whose log it is.
        size: how many leaves it has.
        root: the root of its tree, 32 bytes.
    """

    origin: str
    size: int
    root: bytes

    @property
    def body(self) -> str:
        """What is signed."""
        return f"{self.origin}\n{self.size}\n{base64.b64encode(self.root).decode()}\n"


class Signer:
    """Signs checkpoints with a key that is derived from a secret.

    Args:
        secret: 32 bytes that nobody else knows.
    """

    def __init__(self, secret: bytes) -> None:
        from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

        self._key = Ed25519PrivateKey.from_private_bytes(secret)
        self._public = self._key.public_key().public_bytes_raw()
        self.origin = f"commontrace/{hashlib.sha256(self._public).hexdigest()[:16]}"

    @property
    def verifier(self) -> str:
        """What others check signatures with: `name+key id+key`, as signed-note writes it."""
        key = base64.b64encode(_KIND + self._public).decode()
        return f"{self.origin}+{_key_id(self.origin, self._public).hex()}+{key}"

    def sign(self, size: int, root: bytes) -> str:
        """A signed note."""
        checkpoint = Checkpoint(self.origin, size, root)
        signed = _key_id(self.origin, self._public) + self._key.sign(checkpoint.body.encode())
        return f"{checkpoint.body}\n— {self.origin} {base64.b64encode(signed).decode()}\n"


def opened(note: str, verifier: str) -> Checkpoint:
    """The checkpoint in a note; raises InvalidInputError for one that this verifier's key did not sign."""
    from cryptography.exceptions import InvalidSignature
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

    try:
        body, _, line = note.partition("\n\n")
        dash, name, encoded = line.rstrip("\n").split(" ")
        signed = base64.b64decode(encoded, validate=True)
        origin, size, root = body.split("\n")
        known, _, key = verifier.split("+", 2)
        public = base64.b64decode(key, validate=True)[1:]
        Ed25519PublicKey.from_public_bytes(public).verify(signed[_ID:], f"{body}\n".encode())
        checkpoint = Checkpoint(origin, int(size), base64.b64decode(root, validate=True))
    except (ValueError, binascii.Error, InvalidSignature) as error:
        raise _foreign() from error
    if (dash, name, origin) != ("—", known, known) or signed[:_ID] != _key_id(known, public):
        raise _foreign()
    return checkpoint


def _foreign() -> InvalidInputError:
    return InvalidInputError(
        "The checkpoint is not signed by the key of this log.",
        "Ask whoever runs the server whether its pepper changed; if not, the log is not the one you knew.",
    )


def _key_id(name: str, public: bytes) -> bytes:
    return hashlib.sha256(name.encode() + b"\n" + _KIND + public).digest()[:_ID]
