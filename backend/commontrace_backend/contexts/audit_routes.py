"""HTTP for integrity: checking, collecting, purging."""

from typing import Annotated

from fastapi import APIRouter, Depends, Request

from commontrace.models.contexts import CollectResult, NewCollection, NewPurge, PurgeResult, VerifyResult
from commontrace_backend.contexts import collecting, purging, verifying
from commontrace_backend.contexts.routes import HERE, Name
from commontrace_backend.database.engine import Database
from commontrace_backend.identity import Reader, Writer

router = APIRouter(prefix="/api/v1", tags=["contexts"])


def _database(request: Request) -> Database:
    database: Database = request.app.state.database
    return database


# These end their transactions themselves: what comes behind them is done outside of any.
Whole = Annotated[Database, Depends(_database)]


@router.get(f"{HERE}/verify")
async def verify(repository: Name, caller: Reader, database: Whole, full: bool = False) -> VerifyResult:
    """Check every byte, name and total that is stored."""
    return await verifying.verify(database, caller, repository, full=full)


@router.post(f"{HERE}/gc")
async def collect(repository: Name, body: NewCollection, caller: Writer, database: Whole) -> CollectResult:
    """Take out what nothing needs and what is older than the grace."""
    return await collecting.collect(database, caller, repository, body)


@router.post(f"{HERE}/purge")
async def purge(repository: Name, body: NewPurge, caller: Writer, database: Whole) -> PurgeResult:
    """Take a text or a message out of everything that is stored; nothing brings it back."""
    return await purging.purge(database, caller, repository, body)
