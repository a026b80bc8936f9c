"""What a context costs: a thousand messages committed one by one, read, branched and merged; then a hundred thousand.

CPU seconds of this process and its children, wall time, and bytes on disk after a checkpoint, beside raw sqlite3,
pygit2 (`uv run --with pygit2`) and the git command line, each in a process of its own in the same run. Messages are
the same in every run: words of the shipped traces by Zipf's law, every tenth a tool's answer of about 4 kB.
"""

import argparse
import asyncio
import json
import os
import random
import re
import sqlite3
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, closing
from importlib.resources import files
from itertools import accumulate
from pathlib import Path
from typing import Any

from beside_contexts import NAMES, SIDE, SYSTEMS, Figures, one_by_one, timed

from commontrace import connect
from commontrace._sync.contexts import ContextRepository
from commontrace.models.contexts import NewCommit
from commontrace_backend.contexts.service import commit, prepare
from commontrace_backend.contributors.caller import Caller
from commontrace_backend.contributors.service import open_keyring
from commontrace_backend.database.engine import Database, connect_database
from commontrace_backend.settings import BackendSettings
from commontrace_backend.tokens import default_counter

NAME = "bench"
AT_ONCE = 1_000
WINDOW = 100_000  # tokens
SHORT, LONG = 315, 4_096  # characters of a message, on average, and of a tool's answer
ROWS = (
    *("commits", "wall", "first", "last", "batch", "log", "open", "cold", "warm", "branches", "switches", "merge"),
    "bytes",
)
UNITS = {"wall": "wall s", "first": "ms a commit, first 100", "last": "ms a commit, last 100", "bytes": "bytes on disk"}


class Writer:
    """Messages of a coding session, as far as size and words go."""

    def __init__(self, seed: int) -> None:
        self._random = random.Random(seed)
        traces = files("commontrace_backend.starter").joinpath("traces.jsonl").read_text()
        counts = Counter(re.findall(r"\b[a-z]{4,}\b", traces))
        self._words: list[str] = [word for word, _ in sorted(counts.items(), key=lambda item: (-item[1], item[0]))]
        self._shares = list(accumulate(1 / rank for rank in range(1, len(self._words) + 1)))
        self._number = 0

    def text(self, length: int) -> str:
        """Sentences of this many characters."""
        words: list[str] = self._random.choices(self._words, cum_weights=self._shares, k=length // 3)
        for place in range(0, len(words), 11):
            words[place] = f"{words[place].capitalize()}{self._random.choice(('', '', '', ' 42', '()'))}"
        for place in range(10, len(words), 11):
            words[place] += "."
        return " ".join(words)[:length]

    def message(self) -> dict[str, Any]:
        """The next one: user and assistant by turns, every tenth a tool's answer to the call before it."""
        self._number += 1
        place = self._number % 10
        if place == 9:
            function = {"name": "read_file", "arguments": json.dumps({"path": f"src/{self.text(12)}.py"})}
            calls = [{"id": f"call_{self._number}", "type": "function", "function": function}]
            return {"role": "assistant", "content": self.text(SHORT // 2), "tool_calls": calls}
        if place == 0:
            return {"role": "tool", "tool_call_id": f"call_{self._number - 1}", "content": self.text(LONG)}
        role = "user" if place % 2 else "assistant"
        return {"role": role, "content": self.text(self._random.randint(SHORT // 2, SHORT * 3 // 2))}

    def messages(self, number: int) -> list[dict[str, Any]]:
        """The next ones."""
        return [self.message() for _ in range(number)]


def commits_to(repo: ContextRepository) -> Callable[[dict[str, Any]], object]:
    return lambda message: repo.store(NewCommit(messages=[message]))


def by_sdk(folder: Path, writer: Writer, messages: list[dict[str, Any]]) -> Figures:
    """The whole workload as an agent has it: the blocking client, on a SQLite file."""
    path = folder / "sdk.db"
    with connect(f"sqlite:///{path}") as client:
        repo = client.contexts.open("warm-up")
        repo.store(NewCommit(messages=messages[:1]))
        repo = client.contexts.open(NAME)
        figures = one_by_one(commits_to(repo), messages)
        figures["log"] = best(lambda: repo.log(limit=1000))
    figures["bytes"] = on_disk(path)
    with connect(f"sqlite:///{path}") as client:
        figures["open"] = timed(client.contexts.repositories)[0]
        repo = client.contexts.open(NAME)
        figures["cold"] = timed(lambda: repo.window(format="openai"))[0]
        figures["warm"] = best(lambda: repo.window(format="openai"))
        figures |= naming(repo)
        figures["merge"] = merging(repo, writer)
        batch = client.contexts.open("batch")
        more = writer.messages(AT_ONCE)
        figures["batch"] = timed(lambda: batch.store(NewCommit(messages=more)))[0]
    return figures


def best(step: Callable[[], object]) -> float:
    return min(timed(step)[0] for _ in range(3))


def naming(repo: ContextRepository) -> Figures:
    """A hundred branches, and switching to each."""
    names = [f"b{number}" for number in range(NAMES)]
    return {
        "branches": timed(lambda: [repo.branch(name) for name in names])[0],
        "switches": timed(lambda: [repo.switch(name) for name in names])[0],
    }


def diverge(repo: ContextRepository, writer: Writer, name: str, ref: str = "main") -> None:
    """A branch from a ref and some messages on it, and as many on main, where HEAD stays."""
    repo.switch("main")
    repo.branch(name, ref)
    for branch in (name, "main"):
        for message in writer.messages(SIDE):
            repo.store(NewCommit(messages=[message], branch=branch))


def merging(repo: ContextRepository, writer: Writer) -> float:
    """The best of three merges of 20 messages with 20 others."""
    spent = []
    for name in ("one", "two", "three"):
        diverge(repo, writer, name)
        spent.append(timed(lambda name=name: repo.merge(name))[0])  # type: ignore[misc]  # bound at once
    return min(spent)


@asynccontextmanager
async def opened(path: Path) -> AsyncIterator[tuple[Database, Caller]]:
    """A store without the application around it, and its owner."""
    url = f"sqlite:///{path}"
    database = connect_database(url)
    await database.open()
    try:
        keyring = await open_keyring(database, BackendSettings(database_url=url, local_owner=True), None)
        assert keyring.owner is not None
        yield database, keyring.owner
    finally:
        await database.close()


def in_the_core(folder: Path, messages: list[dict[str, Any]]) -> Figures:
    """The same commits through the service, each in a transaction of its own: no HTTP, no client."""
    path = folder / "core.db"
    with asyncio.Runner() as runner:
        run = runner.get_loop().run_until_complete
        store = opened(path)
        database, owner = run(store.__aenter__())
        try:

            def commit_one(message: dict[str, Any]) -> None:
                run(store_each(database, owner, [message]))

            commit_one(messages[0])
            figures = one_by_one(commit_one, messages[1:])
        finally:
            run(store.__aexit__(None, None, None))
    return {**figures, "bytes": on_disk(path)}


async def store_each(database: Database, owner: Caller, messages: list[dict[str, Any]]) -> None:
    """A commit for each message, all in one transaction."""
    prepared = [await prepare(NewCommit(messages=[message])) for message in messages]
    async with database.writing() as session:
        for one in prepared:
            await commit(session, owner, NAME, one)


def on_disk(path: Path) -> int:
    """Bytes of a store after a checkpoint."""
    with closing(sqlite3.connect(path)) as store:
        store.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    return path.stat().st_size


def beside(system: str, messages: list[dict[str, Any]]) -> Figures:
    """Another system with the same messages."""
    done = subprocess.run(
        [sys.executable, str(Path(__file__).with_name("beside_contexts.py")), system],
        input=json.dumps(messages),
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    figures: Figures = json.loads(done.stdout)
    return figures


def from_the_shell(url: str) -> dict[str, float]:
    """CPU seconds of a command from its start to its end, the best of five; beside Python that does nothing."""
    environment = {**os.environ, "COMMONTRACE_URL": url}
    environment.pop("PYTHONDONTWRITEBYTECODE", None)  # compiling every module would be most of it
    asked = ["-c", "from commontrace._entry import trace; import sys; sys.exit(trace())"]

    def run(*arguments: str) -> float:
        command = [sys.executable, *arguments]
        return min(
            timed(lambda: subprocess.run(command, env=environment, stdout=subprocess.DEVNULL, check=True))[0]
            for _ in range(5)
        )

    return {
        "trace log --oneline": run(*asked, "log", "-R", NAME, "--oneline"),
        "trace status": run(*asked, "status", "-R", NAME),
        "python -c pass": run("-c", "pass"),
    }


async def fill(path: Path, writer: Writer, number: int) -> None:
    """Commit messages one by one, a thousand to a transaction."""
    async with opened(path) as (database, owner):
        for start in range(0, number, AT_ONCE):
            await store_each(database, owner, writer.messages(min(AT_ONCE, number - start)))


def large(folder: Path, writer: Writer, number: int) -> Figures:
    """What a long history makes slower; each asked twice, of which the second counts."""
    path = folder / "large.db"
    figures: Figures = {"fill": timed(lambda: asyncio.run(fill(path, writer, number)))[0], "bytes": on_disk(path)}
    with connect(f"sqlite:///{path}") as client:
        repo = client.contexts.open(NAME)
        diverge(repo, writer, "near")
        steps: dict[str, Callable[[], object]] = {
            "log page of 50": lambda: repo.log(limit=50),
            "log page of 50 at HEAD~1000": lambda: repo.log("HEAD~1000", limit=50),
            "one commit": lambda: repo.store(NewCommit(messages=[writer.message()])),
            "switch there and back": lambda: (repo.switch("near"), repo.switch("main")),
            "merge base 20/20 (dry run)": lambda: repo.merge("near", dry_run=True),
            "window of 100 k tokens": lambda: repo.window(budget=WINDOW, format="openai"),
            "status": repo.status,
            "diff HEAD~10": lambda: repo.diff("HEAD~10"),
        }
        for name, step in steps.items():
            figures[name] = [timed(step)[0] for _ in range(2)]
    return figures


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--messages", type=int, default=1_000)
    parser.add_argument("--large", type=int, default=0, metavar="MESSAGES", help="e.g. 100000: takes some minutes")
    parser.add_argument("--only-us", action="store_true", help="leave the other systems out")
    arguments = parser.parse_args()
    os.environ["COMMONTRACE_EMBEDDER"] = "none"
    writer = Writer(seed=1)
    messages = writer.messages(arguments.messages)
    text = "\n".join(message["content"] for message in messages)
    tokens = default_counter().count(text).tokens  # and loads the vocabulary
    print(f"{len(messages):,} messages, {len(text):,} characters, {tokens:,} tokens")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        found = {"SDK": by_sdk(folder, writer, messages), "core": in_the_core(folder, messages)}
        found |= {} if arguments.only_us else {system: beside(system, messages) for system in SYSTEMS}
        table(found)
        shell = from_the_shell(f"sqlite:///{folder / 'sdk.db'}")
        print("\n".join(f"{called:<40}{spent:8.2f} CPU s" for called, spent in shell.items()))
        print(json.dumps({**found, "shell": shell}))
        if arguments.large:
            print(json.dumps(report(large(folder, writer, arguments.large))))


def table(found: dict[str, Figures]) -> None:
    """CPU seconds, unless a row says otherwise."""
    print(f"{'CPU s':<24}" + "".join(f"{system:>13}" for system in found))
    for row in ROWS:
        cells = [figures.get(row) for figures in found.values()]
        print(f"{UNITS.get(row, row):<24}" + "".join(f"{shown(cell):>13}" for cell in cells))


def shown(value: float | None) -> str:
    if value is None:
        return "-"
    return f"{value:,}" if isinstance(value, int) else f"{value:.3f}"


def report(figures: Figures) -> Figures:
    for called, spent in figures.items():
        print(f"{called:<40}{' '.join(f'{one:10.3f}' for one in spent) if isinstance(spent, list) else shown(spent)}")
    return figures


if __name__ == "__main__":
    main()
