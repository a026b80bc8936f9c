"""The operation log: undo, redo, and what was done."""

from commontrace._async.contexts.bound import AsyncBound
from commontrace.models.contexts import NewTurn, OperationInfo


class AsyncOperations(AsyncBound):
    """Taking back and doing again."""

    async def undo(self, *, idempotency_key: str | None = None) -> OperationInfo:
        """Take back the newest operation of this working copy."""
        return await self._write("undo", "undo", OperationInfo, NewTurn.of(idempotency_key=idempotency_key))

    async def redo(self, *, idempotency_key: str | None = None) -> OperationInfo:
        """Do again what undo took back last."""
        return await self._write("redo", "redo", OperationInfo, NewTurn.of(idempotency_key=idempotency_key))

    async def operations(self, limit: int | None = 50, before: int | None = None) -> list[OperationInfo]:
        """The operation log, newest first; `before` is an `operation_id`, to go on that of the last.

        A `limit` of None gives all of it.
        """
        return await self._list("operations", "operations", OperationInfo, limit, before=before)
