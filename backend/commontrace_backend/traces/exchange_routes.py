"""HTTP for knowledge that moves between stores."""

from typing import Annotated

from fastapi import APIRouter, Depends, Query

from commontrace.models.syncing import (
    MOST_SEEN,
    Changes,
    DeliveryResult,
    KnownTrace,
    Look,
    TraceHistory,
)
from commontrace_backend.identity import Reader, Reading, Writer, Writing
from commontrace_backend.traces import exchange
from commontrace_backend.traces.routes import Index, Ref

router = APIRouter(prefix="/api/v1", tags=["sync"])


@router.get("/sync/changes")
async def list_changes(
    caller: Reader,
    session: Reading,
    cursor: Annotated[int, Query(ge=0, le=2**53)] = 0,
    limit: Annotated[int, Query(ge=1, le=MOST_SEEN)] = MOST_SEEN,
) -> Changes:
    """Traces that changed since `cursor`, with the ids of their versions; of removed ones too."""
    return await exchange.changes(session, caller, cursor, limit)


@router.post("/sync/known")
async def look_for_versions(body: Look, caller: Reader, session: Reading) -> list[KnownTrace]:
    """Which traces have these versions here, and which versions of them; one answer for each list."""
    return await exchange.look(session, caller, body)


@router.get("/traces/{trace_id}/history")
async def whole_history(trace_id: Ref, caller: Reader, session: Reading) -> TraceHistory:
    """Every version of a trace with what it came after."""
    return await exchange.history(session, caller, trace_id)


@router.post("/sync/traces")
async def deliver_trace(
    caller: Writer, arrived: Annotated[exchange.Arrived, Depends(exchange.prepare)], index: Index, session: Writing
) -> DeliveryResult:
    """Take a trace as another store has it: new versions are added; a newer one is served, or proposed to its owner."""
    return await exchange.deliver(session, caller, index, arrived)
