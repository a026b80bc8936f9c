"""The operation log: what was done, undone and done again. Whatever the operation was, undo restores the refs."""

from commontrace.errors import ConflictError, NotFoundError, RefMovedError
from commontrace.models.contexts import OperationInfo
from commontrace_backend.contexts import store
from commontrace_backend.contexts.places import open_place
from commontrace_backend.contexts.service import change
from commontrace_backend.contributors.caller import Caller
from commontrace_backend.database.session import ReadSession, WriteSession


async def undo(session: WriteSession, caller: Caller, name: str) -> OperationInfo:
    """Take back the newest operation of this working copy; raises ConflictError if others built on it."""
    return await _turn(session, caller, name, undo=True)


async def redo(session: WriteSession, caller: Caller, name: str) -> OperationInfo:
    """Do again what undo took back last."""
    return await _turn(session, caller, name, undo=False)


async def _turn(session: WriteSession, caller: Caller, name: str, *, undo: bool) -> OperationInfo:
    place = await open_place(session, caller, name)
    word = "undo" if undo else "redo"
    row = await store.own_operation(session, place.id, caller, undone=not undo)
    if row is None:
        raise NotFoundError(f"There is nothing to {word}.", "See the operation log.")
    changes = list(row.changes)
    if undo:
        changes = [{"ref": item["ref"], "before": item["after"], "after": item["before"]} for item in reversed(changes)]
    try:
        await change(session, caller, place, changes)
    except RefMovedError as error:
        raise ConflictError(
            f"Cannot {word} “{row.summary}”: somebody has built on it since.",
            "Branch from the commit before it instead.",
        ) from error
    await store.mark_operation(session, row.operation_id, undone=undo)
    await store.log_operation(session, place.repository, caller, word, row.summary, changes)
    return (await _shown(session, place.id, 1))[0]


async def operations(session: ReadSession, caller: Caller, name: str, limit: int) -> list[OperationInfo]:
    """The operation log, newest first."""
    place = await open_place(session, caller, name)
    return await _shown(session, place.id, limit)


async def _shown(session: ReadSession, repository_id: str, limit: int) -> list[OperationInfo]:
    return [
        OperationInfo(
            operation_id=row.operation_id,
            kind=row.kind,
            summary=row.summary,
            contributor=row.contributor_name,
            working_copy=row.working_copy,
            created_at=row.created_at,
            undone=row.undone,
        )
        for row in await store.latest_operations(session, repository_id, limit)
    ]
