"""The wall inside the process: no SELECT reads what belongs to somebody without saying whose it wants.

PostgreSQL has a second wall, its row-level security; this one stands on every database and is there when a statement
is written. A statement is looked at once, when it is compiled for the first time.
"""

from collections.abc import Iterator
from typing import Any, Final
from weakref import WeakSet

from sqlalchemy import BindParameter, Column, CompoundSelect, CursorResult, Executable, Select, Table, TextClause
from sqlalchemy.sql.elements import BinaryExpression
from sqlalchemy.sql.operators import eq, in_op
from sqlalchemy.sql.selectable import Alias, FromClause

from commontrace_backend.database.one_of import OneOf
from commontrace_backend.database.tables import metadata

EVERY_TENANT: Final = "*"
"""Whose rows the store's own work sees: upkeep, and looking up whose a key is."""

_ACROSS: Final = "across_tenants"
_ROOTS: Final = frozenset({"traces", "repositories", "misses", "api_keys"})
"""What callers name: to know an id of one is no right to it, so they are read for a tenant or a contributor."""

_OWNERS: Final = frozenset({"tenant_id", "contributor_id"})
_ANCHORS: Final = _OWNERS | {"trace_id", "number", "repository_id"}
"""Columns that tie a row to a root whose visibility was decided before, or to its owner."""

_sound: WeakSet[Any] = WeakSet()


class TenantlessError(RuntimeError):
    """A defect of ours: a statement reads a table of tenants and names none."""


def across(statement: Select[Any], why: str) -> Select[Any]:
    """A statement that may read rows of every tenant, with the reason why nobody is shown what is not theirs."""
    return statement.execution_options(**{_ACROSS: why})


def check(tenant: str | None, statement: Executable, result: CursorResult[Any]) -> None:
    """Raise TenantlessError for a statement that reads rows of tenants without saying whose."""
    if tenant == EVERY_TENANT or _ACROSS in statement.get_execution_options():
        return
    compiled = result.context.compiled
    if compiled in _sound:
        return
    if unnamed := sorted(unbound(statement)):
        raise TenantlessError(f"a statement reads {', '.join(unnamed)} without a tenant")
    if compiled is not None:
        _sound.add(compiled)


def unbound(statement: Executable) -> set[str]:
    """The tables of tenants that a statement reads without being tied to one of them, or to a row read before."""
    if not isinstance(statement, (Select, CompoundSelect, TextClause)):
        return set()
    elements = list(_elements(statement))
    groups = {table: {table} for table in _tables(elements)}
    owned: set[FromClause] = set()
    anchored: set[FromClause] = set()
    for column, other in _comparisons(elements):
        if column.table not in groups:
            continue
        if isinstance(other, BindParameter):
            anchored.add(column.table)
            owned |= {column.table} if column.name in _OWNERS else set()
        elif isinstance(other, Column) and other.table in groups and _ties(column, other):
            _unite(groups, column.table, other.table)
    loose = {table for table, group in groups.items() if not group & anchored}
    loose |= {table for table in groups if _name(table) in _ROOTS and table not in owned}
    return {_name(table) for table in loose} | _worded(elements)


def _elements(statement: Executable) -> Iterator[Any]:
    """Every part of a statement; of a table under another name only that, for its own is not read then."""
    left: list[Any] = [statement]
    while left:
        item = left.pop()
        yield item
        if not (isinstance(item, Alias) and isinstance(item.element, Table)):
            left.extend(item.get_children())


def _tables(elements: list[Any]) -> set[FromClause]:
    found: set[FromClause] = {item.table for item in elements if isinstance(item, Column) and item.table is not None}
    found |= {item for item in elements if isinstance(item, (Table, Alias))}
    return {table for table in found if _guarded(table)}


def _guarded(table: FromClause) -> bool:
    return _name(table) in metadata.tables and "tenant_id" in table.c


def _name(table: FromClause) -> str:
    element = table.element if isinstance(table, Alias) else table
    return element.name if isinstance(element, Table) else ""


def _comparisons(elements: list[Any]) -> Iterator[tuple[Column[Any], Any]]:
    for item in elements:
        if isinstance(item, BinaryExpression) and item.operator in {eq, in_op}:
            for side, other in ((item.left, item.right), (item.right, item.left)):
                if isinstance(side, Column) and side.name in _ANCHORS:
                    yield side, other
        elif isinstance(item, OneOf):
            side, values = item.sides
            if isinstance(side, Column) and side.name in _ANCHORS:
                yield side, values


def _ties(one: Column[Any], other: Column[Any]) -> bool:
    """Whether rows that are equal here belong together; that the same person made both says nothing of that."""
    return one.name == other.name and (
        one.name != "contributor_id" or "contributors" in {_name(one.table), _name(other.table)}
    )


def _unite(groups: dict[FromClause, set[FromClause]], one: FromClause, other: FromClause) -> None:
    joined = groups[one] | groups[other]
    for table in joined:
        groups[table] = joined


def _worded(elements: list[Any]) -> set[str]:
    """Tables of tenants that words of SQL speak of, which nobody can look into."""
    words = {word for item in elements if isinstance(item, TextClause) for word in item.text.split()}
    return {name for name, table in metadata.tables.items() if "tenant_id" in table.c and name in words}
