"""Tags on the wire."""

from commontrace.models.base import Record


class TagCount(Record):
    """A tag and how many traces the caller may see carry it."""

    tag: str
    traces: int
