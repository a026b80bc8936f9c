"""HTTP for queries."""

from typing import Annotated

from fastapi import APIRouter, Request, params

from commontrace.models.search import Query, QueryAnswer, Wanted
from commontrace_backend.identity import Reader, Reading
from commontrace_backend.search import misses, service

router = APIRouter(prefix="/api/v1", tags=["search"])


@router.post("/traces/query")
async def query_traces(wanted: Query, caller: Reader, request: Request) -> QueryAnswer:
    """Find traces for a problem, an error, tags or ids; an empty answer says what to do."""
    return await service.query(request.app.state.database, caller, request.app.state.index, wanted)


@router.get("/wanted")
async def most_wanted(
    caller: Reader, session: Reading, request: Request, limit: Annotated[int, params.Query(ge=1, le=100)] = 20
) -> list[Wanted]:
    """What most people of your organization asked in vain and nobody has answered since."""
    return await misses.most_wanted(session, caller, request.app.state.index, limit)
