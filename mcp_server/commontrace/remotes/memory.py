"""What is known of remotes between two runs: how far each was read, which trace is which there, and what waits."""

import json
import os
import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from commontrace._transport import anchored, without_password
from commontrace.models.syncing import OutboxItem
from commontrace.settings import default_sync_memory

_TABLES: Final = """
CREATE TABLE IF NOT EXISTS cursors (
    store TEXT, remote TEXT, name TEXT, value INTEGER NOT NULL, PRIMARY KEY (store, remote, name)
);
CREATE TABLE IF NOT EXISTS links (
    store TEXT, remote TEXT, trace_id TEXT, remote_id TEXT NOT NULL, version_id TEXT NOT NULL,
    removed INTEGER NOT NULL, linked_at TEXT NOT NULL, PRIMARY KEY (store, remote, trace_id)
);
CREATE TABLE IF NOT EXISTS arrivals (
    store TEXT, remote TEXT, trace_id TEXT, PRIMARY KEY (store, remote, trace_id)
);
CREATE TABLE IF NOT EXISTS again (
    store TEXT, remote TEXT, direction TEXT, trace_id TEXT, PRIMARY KEY (store, remote, direction, trace_id)
);
CREATE TABLE IF NOT EXISTS outbox (
    item_id INTEGER PRIMARY KEY AUTOINCREMENT, store TEXT NOT NULL, remote TEXT NOT NULL, kind TEXT NOT NULL,
    subject TEXT NOT NULL, said TEXT NOT NULL, created_at TEXT NOT NULL, tries INTEGER NOT NULL,
    problem TEXT NOT NULL, UNIQUE (store, remote, kind, subject)
);
CREATE TABLE IF NOT EXISTS refused (item_id INTEGER PRIMARY KEY);
"""


KEEP_IT: Final = "Try again when it does, or keep it in the outbox until then: {}."
"""What to do where a remote does not answer, with the command that does it."""


EVERYTHING: Final = "all"
"""In the outbox the subject of a push that names no trace."""


@dataclass(frozen=True, slots=True)
class Link:
    """Which trace of a remote a trace of ours is.

    Attributes:
        remote_id: its id there.
        version_id: the version that both served when it was last looked at.
        removed: whether it was removed here because it was removed there.
    """

    remote_id: str
    version_id: str
    removed: bool


@dataclass(slots=True)
class Progress:
    """What a page of a push or pull came to.

    Attributes:
        cursor: where the next page begins; None where there are no pages.
        links: which trace there each trace of ours is.
        arrived: traces of ours that came from there.
        done: traces, by their id where they come from, that need not be tried again.
        failed: those to try again.
    """

    cursor: int | None = None
    links: dict[str, Link] = field(default_factory=dict)
    arrived: set[str] = field(default_factory=set)
    done: set[str] = field(default_factory=set)
    failed: set[str] = field(default_factory=set)


def memory_of(url: str) -> "Memory":
    """What the store at a URL knows of its remotes."""
    return Memory(default_sync_memory(), without_password(anchored(url)))


class Memory:
    """What one store knows of its remotes, in a file beside it that only its owner may read.

    Args:
        path: the file; it is made when something is to be kept.
        store: the URL of the store.
    """

    def __init__(self, path: Path, store: str) -> None:
        self._path, self._store = path, store

    @contextmanager
    def _open(self) -> Iterator[sqlite3.Connection]:
        self._path.parent.mkdir(parents=True, exist_ok=True)
        if not self._path.exists():
            os.close(os.open(self._path, os.O_WRONLY | os.O_CREAT, 0o600))
        with closing(sqlite3.connect(self._path, timeout=30)) as connection, connection:
            connection.executescript(_TABLES)
            yield connection

    def cursor(self, remote: str, name: str) -> int:
        """How far something was read; 0 at the beginning."""
        with self._open() as db:
            row = db.execute(
                "SELECT value FROM cursors WHERE store = ? AND remote = ? AND name = ?", (self._store, remote, name)
            ).fetchone()
        return int(row[0]) if row else 0

    def links(self, remote: str, trace_ids: Sequence[str]) -> dict[str, Link]:
        """Which trace of the remote some traces are, as far as that is known."""
        marks = ", ".join("?" * len(trace_ids))
        asked = (
            "SELECT trace_id, remote_id, version_id, removed FROM links"  # noqa: S608 # nosec B608 - question marks
            f" WHERE store = ? AND remote = ? AND trace_id IN ({marks})"
        )
        with self._open() as db:
            rows = db.execute(asked, (self._store, remote, *trace_ids)).fetchall()
        return {trace_id: Link(remote_id, version, bool(removed)) for trace_id, remote_id, version, removed in rows}

    def elsewhere(self, trace_id: str) -> dict[str, str]:
        """What a trace is called elsewhere, by remote."""
        with self._open() as db:
            return dict(
                db.execute(
                    "SELECT remote, remote_id FROM links WHERE store = ? AND trace_id = ?", (self._store, trace_id)
                ).fetchall()
            )

    def came_from(self, remote: str, trace_id: str) -> bool:
        """Whether a trace of ours came from a remote, and was not here before."""
        asked = "SELECT 1 FROM arrivals WHERE store = ? AND remote = ? AND trace_id = ?"
        with self._open() as db:
            return db.execute(asked, (self._store, remote, trace_id)).fetchone() is not None

    def again(self, remote: str, direction: str) -> list[str]:
        """Traces that failed and are tried again."""
        with self._open() as db:
            rows = db.execute(
                "SELECT trace_id FROM again WHERE store = ? AND remote = ? AND direction = ? ORDER BY trace_id",
                (self._store, remote, direction),
            ).fetchall()
        return [row[0] for row in rows]

    def save(self, remote: str, direction: str, progress: Progress) -> None:
        """Keep what a page came to, all of it at once."""
        key = (self._store, remote)
        now = datetime.now(UTC).isoformat()
        links = [(*key, name, one.remote_id, one.version_id, one.removed, now) for name, one in progress.links.items()]
        with self._open() as db:
            db.executemany("INSERT OR REPLACE INTO links VALUES (?, ?, ?, ?, ?, ?, ?)", links)
            db.executemany(
                "INSERT OR REPLACE INTO arrivals VALUES (?, ?, ?)", [(*key, name) for name in progress.arrived]
            )
            db.executemany(
                "DELETE FROM again WHERE store = ? AND remote = ? AND direction = ? AND trace_id = ?",
                [(*key, direction, name) for name in progress.done],
            )
            db.executemany(
                "INSERT OR REPLACE INTO again VALUES (?, ?, ?, ?)",
                [(*key, direction, name) for name in progress.failed],
            )
            if progress.cursor is not None:
                db.execute("INSERT OR REPLACE INTO cursors VALUES (?, ?, ?, ?)", (*key, direction, progress.cursor))

    def keep(self, remote: str, kind: str, subject: str, said: Mapping[str, Any]) -> None:
        """Put something into the outbox; what is said anew takes the place of what was said of the same."""
        values = (self._store, remote, kind, subject, json.dumps(said), datetime.now(UTC).isoformat())
        with self._open() as db:
            db.execute(
                "INSERT OR REPLACE INTO outbox (store, remote, kind, subject, said, created_at, tries, problem)"
                " VALUES (?, ?, ?, ?, ?, ?, 0, '')",
                values,
            )

    def outbox(self, remote: str | None = None) -> list[tuple[OutboxItem, dict[str, Any]]]:
        """What waits for a remote, or for all, or was refused, in the order it came, with what is to be said."""
        with self._open() as db:
            rows = db.execute(
                "SELECT item_id, remote, kind, subject, created_at, tries, problem,"
                " item_id IN (SELECT item_id FROM refused), said FROM outbox"
                " WHERE store = ? AND (? IS NULL OR remote = ?) ORDER BY item_id",
                (self._store, remote, remote),
            ).fetchall()
        names = ("item_id", "remote", "kind", "subject", "created_at", "tries", "problem", "refused")
        return [
            (OutboxItem.model_validate(dict(zip(names, row[:-1], strict=True)), strict=False), json.loads(row[-1]))
            for row in rows
        ]

    def delivered(self, item_id: int) -> None:
        """Take something out of the outbox."""
        with self._open() as db:
            db.execute("DELETE FROM outbox WHERE item_id = ?", (item_id,))

    def failed(self, item_id: int, problem: str, *, for_good: bool) -> None:
        """Keep why something is still in the outbox, and whether it is put aside there."""
        with self._open() as db:
            db.execute("UPDATE outbox SET tries = tries + 1, problem = ? WHERE item_id = ?", (problem, item_id))
            if for_good:
                db.execute("INSERT OR IGNORE INTO refused VALUES (?)", (item_id,))

    def retry(self, item_id: int) -> None:
        """Let something that was put aside wait again."""
        with self._open() as db:
            db.execute("DELETE FROM refused WHERE item_id = ?", (item_id,))

    def drop(self, item: OutboxItem) -> None:
        """Give something of the outbox up; a trace is not tried again with the next push either."""
        with self._open() as db:
            db.execute("DELETE FROM outbox WHERE item_id = ?", (item.item_id,))
            db.execute("DELETE FROM refused WHERE item_id = ?", (item.item_id,))
            db.execute(
                "DELETE FROM again WHERE store = ? AND remote = ? AND direction = 'push' AND trace_id = ?",
                (self._store, item.remote, item.subject),
            )

    def forget(self, remote: str) -> None:
        """Forget everything about a remote."""
        with self._open() as db:
            for table in ("cursors", "links", "arrivals", "again", "outbox"):
                db.execute(f"DELETE FROM {table} WHERE store = ? AND remote = ?", (self._store, remote))  # noqa: S608 # nosec B608 - names of ours
