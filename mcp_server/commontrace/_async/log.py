"""The tamper-evident log: what the server has to show, checked here."""

from commontrace._async.http import AsyncHttp
from commontrace.checkpoints import opened
from commontrace.errors import StoreUnusableError
from commontrace.merkle import is_consistent, is_included, leaf_hash
from commontrace.models.canonical import canonical
from commontrace.models.log import Consistency, Inclusion, LogAudit, SignedCheckpoint

_LOOK = "Do not trust what this server says now: run `commontrace verify` where the store is, or restore a backup."


class AsyncLog:
    """What was stored, decided and removed, in a log that only grows: `client.log`."""

    def __init__(self, http: AsyncHttp) -> None:
        self._http = http

    async def checkpoint(self) -> SignedCheckpoint:
        """How large the log is and what it comes to, signed. Keep it: `since` checks against it later."""
        signed = await self._http.call("GET", "/api/v1/log/checkpoint", SignedCheckpoint)
        opened(signed.note, signed.verifier)
        return signed

    async def since(self, known: SignedCheckpoint) -> SignedCheckpoint:
        """The checkpoint now, once it is proved that the log only grew since one that you kept.

        Raises:
            InvalidInputError: another key signed one of them, or the log is smaller than it was.
            StoreUnusableError: what was logged before was changed.
        """
        before = opened(known.note, known.verifier)
        query = {"before": before.size}
        proof = await self._http.call("GET", "/api/v1/log/consistency", Consistency, query=query)
        now = opened(proof.checkpoint.note, known.verifier)
        path = [bytes.fromhex(one) for one in proof.path]
        if not is_consistent(before.size, now.size, (before.root, now.root), path):
            raise StoreUnusableError("The log was rewritten: it does not begin with what you knew of it.", _LOOK)
        return proof.checkpoint

    async def proof(self, trace: str) -> Inclusion:
        """Proof that the version that a trace serves is in the log; checked before it is given.

        Raises:
            NotFoundError: no such trace, or the log says nothing of it.
            StoreUnusableError: the proof does not hold.
        """
        proof = await self._http.call("GET", f"/api/v1/traces/{trace}/proof", Inclusion)
        now = opened(proof.checkpoint.note, proof.checkpoint.verifier)
        path = [bytes.fromhex(one) for one in proof.path]
        if not is_included(leaf_hash(canonical(proof.facts)), proof.leaf_index, now.size, path, now.root):
            raise StoreUnusableError("The server cannot prove that the log has this trace.", _LOOK)
        return proof

    async def audit(self) -> LogAudit:
        """Every trace of the organization against the log, and the log against its tree; for admins."""
        return await self._http.call("GET", "/api/v1/log/audit", LogAudit)
