"""A team at work on one server: many clients that query, contribute, vote and commit over real HTTP.

Every operation that was acknowledged is looked up in the database at the end. Ends with 1 on any error or lost update.
"""

import argparse
import asyncio
import json
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sqlalchemy import select

from commontrace import connect
from commontrace.models.contributors import NewApiKey
from commontrace.models.traces import Contribution
from commontrace_backend.contexts.tables import commits
from commontrace_backend.database.engine import connect_database
from commontrace_backend.database.tenancy import EVERY_TENANT
from commontrace_backend.traces.tables import outcomes, trace_versions

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests"))

from postgres import serving_postgres

ROUTES = ("query", "contribute", "vote", "commit")
SHARES = (80, 10, 5, 5)
CONTEXTS = 8  # which all clients share, so that commits meet
NOUNS = ("cache", "socket", "parser", "scheduler", "container", "migration", "token", "worker", "index", "certificate")
VERBS = ("hangs", "leaks", "crashes", "loops", "refuses", "forgets", "rejects", "overflows", "stalls", "diverges")
TOOLS = ("docker", "cargo", "webpack", "terraform", "pytest", "gradle", "nginx", "kafka", "redis", "alembic")


class RefusedError(Exception):
    """The server answered with an error."""

    def __init__(self, path: str, answer: dict[str, Any]) -> None:
        super().__init__(f"{path}: {answer.get('status')} {answer.get('detail')}")
        self.status = answer.get("status")


@dataclass
class Caller:
    """One client with a key and a connection of its own, and what was acknowledged to it."""

    number: int
    key: str
    port: int
    draw: random.Random
    traces: dict[str, str] = field(default_factory=dict)  # trace to title
    votes: dict[str, str] = field(default_factory=dict)  # version to outcome
    commits: list[str] = field(default_factory=list)
    shown: list[tuple[str, str]] = field(default_factory=list)
    seconds: dict[str, list[float]] = field(default_factory=lambda: {name: [] for name in ROUTES})
    errors: list[str] = field(default_factory=list)
    shares: tuple[int, ...] = SHARES
    _streams: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None

    async def ask(self, path: str, body: dict[str, Any]) -> dict[str, Any]:
        """One POST over a connection that stays; a client library would cost this machine more than the server."""
        if self._streams is None:
            self._streams = await asyncio.open_connection("127.0.0.1", self.port, limit=1 << 22)
        reader, writer = self._streams
        content = json.dumps(body).encode()
        head = (
            f"POST /api/v1{path} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {self.key}\r\n"
            f"Content-Type: application/json\r\nContent-Length: {len(content)}\r\n\r\n"
        )
        writer.write(head.encode() + content)
        told = (await reader.readuntil(b"\r\n\r\n")).decode().lower()
        length = int(told.partition("content-length: ")[2].partition("\r\n")[0])
        answer: dict[str, Any] = json.loads(await reader.readexactly(length))
        if not told.startswith(("http/1.1 200", "http/1.1 201")):
            raise RefusedError(path, answer)
        return answer

    async def query(self) -> None:
        """Ask for something that is there; remember what was shown."""
        wanted = {"query": phrase(self.draw), "limit": 5, "include_unproven": True}
        for hit in (await self.ask("/traces/query", wanted))["hits"]:
            self.shown.append((hit["trace_id"], hit["version_id"]))
        del self.shown[:-50]

    async def contribute(self) -> None:
        """Add a trace that is unlike every other."""
        title = f"{phrase(self.draw)} on host {self.number}-{len(self.traces)}"
        answer = await self.ask("/traces", contribution(title) | {"insist": True})
        self.traces[answer["trace_id"]] = title

    async def vote(self) -> None:
        """Report on something that was shown."""
        if not self.shown:
            return
        trace_id, version_id = self.draw.choice(self.shown)
        outcome = self.draw.choice(("worked", "worked_with_changes", "outdated"))
        await self.ask(
            f"/traces/{trace_id}/votes", {"outcome": outcome, "version_id": version_id, "note": "on this host"}
        )
        self.votes[version_id] = outcome

    async def commit(self) -> None:
        """Append to a context that others append to as well."""
        said = f"{self.number} says {len(self.commits)}"
        body = {"messages": [{"role": "user", "content": said}], "message": said}
        answer = await self.ask(f"/contexts/shared-{self.draw.randrange(CONTEXTS)}/commits", body)
        self.commits.append(answer["commit_id"])

    async def work(self, is_over: Callable[[], bool]) -> None:
        """One request after the other; an error ends a request and is counted."""
        steps: dict[str, Callable[[], Awaitable[None]]] = {name: getattr(self, name) for name in ROUTES}
        while not is_over():
            (name,) = self.draw.choices(ROUTES, self.shares)
            began = time.perf_counter()
            try:
                await steps[name]()
            except (RefusedError, OSError, ValueError, EOFError) as error:
                self.errors.append(f"{name}: {type(error).__name__}: {error}")
                self._streams = None
            else:
                self.seconds[name].append(time.perf_counter() - began)
        if self._streams:
            self._streams[1].close()


def phrase(draw: random.Random) -> str:
    return f"{draw.choice(TOOLS)} {draw.choice(NOUNS)} {draw.choice(VERBS)} after upgrade {draw.randrange(40)}"


def contribution(title: str) -> dict[str, Any]:
    return {
        "title": title,
        "problem": f"Since the last upgrade: {title}. The log says that the old layout is still there.",
        "solution": f"Stop it, remove the old layout and start it again; then check that '{title}' is gone.",
        "tags": ["benchmark"],
        "visibility": "team",
    }


def prepare(url: str, clients: int, traces: int) -> list[str]:
    """Traces to find, and a key for each client."""
    draw = random.Random(7)
    with connect(url) as owner:
        for _ in range(traces):
            owner.traces.contribute(Contribution.model_validate(contribution(phrase(draw)) | {"insist": True}))
        for number in range(CONTEXTS):
            owner.contexts.create(f"shared-{number}")
            owner.contexts.open(f"shared-{number}").share()
        names = [f"client{number}" for number in range(clients)]
        keys = [owner.contributors.create_key(NewApiKey(contributor=name)).key for name in names]
    with connect(url, api_key=keys[0]) as first:
        for key in keys:
            for number in range(CONTEXTS):
                first.acting_as(key).contexts.open(f"shared-{number}").switch("main")
    return keys


@contextmanager
def served(url: str, workers: int, command: list[str]) -> Iterator[tuple[int, subprocess.Popen[str]]]:
    """The server as a process of its own; limits of rates are off."""
    told = dict.fromkeys(("READS", "WRITES", "VOTES", "KEYS"), "0")
    environment = {
        **os.environ,
        "COMMONTRACE_DATABASE_URL": url,
        "COMMONTRACE_METRICS_TOKEN": "benchmark",
        **{f"COMMONTRACE_RATE_{name}": value for name, value in told.items()},
    }
    line = [*(command or [sys.executable, "-m", "commontrace_backend"]), "--port", "0", "--workers", str(workers)]
    with subprocess.Popen(line, env=environment, stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr is not None
        first = process.stderr.readline()
        try:
            yield int(first.partition("http://127.0.0.1:")[2].partition(";")[0]), process
        finally:
            process.send_signal(signal.SIGTERM)
            process.communicate(timeout=30)


def family(pid: int) -> list[int]:
    """A process and its children."""
    children = [(task / "children").read_text().split() for task in Path(f"/proc/{pid}/task").iterdir()]
    return [pid, *(int(child) for some in children for child in some)]


def cpu(pid: int) -> float:
    """CPU seconds that a process and its children have used; another machine's load does not change them much."""
    stats = [Path(f"/proc/{one}/stat").read_text().rpartition(")")[2].split() for one in family(pid)]
    return sum(int(stat[11]) + int(stat[12]) for stat in stats) / os.sysconf("SC_CLK_TCK")


def memory(pid: int) -> float:
    """MiB that a process and its children hold of their own, shared pages in parts."""
    total = 0
    for one in family(pid):
        for line in Path(f"/proc/{one}/smaps_rollup").read_text().splitlines():
            total += int(line.split()[1]) if line.startswith("Pss:") else 0
    return round(total / 1024, 1)


async def drive(callers: list[Caller], seconds: float) -> None:
    until = time.monotonic() + seconds
    await asyncio.gather(*(caller.work(lambda: time.monotonic() >= until) for caller in callers))


async def lost(url: str, callers: list[Caller]) -> list[str]:
    """Acknowledged operations that are not there, or not as they were acknowledged."""
    database = connect_database(url)
    await database.open()
    try:
        async with database.reading(EVERY_TENANT) as session:
            stored = await session.all(select(trace_versions.c.trace_id, trace_versions.c.content))
            titles = {row.trace_id: row.content["title"] for row in stored}
            voted = Counter(
                (row.version_id, row.outcome)
                for row in await session.all(select(outcomes.c.version_id, outcomes.c.outcome))
            )
            committed = {row.commit_id for row in await session.all(select(commits.c.commit_id))}
    finally:
        await database.close()
    missing = [f"trace {one}" for caller in callers for one, title in caller.traces.items() if titles.get(one) != title]
    missing += [f"commit {one}" for caller in callers for one in caller.commits if one not in committed]
    acknowledged = Counter(vote for caller in callers for vote in caller.votes.items())
    return missing + [f"vote {vote}: {voted[vote]} of {n}" for vote, n in acknowledged.items() if voted[vote] != n]


def figures(callers: list[Caller], seconds: float, used: float) -> dict[str, Any]:
    done = [second for caller in callers for name in ROUTES for second in caller.seconds[name]]
    found: dict[str, Any] = {"requests": len(done), "requests a second": round(len(done) / seconds, 1)}
    found["server CPU ms a request"] = round(used * 1000 / max(1, len(done)), 1)
    for name in ROUTES:
        times = sorted(second for caller in callers for second in caller.seconds[name])
        found |= {f"{name} p{share} ms": at(times, share / 100) for share in (50, 95, 99)}
    return found


def at(values: list[float], share: float) -> float:
    """The value below which that share of sorted seconds lies, in milliseconds."""
    return round(values[min(len(values) - 1, int(share * len(values)))] * 1000, 1) if values else 0.0


def run(engine: str, url: str, given: argparse.Namespace) -> dict[str, Any]:
    """One engine; prints what went wrong and returns the figures."""
    keys = prepare(url, given.clients, given.traces)
    with served(url, given.workers, given.command) as (port, process):
        callers = [Caller(number, key, port, random.Random(number)) for number, key in enumerate(keys)]
        asyncio.run(drive(callers, 2))  # each worker loads its rules and vocabulary
        for caller in callers:
            caller.seconds = {name: [] for name in ROUTES}
            caller._streams = None  # noqa: SLF001 - its connection belongs to the loop that ended
        before = cpu(process.pid)
        asyncio.run(drive(callers, given.seconds))
        used, held = cpu(process.pid) - before, memory(process.pid)
    missing = asyncio.run(lost(url, callers))
    errors = [error for caller in callers for error in caller.errors]
    for line in [*missing, *errors][:20]:
        print(line)
    return {
        "database": engine,
        **figures(callers, given.seconds, used),
        "errors": len(errors),
        "lost": len(missing),
        "server MiB": held,
    }


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--clients", type=int, default=64)
    parser.add_argument("--seconds", type=float, default=30.0)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--traces", type=int, default=1000, help="what the store holds before")
    parser.add_argument("--database", choices=["sqlite", "postgres", "both"], default="both")
    parser.add_argument("--command", nargs="+", default=[], help="another server that takes --port 0 --workers N")
    given = parser.parse_args()
    results = []
    if given.database in {"sqlite", "both"}:
        with tempfile.TemporaryDirectory() as folder:
            results.append(run("sqlite", f"sqlite:///{folder}/store.db", given))
    if given.database in {"postgres", "both"}:
        with serving_postgres(in_haste=False) as postgres:
            results.append(run("postgres", postgres.create(), given))
    for name in results[0]:
        print(f"{name:22}", *(f"{result[name]:>10}" for result in results))
    told = {"clients": given.clients, "seconds": given.seconds, "workers": given.workers, "traces": given.traces}
    print(json.dumps({"benchmark": "server", **told, "results": results}))
    return 0 if not any(result["errors"] or result["lost"] for result in results) else 1


if __name__ == "__main__":
    sys.exit(main())
