"""What hooks remember on this machine: a small SQLite file that nothing leaves. Standard library only.

It holds no text that was not redacted. Everybody may forget it: without it hooks only say less.
"""

import json
import os
import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from typing import Any, Final, NamedTuple

from commontrace.hooks.journal import note

_TABLES: Final = """
create table if not exists told (run text, what text, at real, primary key (run, what)) without rowid;
create table if not exists runs (run text primary key, project text, state text, at real) without rowid;
create table if not exists fixes (project text, fingerprint text, error text, command text, steps text, at real,
    primary key (project, fingerprint)) without rowid;
create table if not exists briefs (project text primary key, brief text, lines text, at real) without rowid;
create table if not exists captures (run text primary key, repository text, branch text, bytes integer, at real)
    without rowid;
create table if not exists risky (key text primary key, reason text, at real) without rowid;
create table if not exists learned (key text primary key, at real) without rowid;
create table if not exists counters (day text, name text, n integer, primary key (day, name)) without rowid;
"""
_KEPT: Final = {"told": 2_000, "runs": 200, "fixes": 1_000, "briefs": 500, "risky": 2_000, "learned": 20_000}
"""How many rows of each table are kept: the newest. Counters and captures are few."""
_PATIENCE: Final = 0.1
"""Seconds to wait for somebody else's write."""


class Fix(NamedTuple):
    """What was done before a command passed that had failed with an error; all of it redacted."""

    fingerprint: str
    error: str
    command: str
    steps: list[str]
    at: float


class Capture(NamedTuple):
    """A transcript that is kept: of which run, and on which branch of which context."""

    run: str
    repository: str
    branch: str
    size: int
    at: float


class Notes:
    """The notes in a folder; every method opens the file anew, and raises sqlite3.Error where it cannot."""

    def __init__(self, folder: str) -> None:
        self._folder = folder
        self._path = os.path.join(folder, "notes.db")

    @contextmanager
    def _reading(self) -> Iterator[sqlite3.Connection]:
        """A connection that makes no file."""
        address = f"file:{self._path.replace('%', '%25').replace('?', '%3f').replace('#', '%23')}?mode=ro"
        with self._connected(address) as connection:
            yield connection

    @contextmanager
    def _writing(self) -> Iterator[sqlite3.Connection]:
        """A connection and a transaction; the file is the user's alone."""
        new = not os.path.exists(self._path)
        if new:
            os.makedirs(self._folder, mode=0o700, exist_ok=True)
            os.close(os.open(self._path, os.O_CREAT | os.O_RDWR, 0o600))
        with self._connected(self._path) as connection:
            connection.execute("pragma synchronous=off")  # what a power failure takes is said once more, no worse
            connection.executescript(_TABLES)
            with connection:
                yield connection

    @contextmanager
    def _connected(self, address: str) -> Iterator[sqlite3.Connection]:
        """A connection; a file that turns out to be damaged is laid aside, so that the next hook begins a new one."""
        try:
            with closing(sqlite3.connect(address, timeout=_PATIENCE, uri=address != self._path)) as connection:
                yield connection
        except sqlite3.DatabaseError as error:
            if getattr(error, "sqlite_errorcode", 0) & 0xFF in {sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_CORRUPT}:
                os.replace(self._path, f"{self._path}.damaged")
                note(self._folder, f"notes laid aside: {error}")
            raise

    def _one(self, statement: str, *values: Any) -> tuple[Any, ...] | None:
        rows = self._all(statement, *values)
        return rows[0] if rows else None

    def _all(self, statement: str, *values: Any) -> list[tuple[Any, ...]]:
        if not os.path.exists(self._path):
            return []
        try:
            with self._reading() as connection:
                return connection.execute(statement, values).fetchall()
        except sqlite3.DatabaseError:
            if os.path.exists(self._path):
                raise
            return []  # it was damaged, and laid aside

    def _put(self, table: str, *values: Any) -> None:
        """Write a row whose last value is the time, and let the oldest go."""
        with self._writing() as connection:
            marks = ",".join("?" * (len(values) + 1))
            row = (*values, time.time())
            connection.execute(f"insert or replace into {table} values ({marks})", row)  # noqa: S608 - our own name
            _let_oldest_go(connection, table)

    def tell(self, run: str, what: str) -> bool:
        """Note that a run is told something; returns False where it was told before."""
        with self._writing() as connection:
            new = connection.execute("insert or ignore into told values (?,?,?)", (run, what, time.time())).rowcount
            _let_oldest_go(connection, "told")
        return new > 0

    def was_told(self, run: str, what: str) -> bool:
        """Whether a run was told something."""
        return self._one("select 1 from told where run = ? and what = ?", run, what) is not None

    def run_state(self, run: str) -> list[Any]:
        """What a run left open."""
        row = self._one("select state from runs where run = ?", run)
        return list(json.loads(row[0])) if row else []

    def keep_run(self, run: str, project: str, state: list[Any]) -> None:
        """Keep what a run left open."""
        self._put("runs", run, project, json.dumps(state))

    def left_open(self, project: str) -> list[Any]:
        """What the last run of a project left open."""
        row = self._one("select state from runs where project = ? order by at desc limit 1", project)
        return list(json.loads(row[0])) if row else []

    def keep_fix(self, project: str, fix: Fix) -> None:
        """Keep what resolved an error in a project; the newest counts."""
        self._put("fixes", project, fix.fingerprint, fix.error, fix.command, json.dumps(fix.steps))

    def fix(self, project: str, fingerprint: str) -> Fix | None:
        """What resolved an error in a project."""
        row = self._one(
            "select fingerprint, error, command, steps, at from fixes where project = ? and fingerprint = ?",
            project,
            fingerprint,
        )
        return Fix(row[0], row[1], row[2], json.loads(row[3]), row[4]) if row else None

    def keep_brief(self, project: str, brief: str, lines: list[str]) -> None:
        """Keep what a run in a project is told at its start, and what of it was gathered from the store."""
        self._put("briefs", project, brief, json.dumps(lines))

    def brief_lines(self, project: str) -> list[str]:
        """What was gathered from the store for a project."""
        row = self._one("select lines from briefs where project = ?", project)
        return list(json.loads(row[0])) if row else []

    def brief(self, project: str) -> str:
        """What a run in a project is told at its start."""
        row = self._one("select brief from briefs where project = ?", project)
        return str(row[0]) if row else ""

    def keep_capture(self, run: str, repository: str, branch: str, size: int) -> None:
        """Keep where a run's transcript went."""
        self._put("captures", run, repository, branch, size)

    def captures(self) -> list[Capture]:
        """Every transcript that is kept, the newest first."""
        return [Capture(*row) for row in self._all("select * from captures order by at desc")]

    def forget_capture(self, run: str) -> None:
        """A transcript is kept no longer."""
        with self._writing() as connection:
            connection.execute("delete from captures where run = ?", (run,))

    def keep_risky(self, key: str, reason: str) -> None:
        """Keep why a command was asked about."""
        self._put("risky", key, reason)

    def risky(self, keys: list[str]) -> list[str]:
        """Why any of these commands was asked about."""
        found = [self._one("select reason from risky where key = ?", key) for key in keys]
        return list(dict.fromkeys(str(row[0]) for row in found if row))

    def keep_learned(self, key: str) -> None:
        """A finding was stored, or somebody did not want it."""
        self._put("learned", key)

    def learned(self) -> set[str]:
        """Every finding that was decided on."""
        return {row[0] for row in self._all("select key from learned")}

    def count(self, **counted: int) -> None:
        """Add to the counters of today."""
        day = time.strftime("%Y-%m-%d", time.gmtime())
        with self._writing() as connection:
            connection.executemany(
                "insert into counters values (?,?,?) on conflict (day, name) do update set n = n + excluded.n",
                [(day, name, n) for name, n in counted.items() if n],
            )

    def counters(self) -> dict[str, dict[str, int]]:
        """What was counted, by day (UTC), the oldest first."""
        found: dict[str, dict[str, int]] = {}
        for day, name, n in self._all("select day, name, n from counters order by day, name"):
            found.setdefault(day, {})[name] = n
        return found


def _let_oldest_go(connection: sqlite3.Connection, table: str) -> None:
    """Keep the newest rows of a table, where it is one that grows."""
    if table in _KEPT:
        since = f"(select at from {table} order by at desc limit 1 offset ?)"  # noqa: S608 # nosec B608
        old = f"delete from {table} where at < {since}"  # noqa: S608 # nosec B608
        connection.execute(old, (_KEPT[table] - 1,))
