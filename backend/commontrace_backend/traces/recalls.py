"""Recalls: who was shown a trace that is withdrawn or quarantined since learns it, once, with their next query."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any, Final, Literal

from sqlalchemy import Row, bindparam, delete, literal, select, update

from commontrace_backend.contributors.caller import Caller
from commontrace_backend.database.session import ReadSession, WriteSession
from commontrace_backend.database.upsert import insert_missing
from commontrace_backend.traces.tables import recalls, receipts

AT_ONCE: Final = 5
"""How many recalls one answer tells of; the others follow with the next."""

_UNTOLD: Final = (
    select(recalls.c.trace_id, recalls.c.reason, recalls.c.created_at)
    .where(recalls.c.contributor_id == bindparam("contributor"), recalls.c.told_at.is_(None))
    .order_by(recalls.c.created_at, recalls.c.trace_id)
    .limit(AT_ONCE)
)


async def recall(session: WriteSession, trace: Row[Any], reason: Literal["withdrawn", "quarantined"]) -> None:
    """Remember to tell everybody who was shown it, but its contributor."""
    await forget(session, trace.trace_id)
    shown = (
        select(
            receipts.c.contributor_id,
            receipts.c.trace_id,
            receipts.c.tenant_id,
            literal(reason),
            literal(datetime.now(UTC), recalls.c.created_at.type),
        )
        .where(receipts.c.trace_id == trace.trace_id, receipts.c.contributor_id != trace.contributor_id)
        .distinct()
    )
    names = ["contributor_id", "trace_id", "tenant_id", "reason", "created_at"]
    await session.write_across(insert_missing(recalls).from_select(names, shown))


async def forget(session: WriteSession, trace_id: str) -> None:
    """Tell nobody: it is back."""
    await session.write_across(delete(recalls).where(recalls.c.trace_id == trace_id))


async def untold(session: ReadSession, caller: Caller) -> Sequence[Row[Any]]:
    """What this caller has to be told, oldest first."""
    return await session.all(_UNTOLD, {"contributor": caller.contributor_id})


def note(row: Row[Any]) -> str:
    """One sentence in our own words: the title is somebody else's."""
    return (
        f"Recalled: trace {row.trace_id[:10]}, which you were shown, was {row.reason} on {row.created_at:%Y-%m-%d}. "
        "Check what you did with it."
    )


async def told(session: WriteSession, caller: Caller, rows: Sequence[Row[Any]]) -> None:
    """Remember that these were told."""
    await session.write(
        update(recalls)
        .where(
            recalls.c.contributor_id == caller.contributor_id,
            recalls.c.trace_id.in_([row.trace_id for row in rows]),
        )
        .values(told_at=datetime.now(UTC))
    )
