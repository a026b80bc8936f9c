"""HTTP for queries."""

from fastapi import APIRouter, Request

from commontrace.models.search import Query, QueryAnswer
from commontrace_backend.identity import Reader
from commontrace_backend.search import service

router = APIRouter(prefix="/api/v1", tags=["search"])


@router.post("/traces/query")
async def query_traces(wanted: Query, caller: Reader, request: Request) -> QueryAnswer:
    """Find traces for a problem, an error, tags or ids; an empty answer says what to do."""
    return await service.query(request.app.state.database, caller, request.app.state.index, wanted)
