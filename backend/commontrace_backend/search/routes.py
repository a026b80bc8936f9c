"""HTTP for queries."""

from typing import Annotated

from fastapi import APIRouter, Request
from fastapi import Query as Parameter

from commontrace.models.search import IndexState, Query, QueryAnswer, Wanted
from commontrace_backend.identity import Admin, Reader, Reading
from commontrace_backend.search import misses, service

router = APIRouter(prefix="/api/v1", tags=["search"])


@router.post("/traces/query")
async def query_traces(wanted: Query, caller: Reader, request: Request) -> QueryAnswer:
    """Find traces for a problem, an error, tags or ids; an empty answer says what to do."""
    return await service.query(request.app.state.database, caller, request.app.state.finder, wanted)


@router.get("/index")
async def index_state(caller: Reader, request: Request) -> IndexState:
    """How far words and vectors have kept up with the traces."""
    del caller
    state: IndexState = await request.app.state.upkeep.state()
    return state


@router.post("/index")
async def refresh_index(
    caller: Admin, request: Request, limit: Annotated[int, Parameter(ge=1, le=256)] = 32
) -> IndexState:
    """Do some of what is left to do now, and say how far it is; ask again until all is done."""
    del caller
    state: IndexState = await request.app.state.upkeep.refresh(limit)
    return state


@router.get("/wanted")
async def most_wanted(
    caller: Reader, session: Reading, request: Request, limit: Annotated[int, Parameter(ge=1, le=100)] = 20
) -> list[Wanted]:
    """What most people of your organization asked in vain and nobody has answered since."""
    return await misses.most_wanted(session, caller, request.app.state.finder, limit)
