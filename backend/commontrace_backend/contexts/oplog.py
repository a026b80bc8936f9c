"""The operation log: what was done, undone and done again. Whatever the operation was, undo restores the refs."""

from collections.abc import Sequence
from typing import Any, Final, Literal

from sqlalchemy import Row

from commontrace.errors import ConflictError, NotFoundError, RefMovedError
from commontrace.models.base import Page
from commontrace.models.contexts import NewTurn, OperationInfo
from commontrace_backend.contexts import store
from commontrace_backend.contexts.places import SHORT, Place, open_place
from commontrace_backend.contexts.recording import perform
from commontrace_backend.contexts.store import Entry
from commontrace_backend.contributors.caller import Caller
from commontrace_backend.database.session import ReadSession, WriteSession
from commontrace_backend.paging import Asked

_LOOK_BACK: Final = 1000


async def undo(session: WriteSession, caller: Caller, name: str, _wanted: NewTurn) -> OperationInfo:
    """Take back the newest operation of this working copy that stands.

    Raises:
        NotFoundError: there is none.
        ConflictError: others have moved on from it; nothing was changed.
    """
    place = await open_place(session, caller, name)
    row = await store.newest_standing(session, place.id, caller)
    return await _turn(session, caller, place, "undo", row)


async def redo(session: WriteSession, caller: Caller, name: str, _wanted: NewTurn) -> OperationInfo:
    """Do again what undo took back last; raises as undo does. A new operation leaves nothing to do again."""
    place = await open_place(session, caller, name)
    row = _undone_last(await store.own_operations(session, place.id, caller, _LOOK_BACK))
    return await _turn(session, caller, place, "redo", row)


def _undone_last(rows: Sequence[Row[Any]]) -> Row[Any] | None:
    """The undo that no redo has answered yet and that nothing else followed."""
    answered = 0
    for row in rows:
        if row.kind == "redo":
            answered += 1
        elif row.kind != "undo":
            return None
        elif answered:
            answered -= 1
        else:
            return row
    return None


async def _turn(
    session: WriteSession, caller: Caller, place: Place, word: Literal["undo", "redo"], row: Row[Any] | None
) -> OperationInfo:
    """Change the refs of an operation, or of an undo, back to what they were before it."""
    if row is None:
        raise NotFoundError(f"There is nothing to {word}.", "See the operation log.")
    back = [{"ref": item["ref"], "before": item["after"], "after": item["before"]} for item in reversed(row.changes)]
    gone = [one for item in row.changes for one in item.get("collected", ()) if one == item["before"]]
    if gone:
        raise ConflictError(
            f"Cannot {word} the {row.kind}: the commit {gone[0][:SHORT]} that it would bring back was collected.",
            "Import a bundle that holds it, or go on from where you are.",
        )
    turned = row.operation_id if word == "undo" else row.turns
    try:
        await perform(session, caller, place, Entry(word, row.summary, back, turned))
    except RefMovedError as error:
        raise ConflictError(
            f"Cannot {word} the {row.kind}: something was built on it since.",
            "Branch from the commit before it instead.",
        ) from error
    await store.mark_operation(session, turned, undone=word == "undo")
    return _told((await store.latest_operations(session, place.id, 1))[0])


async def operations(
    session: ReadSession, caller: Caller, name: str, asked: Asked, before: int | None
) -> Page[OperationInfo]:
    """The operation log, newest first, what came before an operation where that is said."""
    place = await open_place(session, caller, name)
    rows, goes_on = await store.some_operations(session, place.id, asked, before)
    return Page(items=[_told(row) for row in rows], next_cursor=goes_on)


def _told(row: Row[Any]) -> OperationInfo:
    return OperationInfo(
        operation_id=row.operation_id,
        kind=row.kind,
        summary=row.summary,
        contributor=row.contributor_name,
        working_copy=row.working_copy,
        created_at=row.created_at,
        undone=row.undone,
    )
