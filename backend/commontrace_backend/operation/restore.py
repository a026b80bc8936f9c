"""Putting a backup into an empty store: all of it in one transaction, or nothing."""

from collections.abc import Iterator
from typing import Any, Final

from sqlalchemy import Column, Integer, Table, delete, func, insert, select, text, update

from commontrace.errors import ConflictError, InvalidInputError
from commontrace_backend.database.engine import Database, engine_of
from commontrace_backend.database.schema import CURRENT
from commontrace_backend.database.session import WriteSession
from commontrace_backend.database.tenancy import EVERY_TENANT
from commontrace_backend.index.any_index import index_for
from commontrace_backend.index.postgres_vectors import add_index
from commontrace_backend.index.tables import embedding_models
from commontrace_backend.index.vectors import Model
from commontrace_backend.operation import archive, rows
from commontrace_backend.operation.cells import from_json
from commontrace_backend.traces.tables import traces
from commontrace_backend.traces.upkeep import take_words

_AT_ONCE: Final = 200
_BYTES_AT_ONCE: Final = 4_000_000
_FOUNDATION: Final = frozenset({"organizations", "contributors", "store_secrets"})
"""What every store has before anybody has used it; the backup brings its own."""


async def restore(database: Database, reader: archive.Reader, told: archive.Progress) -> None:
    """Load a backup into a store that holds nothing, and bring it up to today's schema.

    Raises:
        ConflictError: the store holds something, or has a newer schema than the backup. It is left as it is.
        InvalidInputError: the backup was made by a newer CommonTrace.
    """
    manifest = reader.manifest
    _check(manifest)
    await database.build(manifest.schema_number)
    if (found := await database.schema()) != manifest.schema_number:
        raise ConflictError(
            f"The backup has schema {manifest.schema_number} and the store there has {found}; it was left as it is.",
            "Restore into a place where there is no store yet: an empty database, or a new file.",
        )
    told(0, manifest.rows)
    async with database.writing(EVERY_TENANT) as session:
        await _empty(session, [table for table in rows.tables() if table.name in manifest.parts])
        for table in rows.tables():
            if table.name in manifest.parts:
                with archive.of_part(table.name):
                    await _load(session, table, reader, engine_of(database), told)
        if engine_of(database) == "postgresql":
            await _settle_postgres(session, manifest)
        while found == CURRENT and await take_words(session, index_for(database, traces.c.number)):
            pass
    await database.open()  # what an older schema lacks is added now, and made in the background


def _check(manifest: archive.Manifest) -> None:
    known = rows.KNOWN
    if manifest.schema_number > CURRENT or any(
        name not in known or set(part.columns) - set(known[name].c.keys()) for name, part in manifest.parts.items()
    ):
        raise InvalidInputError(
            f"The backup has schema {manifest.schema_number}, made by CommonTrace {manifest.version}; this one restores"
            f" up to {CURRENT}.",
            "Upgrade CommonTrace, then restore it.",
        )


async def _empty(session: WriteSession, there: list[Table]) -> None:
    """Make room for the backup's own founders; refuse where there is anything else."""
    for table in there:
        if table.name not in _FOUNDATION and await rows.count(session, table):
            raise ConflictError(
                f"The store is not empty: it has {table.name.replace('_', ' ')}. It was left as it is.",
                "Restore into an empty database, or into a new file with --into.",
            )
    for table in reversed(there):
        if table.name in _FOUNDATION:
            for column in _self_references(table):
                await session.write(update(table).values({column.name: None}))
            await session.write(delete(table))


async def _load(
    session: WriteSession, table: Table, reader: archive.Reader, engine: str, told: archive.Progress
) -> None:
    later = [column for column in _self_references(table) if column.name in reader.manifest.parts[table.name].columns]
    for batch in _batches(reader.rows(table.name)):
        values = [
            {
                name: None if table.c[name] in later else from_json(table.c[name], value, engine)
                for name, value in row.items()
            }
            for row in batch
        ]
        await session.write(insert(table), values)
        told(len(batch), 0)
    for column in later:  # once all are there to be referred to
        (key,) = table.primary_key
        for row in reader.rows(table.name):
            if row[column.name] is not None:
                await session.write(update(table).where(key == row[key.name]).values({column.name: row[column.name]}))


def _batches(found: Iterator[dict[str, Any]]) -> Iterator[list[dict[str, Any]]]:
    batch: list[dict[str, Any]] = []
    size = 0
    for row in found:
        batch.append(row)
        size += sum(len(value) for value in row.values() if isinstance(value, str))
        if len(batch) == _AT_ONCE or size > _BYTES_AT_ONCE:
            yield batch
            batch, size = [], 0
    if batch:
        yield batch


def _self_references(table: Table) -> list[Column[Any]]:
    return [key.parent for key in table.foreign_keys if key.column.table is table]


async def _settle_postgres(session: WriteSession, manifest: archive.Manifest) -> None:
    """Numbers go on behind the highest; each model has its index; the planner knows what is there."""
    for name in manifest.parts:
        for column in rows.KNOWN[name].primary_key:
            if isinstance(column.type, Integer) and column.autoincrement is True:
                await session.execute(
                    select(
                        func.setval(
                            func.pg_get_serial_sequence(name, column.name),
                            func.coalesce(func.max(column), 1),
                            func.count(column) > 0,
                        )
                    )
                )
    if embedding_models.name in manifest.parts:
        for row in await session.all(select(embedding_models)):
            await add_index(session, Model(row.model_id, row.name, row.dimension))
    await session.execute(text("ANALYZE"))
