"""The files of a SQLite store as a whole: how large they are, whether they are sound, and writing them anew."""

import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Final

_WAIT: Final = 10.0  # seconds, for readers to end
_MOST: Final = 20  # problems; behind them all are of one kind


def size(path: Path) -> int:
    """Bytes of the file and of its write-ahead log."""
    log = path.with_name(f"{path.name}-wal")
    return path.stat().st_size + (log.stat().st_size if log.exists() else 0)


def damage(path: Path) -> list[str]:
    """What SQLite finds wrong with a file, each problem in its own words; none where it is sound."""
    try:
        with closing(sqlite3.connect(path, timeout=_WAIT)) as connection:
            found = [str(row[0]) for row in connection.execute(f"PRAGMA integrity_check({_MOST})")]
    except sqlite3.DatabaseError as error:
        return [str(error)]
    return [] if found == ["ok"] else found


def compact(path: Path) -> bool:
    """Write a file anew without what was deleted, and empty its log; call it under the writer's lock.

    False where a reader keeps the log from being emptied.
    """
    with closing(sqlite3.connect(path, timeout=_WAIT, isolation_level=None)) as connection:
        connection.execute("VACUUM")
        busy = connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()[0]
    return not busy
