"""SQL for call records."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from sqlalchemy import Row, and_, bindparam, insert, select

from commontrace_backend.contexts.tables import call_records
from commontrace_backend.contributors.caller import Caller
from commontrace_backend.contributors.tables import contributors
from commontrace_backend.database.session import ReadSession, WriteSession
from commontrace_backend.paging import Asked, Key, Order

_LEARNT_FROM: Final = 200
"""Calls of a model; older ones weigh nothing."""

_RECORDS: Final = select(call_records, contributors.c.name.label("contributor")).join(
    contributors, contributors.c.contributor_id == call_records.c.contributor_id
)
_NEWEST: Final = Order("calls", Key("call_id", call_records.c.call_id, descending=True))
_LAST: Final = (
    _RECORDS.where(
        call_records.c.repository_id == bindparam("repository"),
        call_records.c.contributor_id == bindparam("caller"),
        call_records.c.working_copy == bindparam("copy"),
    )
    .order_by(call_records.c.call_id.desc())
    .limit(1)
)


async def add_call(session: WriteSession, values: Mapping[str, Any]) -> None:
    """Record a call."""
    await session.write(insert(call_records), values)


async def last_call(session: ReadSession, repository_id: int, caller: Caller) -> Row[Any] | None:
    """The newest call of the caller's working copy."""
    here = {"repository": repository_id, "caller": caller.contributor_id, "copy": caller.working_copy}
    return await session.first(_LAST, here)


async def find_call(session: ReadSession, repository_id: int, call_id: int) -> Row[Any] | None:
    """A call by its number."""
    here = and_(call_records.c.repository_id == repository_id, call_records.c.call_id == call_id)
    return await session.first(_RECORDS.where(here))


async def some_calls(
    session: ReadSession, repository_id: int, asked: Asked, before: int | None
) -> tuple[Sequence[Row[Any]], str | None]:
    """A page of the calls, newest first, those that came before one where that is said."""
    statement = _RECORDS.where(call_records.c.repository_id == repository_id)
    if before is not None:
        statement = statement.where(call_records.c.call_id < before)
    return await _NEWEST.read(session, statement, asked)


async def reports(session: ReadSession, repository_id: int, model: str) -> Sequence[Row[Any]]:
    """The newest calls of a model of which the provider reported the input, oldest first."""
    here = and_(
        call_records.c.repository_id == repository_id,
        call_records.c.model == model,
        call_records.c.reported.is_not(None),
    )
    found = await session.all(
        select(call_records).where(here).order_by(call_records.c.call_id.desc()).limit(_LEARNT_FROM)
    )
    return found[::-1]
