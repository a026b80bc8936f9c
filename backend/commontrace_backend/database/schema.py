"""Which schema a store has, and how it gets the one this code needs."""

import asyncio
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Final

from commontrace.errors import NewerSchemaError, StoreUnusableError
from commontrace_backend.database.lock import WriterLock

CURRENT: Final = 1
"""The schema this code writes; migrations/versions holds one file a step."""

MIN_READER: Final = 1
"""The oldest code that may still use a store of this schema; raised only by a change that is not additive."""


async def bring_up_to_date(path: Path, lock: WriterLock) -> None:
    """Create or upgrade the store at `path`; raises NewerSchemaError and leaves a newer one untouched."""
    if await asyncio.to_thread(needs_upgrade, path):
        async with lock.hold():
            if await asyncio.to_thread(needs_upgrade, path):  # another process may have done it meanwhile
                await asyncio.to_thread(_upgrade, path)


def needs_upgrade(path: Path) -> bool:
    """Whether the store is missing or older than this code; one SELECT."""
    if not path.exists():
        return True
    found, min_reader = _versions(path)
    if found > CURRENT and min_reader > CURRENT:
        raise NewerSchemaError(
            f"The store at {path} has schema {found}; this CommonTrace reads up to {CURRENT}. It was left untouched.",
            "Upgrade CommonTrace, or point COMMONTRACE_URL to another file.",
        )
    return found < CURRENT


def _versions(path: Path) -> tuple[int, int]:
    try:
        with closing(sqlite3.connect(path, timeout=5.0)) as connection:
            if not connection.execute("SELECT 1 FROM sqlite_master LIMIT 1").fetchone():
                return 0, 0
            row = connection.execute(
                "SELECT version_num, (SELECT max(min_reader) FROM schema_info) FROM alembic_version"
            ).fetchone()
            return (int(row[0]), int(row[1] or 0)) if row else (0, 0)
    except (sqlite3.DatabaseError, ValueError) as error:
        raise _unreadable(path, error) from error


def _unreadable(path: Path, error: Exception) -> StoreUnusableError:
    if "unable to open" in str(error) or "readonly" in str(error):
        return StoreUnusableError(
            f"The store at {path} cannot be opened.",
            "Give this user permission on the file and its folder, or set COMMONTRACE_URL to another place.",
        )
    return StoreUnusableError(
        f"The file at {path} is damaged or not a CommonTrace store ({error}); it was left as it is.",
        "Keep it for rescue and point COMMONTRACE_URL to another file.",
    )


def _upgrade(path: Path) -> None:
    """Run the missing migrations; an existing store is copied beside itself first."""
    from alembic import command
    from alembic.config import Config
    from sqlalchemy import URL, create_engine

    if path.exists() and path.stat().st_size:
        _back_up(path)
    path.touch(mode=0o600)
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations").replace("%", "%%"))
    engine = create_engine(URL.create("sqlite", database=str(path)), connect_args={"isolation_level": None})
    try:
        with engine.connect() as connection:
            connection.exec_driver_sql("PRAGMA journal_mode=WAL")
            connection.exec_driver_sql("BEGIN IMMEDIATE")
            config.attributes["connection"] = connection
            command.upgrade(config, "head")
            connection.commit()
    finally:
        engine.dispose()


def _back_up(path: Path) -> None:
    found, _ = _versions(path)
    copy = path.with_name(f"{path.name}.schema-{found}.bak")
    with closing(sqlite3.connect(path)) as source, closing(sqlite3.connect(copy)) as target:
        source.backup(target)
    copy.chmod(0o600)
