"""Pages of lists: each begins behind the last item of the page before, wherever that is by now."""

import base64
import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Annotated, Any, Final, TypeVar

from fastapi import Depends, Query
from sqlalchemy import ColumnElement, Row, Select, and_, or_

from commontrace.errors import InvalidInputError
from commontrace.models.base import MOST_ITEMS
from commontrace_backend.database.session import ReadSession
from commontrace_backend.database.types import UtcDateTime

T = TypeVar("T")
Position = tuple[Any, ...]
Item = TypeVar("Item")

_LARGEST: Final = 2**31  # no row has a number as large

Cursor = Annotated[
    str, Query(max_length=1000, description="next_cursor of the page before; for the first page nothing.")
]
"""Where a page begins."""

Limit = Annotated[int, Query(ge=1, le=MOST_ITEMS, description="How many items at most.")]


@dataclass(frozen=True, slots=True)
class Asked:
    """Which page is wanted.

    Attributes:
        limit: items that it may have.
        cursor: `next_cursor` of the page before; empty for the first one.
    """

    limit: int
    cursor: str = ""


def _asked(limit: Limit = 50, cursor: Cursor = "") -> Asked:
    return Asked(limit, cursor)


Paged = Annotated[Asked, Depends(_asked)]
"""The parameters of every list."""


@dataclass(frozen=True, slots=True)
class Key:
    """One of the columns that a list is sorted by; rows have it under its name."""

    name: str
    column: ColumnElement[Any]
    descending: bool = False

    def _beyond(self, value: object) -> ColumnElement[bool]:
        return self.column < value if self.descending else self.column > value

    @property
    def kind(self) -> type[Any]:
        """What its values are in Python."""
        return datetime if isinstance(self.column.type, UtcDateTime) else self.column.type.python_type


class Order:
    """How a list is sorted: by columns that no two of its rows have alike and that do not change.

    Args:
        of: the list's name, which its cursors hold, so that one of another list is refused.
        keys: the columns.
    """

    def __init__(self, of: str, *keys: Key) -> None:
        self._of = of
        self._keys = keys

    def page(self, statement: Select[Any], asked: Asked) -> Select[Any]:
        """The rows of a page in order, and one more where there are more."""
        sorted_by = [key.column.desc() if key.descending else key.column for key in self._keys]
        position = self.position(asked.cursor)
        if position is not None:
            statement = statement.where(self._behind(position))
        return statement.order_by(*sorted_by).limit(asked.limit + 1)

    def _behind(self, position: Position) -> ColumnElement[bool]:
        known = list(zip(self._keys, position, strict=True))
        return or_(
            *(
                and_(*(before.column == same for before, same in known[:place]), key._beyond(value))  # noqa: SLF001 - one class
                for place, (key, value) in enumerate(known)
            )
        )

    def position(self, cursor: str) -> Position | None:
        """Where a cursor leads; None for the first page. Raises InvalidInputError for one that is none of this list."""
        return read_cursor(self._of, [key.kind for key in self._keys], cursor)

    def cut(self, rows: Sequence[Item], asked: Asked) -> tuple[Sequence[Item], str | None]:
        """The rows that the page has, and the cursor of the next one; None on the last page."""
        if len(rows) <= asked.limit:
            return rows, None
        last = rows[asked.limit - 1]
        return rows[: asked.limit], write_cursor(self._of, *(getattr(last, key.name) for key in self._keys))

    async def read(
        self, session: ReadSession, statement: Select[Any], asked: Asked, parameters: Any = None
    ) -> tuple[Sequence[Row[Any]], str | None]:
        """The rows of a page, and the cursor of the next one."""
        return self.cut(await session.all(self.page(statement, asked), parameters), asked)


def page_of(
    of: str, kinds: Sequence[type[Any]], placed: Sequence[tuple[Position, T]], asked: Asked
) -> tuple[list[T], str | None]:
    """The items of a page of what was made in memory, and the cursor of the next one.

    Args:
        of: the list's name.
        kinds: what the values of a place are.
        placed: in order, each item behind its place, which is its own.
        asked: which page.
    """
    position = read_cursor(of, kinds, asked.cursor)
    left = [(place, item) for place, item in placed if position is None or place > position]
    shown = left[: asked.limit]
    goes_on = write_cursor(of, *shown[-1][0]) if len(left) > asked.limit else None
    return [item for _, item in shown], goes_on


def write_cursor(of: str, *position: object) -> str:
    """A cursor: opaque to whoever gets it, no secret to whoever looks."""
    values = [value.isoformat() if isinstance(value, datetime) else value for value in position]
    return base64.urlsafe_b64encode(json.dumps([of, *values]).encode()).decode().rstrip("=")


def read_cursor(of: str, kinds: Sequence[type[Any]], cursor: str) -> Position | None:
    """Where a cursor leads, None for the first page.

    Raises:
        InvalidInputError: it is no cursor, or one of another list.
    """
    if not cursor:
        return None
    try:
        padded = cursor + "=" * (-len(cursor) % 4)
        name, *values = json.loads(base64.b64decode(padded, altchars=b"-_", validate=True))
        position = tuple(_value(kind, value) for kind, value in zip(kinds, values, strict=True))
    except (ValueError, TypeError, OverflowError, RecursionError) as error:
        raise _malformed() from error
    if name != of:
        raise _malformed()
    return position


def _malformed() -> InvalidInputError:
    return InvalidInputError("This cursor is malformed.", "Pass next_cursor of the page before, or nothing.")


def _value(kind: type[Any], value: Any) -> Any:
    if kind is datetime:
        moment = datetime.fromisoformat(value)
        if moment.tzinfo is None:
            raise ValueError("no zone")
        return moment.astimezone(UTC)
    if type(value) is not kind or (kind is str and "\0" in value) or (kind is int and abs(value) >= _LARGEST):
        raise ValueError("not of the kind")
    if kind is str:
        value.encode()  # half a character is none
    return value
