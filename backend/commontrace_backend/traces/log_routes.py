"""HTTP for the tamper-evident log."""

from typing import Annotated

from fastapi import APIRouter, Query, Request

from commontrace.errors import NotFoundError
from commontrace.models.log import Consistency, Inclusion, LogAudit, SignedCheckpoint
from commontrace_backend.database.engine import Database
from commontrace_backend.database.tenancy import EVERY_TENANT
from commontrace_backend.identity import Admin, KeyringDep, Reader, Reading
from commontrace_backend.log import service, store
from commontrace_backend.traces import auditing
from commontrace_backend.traces import store as traces
from commontrace_backend.traces.routes import Ref

router = APIRouter(prefix="/api/v1", tags=["log"])


@router.get("/log/checkpoint")
async def checkpoint(_caller: Reader, session: Reading, keyring: KeyringDep) -> SignedCheckpoint:
    """How large the log is and what it comes to, signed."""
    return await service.checkpoint(session, keyring.pepper)


@router.get("/log/consistency")
async def consistency(
    _caller: Reader, session: Reading, keyring: KeyringDep, before: Annotated[int, Query(ge=0, le=2**31)] = 0
) -> Consistency:
    """Proof that the log only grew since it had `before` leaves."""
    return await service.growth(session, keyring.pepper, before)


@router.get("/log/audit")
async def audit(caller: Admin, keyring: KeyringDep, request: Request) -> LogAudit:
    """Every trace of the caller's organization against the log, and the log against its tree; to the owner, all."""
    whose = None if keyring.is_owner(caller) else caller
    database: Database = request.app.state.database
    async with database.reading(EVERY_TENANT) as session:
        leaves, count, problems = await auditing.audit(session, whose)
        signed = await service.checkpoint(session, keyring.pepper)
    return LogAudit(leaves=leaves, traces=count, problems=problems, checkpoint=signed)


@router.get("/traces/{trace_id}/proof")
async def proof(trace_id: Ref, caller: Reader, session: Reading, keyring: KeyringDep) -> Inclusion:
    """Proof that the version that a trace serves is in the log."""
    trace = await traces.find(session, caller, trace_id)
    leaves = await store.leaves_of(session, [trace.trace_id])
    mine = [leaf for leaf in leaves if (leaf.kind, leaf.subject) == ("version", trace.version_id) and leaf.facts]
    if not mine:
        raise NotFoundError(f"The log says nothing of trace {trace_id}.", "Run `commontrace verify` as an admin.")
    return await service.proof_of(session, keyring.pepper, mine[-1])
