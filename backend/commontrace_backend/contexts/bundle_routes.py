"""HTTP for bundles: streamed out, and streamed in."""

from collections.abc import AsyncIterator
from typing import Annotated, Final

from fastapi import APIRouter, Depends, Query, Request
from fastapi.responses import StreamingResponse

from commontrace.models.contexts import BundleResult
from commontrace_backend.contexts import exporting, importing
from commontrace_backend.contexts.routes import Name
from commontrace_backend.contributors.caller import Caller
from commontrace_backend.database.engine import Database
from commontrace_backend.identity import Reader, Writer, Writing

router = APIRouter(prefix="/api/v1", tags=["contexts"])

MEDIA_TYPE: Final = "application/x-ndjson"
LINES: Final = {"content": {MEDIA_TYPE: {"schema": {"type": "string", "description": "Lines of JSON."}}}}


class Bundle(StreamingResponse):
    """Lines of JSON as they are made."""

    media_type = MEDIA_TYPE


_WHERE: Final = "/contexts/{repository}/bundle"
Refs = Annotated[
    list[str], Query(default_factory=list, max_length=1000, description="Branches and tags. Default: all.")
]
Since = Annotated[
    list[str],
    Query(default_factory=list, max_length=1000, description="What the other side has: refs or commits of here."),
]


@router.get(_WHERE, response_class=Bundle, responses={200: {"description": "The bundle.", **LINES}})
async def export_bundle(request: Request, repository: Name, caller: Reader, refs: Refs, since: Since) -> Bundle:
    """Branches and tags with the history that leads to them, as lines of JSON; only what `since` does not lead to."""
    pieces = _pieces(request.app.state.database, caller, repository, exporting.Wanted(refs, since))
    return Bundle(await whole(pieces))


async def whole(pieces: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    """The same pieces; with the first everything is decided that may be refused, and the answer begins only then."""
    return _with(await anext(pieces), pieces)


async def _pieces(
    database: Database, caller: Caller, repository: str, wanted: exporting.Wanted
) -> AsyncIterator[bytes]:
    async with database.reading(caller.tenant_id) as session:
        async for piece in exporting.export(session, caller, repository, wanted):
            yield piece


async def _with(first: bytes, pieces: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    yield first
    async for piece in pieces:
        yield piece


async def _received(request: Request, _caller: Writer) -> AsyncIterator[importing.Received]:
    async with importing.received(request.stream()) as bundle:
        yield bundle


@router.post(_WHERE, openapi_extra={"requestBody": {"required": True, **LINES}})
async def import_bundle(
    repository: Name,
    caller: Writer,
    bundle: Annotated[importing.Received, Depends(_received)],
    session: Writing,
    prefix: Annotated[str, Query(max_length=80, description="In front of every name that the bundle brings.")] = "",
) -> BundleResult:
    """Store a bundle: every id is checked, refs are made or go forward; all of it or nothing."""
    return await importing.import_bundle(session, caller, repository, bundle, prefix)
