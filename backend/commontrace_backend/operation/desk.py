"""What a command asks of the data beside it; each call opens the database and closes it."""

import os
import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Final

from commontrace.errors import ConflictError, NotFoundError
from commontrace.models.operation import BackupReport, Examination, Fault, MigrationReport
from commontrace_backend.database.engine import Database, connect_database
from commontrace_backend.database.schema import CURRENT
from commontrace_backend.database.sqlite_database import SqliteDatabase
from commontrace_backend.operation import archive
from commontrace_backend.operation.backup import back_up, report_of
from commontrace_backend.operation.examining import examine, repair
from commontrace_backend.operation.restore import restore
from commontrace_backend.settings import BackendSettings
from commontrace_backend.shared.link import AwayError, Link

_MIGRATION_SECONDS: Final = 3600.0
"""How long one deployment waits for another one that migrates."""


class Desk:
    """The operations on the database at a URL."""

    def __init__(self, url: str) -> None:
        self._url = url

    async def back_up(self, path: Path, told: archive.Progress) -> BackupReport:
        """Write a backup while others go on writing; a store of an older schema is left at it.

        Raises:
            NotFoundError: there is no store.
            InvalidInputError: there is a file of that name.
            StoreUnusableError: the store cannot be read, or the file not be written.
        """
        async with _connected(self._url) as database:
            schema = await database.schema()
            if not schema:
                raise NotFoundError("There is no store at the URL.", "Correct --url or COMMONTRACE_URL.")
            return await back_up(database, schema, path, told)

    async def restore(self, path: Path, told: archive.Progress) -> BackupReport:
        """Load a backup into an empty database, or into a new file that appears once it is whole.

        Raises:
            InvalidInputError: the file is no backup, is damaged, or comes from a newer CommonTrace.
            ConflictError: the store is not empty, or of a newer schema than the backup.
        """
        with archive.reading(path) as reader:
            async with _connected(self._url) as database:
                if isinstance(database, SqliteDatabase) and not database.path.exists():
                    await _as_new_file(database.path, reader, told)
                else:
                    await restore(database, reader, told)
            return report_of(reader.manifest, path)

    async def migrate(self) -> MigrationReport:
        """Run the missing migrations; who comes second waits and finds it done."""
        async with _connected(self._url, lock_wait=_MIGRATION_SECONDS) as database:
            return MigrationReport(found=await database.open(), schema_number=await database.schema())

    async def compare(self) -> MigrationReport:
        """Which schema the store has and which it should have; nothing is changed."""
        async with _connected(self._url) as database:
            found = await database.schema()
            return MigrationReport(found=found, schema_number=max(found, CURRENT))

    async def examine(self) -> Examination:
        """What in the store, and of Redis where the settings name one, is not as it should be; nothing is changed.

        Raises:
            StoreUnusableError: the store cannot even be opened, or is of an older schema.
        """
        async with _connected(self._url) as database:
            await database.open(upgrade=False)
            found = await examine(database)
        return found.model_copy(update={"faults": [*found.faults, *await _shared(self._url)]})

    async def repair(self) -> Examination:
        """Make anew from rows what can be; returns what is left."""
        async with _connected(self._url) as database:
            await database.open(upgrade=False)
            return await repair(database)


@asynccontextmanager
async def _connected(url: str, lock_wait: float = 30.0) -> AsyncIterator[Database]:
    database = connect_database(url, lock_wait=lock_wait)
    try:
        yield database
    finally:
        await database.close()


async def _shared(url: str) -> list[Fault]:
    """What is wrong with what the servers of a store share."""
    redis_url = BackendSettings.given(database_url=url).redis_url.get_secret_value()
    if not redis_url:
        return []
    link = Link(redis_url)
    with suppress(AwayError):  # it says so itself
        await link.ping()
    await link.close()
    hint = "Mend Redis or COMMONTRACE_REDIS_URL."
    return [Fault(part="redis", what=said.rstrip("."), repairable=False, hint=hint) for said in link.degraded]


async def _as_new_file(path: Path, reader: archive.Reader, told: archive.Progress) -> None:
    beside = path.with_name(f".{path.name}.{secrets.token_hex(4)}.part")
    try:
        async with _connected(f"sqlite:///{beside}") as database:
            await restore(database, reader, told)
        _put(beside, path)
    finally:
        for name in (beside.name, f"{beside.name}.lock", f"{beside.name}-wal", f"{beside.name}-shm"):
            path.with_name(name).unlink(missing_ok=True)
        for copy in path.parent.glob(f"{beside.name}.schema-*.bak"):  # of an older schema that was upgraded here
            copy.unlink()


def _put(beside: Path, path: Path) -> None:
    """Give a file its name, and have the disk know it."""
    if path.exists():  # somebody made one meanwhile
        raise ConflictError(f"There is a store at {path} by now; it was left as it is.", "Restore into another file.")
    beside.rename(path)
    folder = path.parent
    if os.name == "posix":  # elsewhere a folder cannot be opened
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
