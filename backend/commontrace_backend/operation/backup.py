"""A backup: every row of one consistent view, whatever is written meanwhile."""

from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

from commontrace.models.operation import BackupReport
from commontrace_backend.database.engine import Database, engine_of
from commontrace_backend.database.session import ReadSession
from commontrace_backend.database.tenancy import EVERY_TENANT
from commontrace_backend.operation import archive, rows
from commontrace_backend.operation.cells import to_json

_TOLD_EVERY = 200


async def back_up(database: Database, schema: int, path: Path, told: archive.Progress) -> BackupReport:
    """Write a backup of a store of this schema, which may be an older one.

    Raises:
        InvalidInputError: there is a file of that name.
        StoreUnusableError: the file cannot be written.
    """
    engine = engine_of(database)
    manifest = archive.Manifest(
        version=version("commontrace"),
        created_at=datetime.now(UTC).isoformat(timespec="seconds"),
        engine=engine,
        schema_number=schema,
    )
    with archive.writing(path, manifest) as writer:
        async with database.reading(EVERY_TENANT) as session:
            kept = await rows.kept_columns(session, engine)
            there = [table for table in rows.tables() if table.name in kept]
            told(0, sum([await rows.count(session, table) for table in there]))
            for table in there:
                await _copy(session, writer, table.name, kept[table.name], engine, told)
    return report_of(manifest, path)


async def _copy(
    session: ReadSession, writer: archive.Writer, name: str, columns: list[str], engine: str, told: archive.Progress
) -> None:
    table = rows.KNOWN[name]
    with writer.part(name, columns) as add:
        done = 0
        async for row in rows.pages(session, table, columns, engine):
            add([to_json(table.c[column], value) for column, value in zip(columns, row, strict=True)])
            done += 1
            if done % _TOLD_EVERY == 0:
                told(_TOLD_EVERY, 0)
        told(done % _TOLD_EVERY, 0)


def report_of(manifest: archive.Manifest, path: Path) -> BackupReport:
    """What a manifest says, for whoever asked for the backup."""
    return BackupReport(
        file=str(path),
        schema_number=manifest.schema_number,
        engine=manifest.engine,
        created_at=manifest.created_at,
        rows={name: part.rows for name, part in manifest.parts.items()},
        bytes=path.stat().st_size,
    )
