"""Every table of a store in an order in which rows can be put back, and which of it a database has."""

from collections.abc import AsyncIterator, Mapping, Sequence
from typing import Any, Final

from sqlalchemy import Column, Row, Table, Text, cast, func, literal, select, text, tuple_

from commontrace_backend.contexts import tables as contexts
from commontrace_backend.contributors import tables as contributors
from commontrace_backend.database.session import ReadSession
from commontrace_backend.database.tables import metadata
from commontrace_backend.index import tables as index
from commontrace_backend.log import tables as log
from commontrace_backend.traces import tables as traces

CONCEPTS: Final = (contributors, traces, contexts, log, index)
"""Importing them makes the metadata whole."""

_FEWEST: Final = 20
_MOST: Final = 500
_PAGE_BYTES: Final = 4_000_000

_COLUMNS: Final = {
    "sqlite": text(
        "SELECT m.name AS name, p.name AS part FROM sqlite_master m JOIN pragma_table_info(m.name) p"
        " WHERE m.type = 'table' ORDER BY m.name, p.cid"
    ),
    "postgresql": text(
        "SELECT c.relname AS name, a.attname AS part FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid"
        " WHERE c.relkind = 'r' AND c.relnamespace = current_schema()::regnamespace"
        " AND a.attnum > 0 AND NOT a.attisdropped ORDER BY c.relname, a.attnum"
    ),
}


KNOWN: Final[Mapping[str, Table]] = metadata.tables
"""Every table by its name."""


def tables() -> list[Table]:
    """Every table that holds what cannot be made anew, those first that others refer to."""
    return list(metadata.sorted_tables)


async def kept_columns(session: ReadSession, engine: str) -> dict[str, list[str]]:
    """The columns that a database has of each of our tables: an older schema has fewer."""
    found: dict[str, list[str]] = {}
    for row in await session.all(_COLUMNS[engine]):
        table = KNOWN.get(row.name)
        if table is not None and row.part in table.c:
            found.setdefault(row.name, []).append(row.part)
    return found


async def count(session: ReadSession, table: Table) -> int:
    """How many rows a table has."""
    return int(await session.scalar(select(func.count()).select_from(table)))


async def pages(session: ReadSession, table: Table, columns: Sequence[str], engine: str) -> AsyncIterator[Row[Any]]:
    """The rows of a table in the order of its key, a page a statement; large rows make small pages."""
    key = list(table.primary_key)
    wanted = select(*(_read(table.c[name], engine) for name in columns)).order_by(*key)
    last: Row[Any] | None = None
    limit = _FEWEST
    while True:
        page = wanted if last is None else wanted.where(_after(key, last))
        rows = await session.all(page.limit(limit))
        for row in rows:
            yield row
        if len(rows) < limit:
            return
        last = rows[-1]
        size = sum(len(value) if isinstance(value, (bytes, str)) else 100 for row in rows for value in row)
        limit = max(1, min(_MOST, limit * _PAGE_BYTES // max(1, size)))


def _read(column: Column[Any], engine: str) -> Any:
    if engine == "postgresql" and column is index.trace_vectors.c.vector:
        return cast(column, Text).label(column.name)
    return column


def _after(key: Sequence[Column[Any]], last: Row[Any]) -> Any:
    return tuple_(*key) > tuple_(*(literal(getattr(last, column.name), column.type) for column in key))
