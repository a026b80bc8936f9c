"""Signed checkpoints, and proofs to go with them."""

import hashlib
import hmac
from collections.abc import Sequence
from functools import lru_cache, partial
from typing import Any

from sqlalchemy import Row

from commontrace.checkpoints import Signer
from commontrace.errors import InvalidInputError
from commontrace.merkle import consistency, inclusion
from commontrace.models.log import Consistency, Inclusion, SignedCheckpoint
from commontrace_backend.database.session import ReadSession
from commontrace_backend.log import store


@lru_cache(maxsize=8)
def signer(pepper: str) -> Signer:
    """The key of a store's log, which follows from its pepper: who has the database alone cannot sign."""
    return Signer(hmac.digest(pepper.encode(), b"commontrace log 1", hashlib.sha256))


async def checkpoint(session: ReadSession, pepper: str) -> SignedCheckpoint:
    """The log as it stands, signed."""
    size = await store.size(session)
    signs = signer(pepper)
    note = signs.sign(size, await store.root(session, size))
    return SignedCheckpoint(size=size, note=note, verifier=signs.verifier)


async def proof_of(session: ReadSession, pepper: str, leaf: Row[Any]) -> Inclusion:
    """Proof that a leaf is in the log as it stands."""
    signed = await checkpoint(session, pepper)
    path = await inclusion(partial(store.hashes, session), leaf.leaf_index, signed.size)
    return Inclusion(leaf_index=leaf.leaf_index, facts=leaf.facts, path=_hexadecimal(path), checkpoint=signed)


async def growth(session: ReadSession, pepper: str, before: int) -> Consistency:
    """Proof that the log of `before` leaves is the beginning of the one that stands now.

    Raises:
        InvalidInputError: the log never had so many leaves; where a signed checkpoint says so, it was cut.
    """
    signed = await checkpoint(session, pepper)
    if before > signed.size:
        raise InvalidInputError(
            f"The log has {signed.size} leaves, not {before}.",
            "If a signed checkpoint says otherwise, the log was cut: restore a backup, and find out who did it.",
        )
    path = await consistency(partial(store.hashes, session), before, signed.size) if before else []
    return Consistency(before=before, path=_hexadecimal(path), checkpoint=signed)


def _hexadecimal(path: Sequence[bytes]) -> list[str]:
    return [one.hex() for one in path]
