"""The operation log: undo, redo, and what was done."""

from commontrace._sync.contexts.bound import Bound
from commontrace.models.contexts import NewTurn, OperationInfo


class Operations(Bound):
    """Taking back and doing again."""

    def undo(self, *, idempotency_key: str | None = None) -> OperationInfo:
        """Take back the newest operation of this working copy."""
        return self._write("undo", "undo", OperationInfo, NewTurn.of(idempotency_key=idempotency_key))

    def redo(self, *, idempotency_key: str | None = None) -> OperationInfo:
        """Do again what undo took back last."""
        return self._write("redo", "redo", OperationInfo, NewTurn.of(idempotency_key=idempotency_key))

    def operations(self, limit: int | None = 50, before: int | None = None) -> list[OperationInfo]:
        """The operation log, newest first; `before` is an `operation_id`, to go on that of the last.

        A `limit` of None gives all of it.
        """
        return self._list("operations", "operations", OperationInfo, limit, before=before)
