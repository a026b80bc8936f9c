"""The operation log."""

from datetime import datetime

from commontrace.models.base import Record, Repeatable


class NewTurn(Repeatable):
    """An operation to be taken back, or done again."""


class OperationInfo(Record):
    """One entry of the operation log."""

    operation_id: int
    kind: str
    summary: str
    contributor: str
    working_copy: str
    created_at: datetime
    undone: bool
