"""HTTP for knowledge that moves between stores."""

from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request, Response

from commontrace.errors import CommonTraceError
from commontrace.models.syncing import (
    MOST_SEEN,
    Changes,
    DeliveredTrace,
    Deliveries,
    Delivery,
    DeliveryResult,
    FetchedTrace,
    KnownTrace,
    Look,
    TraceHistory,
    WantedTraces,
)
from commontrace_backend.identity import Reader, Reading, Writer, Writing, charge_for
from commontrace_backend.problems import problem_of
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


@router.post("/sync/histories")
async def fetch_traces(body: WantedTraces, caller: Reader, session: Reading) -> list[FetchedTrace]:
    """Traces with every version, in the order asked: fewer than asked where they come to over 256 KiB, but one."""
    return [_fetched(one) for one in await exchange.histories(session, caller, body.trace_ids)]


def _fetched(one: TraceHistory | CommonTraceError) -> FetchedTrace:
    if isinstance(one, TraceHistory):
        return FetchedTrace(history=one)
    return FetchedTrace(problem=problem_of(one, one.status))


async def _arrived(request: Request, response: Response, caller: Writer, delivery: Delivery) -> exchange.Arrived:
    await charge_for(request, response, caller, [exchange.cost_of(delivery)])
    return exchange.prepare(delivery)


@router.post("/sync/traces")
async def deliver_trace(
    caller: Writer, arrived: Annotated[exchange.Arrived, Depends(_arrived)], index: Index, session: Writing
) -> DeliveryResult:
    """Take a trace as another store has it: new versions are added; a newer one is served, or proposed to its owner."""
    return await exchange.deliver(session, caller, index, arrived)


async def _paid(request: Request, response: Response, caller: Writer, body: Deliveries) -> list[Delivery]:
    """Those that the caller may bring now: each costs what it carries, in whatever company it comes."""
    costs = [exchange.cost_of(one) for one in body.deliveries]
    return body.deliveries[: await charge_for(request, response, caller, costs)]


def _all_arrived(paid: Annotated[list[Delivery], Depends(_paid)]) -> list[exchange.Arrived | CommonTraceError]:
    return [exchange.prepared(one) for one in paid]


@router.post("/sync/deliveries")
async def deliver_traces(
    caller: Writer,
    arrived: Annotated[list[exchange.Arrived | CommonTraceError], Depends(_all_arrived)],
    index: Index,
    session: Writing,
) -> list[DeliveredTrace]:
    """Take several traces, each by itself: an answer a trace, in order; for fewer where no more writes are left now."""
    return [_delivered(one) for one in await exchange.deliver_all(session, caller, index, arrived)]


def _delivered(one: DeliveryResult | CommonTraceError) -> DeliveredTrace:
    if isinstance(one, DeliveryResult):
        return DeliveredTrace(result=one)
    return DeliveredTrace(problem=problem_of(one, one.status))
