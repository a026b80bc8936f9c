"""What `contexts.py` is measured beside: raw sqlite3, pygit2 and the git command line, with the same messages.

Reads messages (JSON) from standard input, prints figures (JSON). `contexts.py` starts it once for each system.
"""

import json
import os
import resource
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from contextlib import closing
from hashlib import sha256
from pathlib import Path
from typing import Any

SIDE = 20  # messages on each side of a merge
NAMES = 100  # branches, and switches

Figures = dict[str, Any]


def cpu() -> float:
    """Seconds of CPU that this process and the children it waited for have used."""
    spent = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(one.ru_utime + one.ru_stime for one in spent)


def timed(step: Callable[[], object]) -> tuple[float, float]:
    """Seconds of CPU and of wall time that a step takes."""
    before = cpu(), time.perf_counter()
    step()
    return cpu() - before[0], time.perf_counter() - before[1]


def one_by_one(step: Callable[[Any], object], items: Sequence[Any]) -> Figures:
    """What a step costs for each item: in all, and for the first and the last hundred."""
    walls = []

    def run() -> None:
        for item in items:
            began = time.perf_counter()
            step(item)
            walls.append(time.perf_counter() - began)

    spent, wall = timed(run)
    some = min(100, len(walls))
    return {
        "commits": spent,
        "wall": wall,
        "first": sum(walls[:some]) / some * 1000,
        "last": sum(walls[-some:]) / some * 1000,
    }


class Raw:
    """Blobs, commits and a ref in SQLite, and nothing else."""

    def __init__(self, path: Path) -> None:
        self.store = sqlite3.connect(path, isolation_level=None)
        self._parent = ""
        for statement in (
            "PRAGMA journal_mode=WAL",
            "PRAGMA synchronous=FULL",
            "CREATE TABLE blobs(id TEXT PRIMARY KEY, encoded BLOB)",
            "CREATE TABLE commits(id TEXT PRIMARY KEY, parent TEXT, blob TEXT)",
            "CREATE TABLE refs(name TEXT PRIMARY KEY, id TEXT)",
        ):
            self.store.execute(statement)

    def commit(self, *messages: dict[str, Any]) -> None:
        """A commit for each message, all in one durable transaction."""
        self.store.execute("BEGIN IMMEDIATE")
        for message in messages:
            encoded = json.dumps(message, sort_keys=True).encode()
            blob = sha256(encoded).hexdigest()
            made = sha256(f"{self._parent}{blob}".encode()).hexdigest()
            self.store.execute("INSERT OR IGNORE INTO blobs VALUES (?, ?)", (blob, encoded))
            self.store.execute("INSERT OR IGNORE INTO commits VALUES (?, ?, ?)", (made, self._parent, blob))
            self.store.execute("INSERT OR REPLACE INTO refs VALUES ('main', ?)", (made,))
            self._parent = made
        self.store.execute("COMMIT")

    def log(self) -> list[Any]:
        """Every commit, newest first."""
        return self.store.execute(
            "WITH RECURSIVE log(id, parent, blob) AS (SELECT id, parent, blob FROM commits WHERE id = ?"
            " UNION ALL SELECT c.id, c.parent, c.blob FROM commits c JOIN log ON c.id = log.parent) SELECT * FROM log",
            (self._parent,),
        ).fetchall()

    def window(self) -> list[Any]:
        """Every message."""
        found = dict(self.store.execute("SELECT id, encoded FROM blobs").fetchall())
        return [json.loads(found[row[2]]) for row in reversed(self.log())]


def raw_sqlite(messages: list[dict[str, Any]], folder: Path) -> Figures:
    """A blob, a commit and a ref in one durable transaction a message: the least that any store on SQLite does."""
    raw = Raw(folder / "raw.db")
    with closing(raw.store):
        figures = one_by_one(raw.commit, messages)
        figures |= {"log": timed(raw.log)[0], "cold": timed(raw.window)[0], "warm": timed(raw.window)[0]}
        raw.store.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        figures["bytes"] = (folder / "raw.db").stat().st_size
        again = [{**message, "again": True} for message in messages]
        return {**figures, "batch": timed(lambda: raw.commit(*again))[0]}


def pygit2_library(messages: list[dict[str, Any]], folder: Path) -> Figures:
    """A commit whose tree holds one message; a window is what the trees of its history hold."""
    import pygit2  # type: ignore[import-not-found, unused-ignore]  # brought by --with, never by the project

    store = pygit2.init_repository(folder / "repository", bare=True)
    who = pygit2.Signature("a", "a@localhost", 1, 0)

    def commit_on(ref: str) -> Callable[[dict[str, Any]], object]:
        def commit(message: dict[str, Any]) -> object:
            tree = store.TreeBuilder()
            tree.insert("message", store.create_blob(json.dumps(message).encode()), pygit2.enums.FileMode.BLOB)
            parents = [store.references[ref].target] if ref in store.references else []
            return store.create_commit(ref, who, who, "", tree.write(), parents)

        return commit

    def log() -> list[Any]:
        return list(store.walk(store.references["refs/heads/master"].target))

    def window() -> list[Any]:
        return [json.loads(store[one.tree["message"].id].data) for one in reversed(log())]

    def branches() -> None:
        for number in range(NAMES):
            store.references.create(f"refs/heads/b{number}", store.references["refs/heads/master"].target)

    figures = one_by_one(commit_on("refs/heads/master"), messages)
    figures |= {"log": timed(log)[0], "cold": timed(window)[0], "warm": timed(window)[0]}
    return {**figures, "branches": timed(branches)[0], "bytes": size_of(folder)}


class Git:
    """The command in a folder, with settings of its own."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._environment = {
            "PATH": os.environ["PATH"],
            "HOME": str(folder),
            "GIT_CONFIG_NOSYSTEM": "1",
            **dict.fromkeys(("GIT_AUTHOR_NAME", "GIT_COMMITTER_NAME"), "a"),
            **dict.fromkeys(("GIT_AUTHOR_EMAIL", "GIT_COMMITTER_EMAIL"), "a@localhost"),
        }

    def __call__(self, *arguments: str, given: str = "") -> str:
        """Run one command; its output."""
        command = ["git", "-c", "gc.auto=0", "-c", "init.defaultBranch=main", *arguments]
        done = subprocess.run(
            command, cwd=self.folder, env=self._environment, input=given, stdout=subprocess.PIPE, text=True, check=True
        )
        return done.stdout

    def commit(self, item: tuple[str, dict[str, Any]]) -> None:
        """Keep a message in a file of its own."""
        (self.folder / item[0]).write_text(json.dumps(item[1]))
        self("add", item[0])
        self("commit", "-qm", "message")

    def window(self) -> list[Any]:
        """Every message."""
        tree = self("ls-tree", "--format=%(objectname)", "HEAD")
        return [json.loads(line) for line in self("cat-file", "--batch", given=tree).splitlines() if line[0] == "{"]

    def each_branch(self, *arguments: str) -> None:
        """Run a command for each of a hundred names."""
        for number in range(NAMES):
            self(*arguments, f"b{number}")


def git_command(messages: list[dict[str, Any]], folder: Path) -> Figures:
    """A file a message, so that a merge does not conflict: `git add` and `git commit` for each."""
    git = Git(folder)
    git("init", "-q")
    figures = one_by_one(git.commit, [(f"{number:06}.json", message) for number, message in enumerate(messages)])
    figures |= {"log": timed(lambda: git("log", "--oneline"))[0], "cold": timed(git.window)[0]}
    figures["bytes"] = size_of(folder / ".git")
    figures["branches"] = timed(lambda: git.each_branch("branch"))[0]
    figures["switches"] = timed(lambda: git.each_branch("switch", "-q"))[0]
    git("switch", "-qc", "side", "main")
    for branch in ("side", "main"):
        git("switch", "-q", branch)
        for number, message in enumerate(messages[:SIDE]):
            git.commit((f"{branch}{number}.json", message))
    return {**figures, "merge": timed(lambda: git("merge", "-qm", "merge", "side"))[0]}


def size_of(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


SYSTEMS: dict[str, Callable[[list[dict[str, Any]], Path], Figures]] = {
    "raw sqlite3": raw_sqlite,
    "pygit2": pygit2_library,
    "git command": git_command,
}


def main() -> None:
    messages = json.load(sys.stdin)
    with tempfile.TemporaryDirectory() as folder:
        try:
            print(json.dumps(SYSTEMS[sys.argv[1]](messages, Path(folder))))
        except ImportError as error:
            print(json.dumps({"absent": str(error)}))


if __name__ == "__main__":
    main()
