"""Many agents on one store: stdio server processes that contribute, query, vote and commit on one SQLite file.

Every write that was acknowledged is looked up at the end. Ends with 1 on any error or loss.
"""

import argparse
import asyncio
import json
import os
import sqlite3
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from commontrace import Client, connect
from commontrace.errors import CommonTraceError

SERVER = [str(Path(sys.executable).with_name("commontrace")), "mcp"]
HANDSHAKE = {"protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": {"name": "processes", "version": "1"}}
REPOSITORY = "benchmark"
WRITES = ("contribute", "vote", "commit")
LONGEST_ANSWER = 1 << 24


class ToolFailedError(Exception):
    """A tool answered with an error, or the server with none."""


@dataclass
class Agent:
    """One server process, and what it acknowledged."""

    number: int
    traces: list[str] = field(default_factory=list)
    votes: list[str] = field(default_factory=list)
    commits: list[str] = field(default_factory=list)
    seconds: dict[str, list[float]] = field(default_factory=lambda: {name: [] for name in (*WRITES, "query")})
    errors: list[str] = field(default_factory=list)
    process: asyncio.subprocess.Process | None = None

    @property
    def writes(self) -> int:
        """Acknowledged writes."""
        return len(self.traces) + len(self.votes) + len(self.commits)

    async def spawn(self, environment: dict[str, str]) -> None:
        """Start the server, shake hands, and wait until its store is open."""
        self.process = await asyncio.create_subprocess_exec(
            *SERVER,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.DEVNULL,
            env=environment,
            limit=LONGEST_ANSWER,
        )
        await self._ask("initialize", HANDSHAKE)
        await self._send({"method": "notifications/initialized"})
        await self.call("query_traces", {"query": "warm up"})

    async def call(self, tool: str, arguments: dict[str, Any]) -> dict[str, Any]:
        """A tool's structure, or its text under `text`."""
        result = await self._ask("tools/call", {"name": tool, "arguments": arguments})
        text = " ".join(part.get("text", "") for part in result["content"])
        if result.get("isError"):
            raise ToolFailedError(f"{tool}: {text}")
        structure: dict[str, Any] = result.get("structuredContent") or {"text": text}
        return structure

    async def end(self) -> None:
        """Close its standard input and wait until it is gone."""
        if self.process is not None and self.process.stdin is not None:
            self.process.stdin.close()
            code = await self.process.wait()
            if code:
                self.errors.append(f"the server ended with {code}")

    async def _ask(self, method: str, parameters: dict[str, Any]) -> dict[str, Any]:
        await self._send({"id": 1, "method": method, "params": parameters})
        assert self.process is not None
        assert self.process.stdout is not None
        while line := await self.process.stdout.readline():
            answer = json.loads(line)
            if "error" in answer:
                raise ToolFailedError(f"{method}: {answer['error']}")
            if "result" in answer:
                result: dict[str, Any] = answer["result"]
                return result
        raise ToolFailedError(f"{method}: the server ended without an answer")

    async def _send(self, message: dict[str, Any]) -> None:
        assert self.process is not None
        assert self.process.stdin is not None
        self.process.stdin.write(json.dumps({"jsonrpc": "2.0", **message}).encode() + b"\n")
        await self.process.stdin.drain()


async def work(agent: Agent, until: float) -> None:
    """Rounds of contribute, query, vote, commit; an error ends a round and is counted."""
    turn = 0
    while time.monotonic() < until:
        turn += 1
        try:
            await one_round(agent, turn)
        except (ToolFailedError, OSError, ValueError) as error:
            agent.errors.append(f"{type(error).__name__}: {error}")


async def one_round(agent: Agent, turn: int) -> None:
    word = f"gadget{agent.number}x{turn}"
    trace = await timed(agent, "contribute", lambda: agent.call("contribute_trace", contribution(word)))
    agent.traces.append(trace["trace_id"])
    shown = await timed(agent, "query", lambda: agent.call("query_traces", {"query": word, "limit": 3}))
    if trace["trace_id"][:6] not in str(shown):
        raise ToolFailedError(f"query_traces: the acknowledged trace about {word} was not found")
    vote = {"trace_id": trace["trace_id"], "outcome": "worked"}
    await timed(agent, "vote", lambda: agent.call("vote_trace", vote))
    agent.votes.append(trace["trace_id"])
    messages = [{"role": "user", "content": f"Mend {word}."}, {"role": "assistant", "content": f"{word} is mended."}]
    wanted = {"messages": messages, "message": word, "repository": REPOSITORY}
    commit = await timed(agent, "commit", lambda: agent.call("context_commit", wanted))
    agent.commits.append(commit["commit"])


async def timed(agent: Agent, kind: str, step: Callable[[], Awaitable[dict[str, Any]]]) -> dict[str, Any]:
    began = time.perf_counter()
    answer = await step()
    agent.seconds[kind].append(time.perf_counter() - began)
    return answer


def contribution(word: str) -> dict[str, Any]:
    return {
        "title": f"{word} stops with exit code 3 after an upgrade",
        "problem": f"Since version 2.1 the command {word} stops with exit code 3 because its cache has the old layout.",
        "solution": f"Remove the cache of {word} and start it again: `{word} cache clear && {word} run`.",
        "tags": ["benchmark"],
        "insist": True,
    }


async def drive(agents: list[Agent], seconds: float, environment: dict[str, str]) -> float:
    """Start all at once, let all work, end all; the seconds that starting took."""
    began = time.monotonic()
    try:
        await asyncio.gather(*(agent.spawn(environment) for agent in agents))
        started = time.monotonic() - began
        until = time.monotonic() + seconds
        await asyncio.gather(*(work(agent, until) for agent in agents))
    finally:
        await asyncio.gather(*(agent.end() for agent in agents))
    return started


def lost(client: Client, agents: list[Agent]) -> list[str]:
    """Acknowledged writes that are not there, or not as they were acknowledged."""
    missing = []
    for agent in agents:
        for trace_id in agent.traces:
            try:
                standing = client.traces.get(trace_id).standing
            except CommonTraceError as error:
                missing.append(f"trace {trace_id}: {error}")
                continue
            if trace_id in agent.votes and standing.self_reports != 1:
                missing.append(f"vote on {trace_id}")
    there = committed(client) if any(agent.commits for agent in agents) else set()
    return missing + [f"commit {name}" for agent in agents for name in agent.commits if name not in there]


def committed(client: Client) -> set[str]:
    """The short id of every commit of the benchmark's repository."""
    found: set[str] = set()
    ref: str | None = "main"
    while ref is not None:
        page = client.contexts.open(REPOSITORY).log(ref, limit=200)
        found |= {commit.short_id for commit in page.commits}
        ref = page.next_ref
    return found


def figures(agents: list[Agent], missing: list[str], started: float, seconds: float, path: Path) -> dict[str, Any]:
    with closing(sqlite3.connect(path)) as connection:
        integrity = str(connection.execute("PRAGMA integrity_check").fetchone()[0])
    writes = sorted(second for agent in agents for kind in WRITES for second in agent.seconds[kind])
    queries = sorted(second for agent in agents for second in agent.seconds["query"])
    shares = [agent.writes for agent in agents]
    return {
        "processes": len(agents),
        "start s": round(started, 1),
        "writes": sum(shares),
        "writes a second": round(sum(shares) / seconds, 1),
        "errors": sum(len(agent.errors) for agent in agents),
        "lost": len(missing),
        "median write ms": at(writes, 0.5),
        "p99 write ms": at(writes, 0.99),
        "worst write ms": at(writes, 1.0),
        **{f"worst {kind} ms": at(sorted(s for agent in agents for s in agent.seconds[kind]), 1.0) for kind in WRITES},
        # The first of each kind loads rules and vocabulary in its process; afterwards it is the lock alone.
        "worst later write ms": at(
            sorted(s for agent in agents for kind in WRITES for s in agent.seconds[kind][1:]), 1.0
        ),
        "median query ms": at(queries, 0.5),
        "p99 query ms": at(queries, 0.99),
        "fewest writes of one": min(shares),
        "most writes of one": max(shares),
        "fairness": round(min(shares) / max(shares), 2) if max(shares) else 0.0,
        "integrity": integrity,
        "store MiB": round(path.stat().st_size / 2**20, 1),
    }


def at(values: list[float], share: float) -> float:
    """The value below which that share of sorted seconds lies, in milliseconds."""
    return round(values[min(len(values) - 1, int(share * len(values)))] * 1000, 1) if values else 0.0


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--processes", type=int, default=20)
    parser.add_argument("--seconds", type=float, default=20.0)
    given = parser.parse_args()
    agents = [Agent(number) for number in range(given.processes)]
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "store.db"
        url = f"sqlite:///{path}"
        started = asyncio.run(drive(agents, given.seconds, {**os.environ, "COMMONTRACE_URL": url}))
        with connect(url) as client:
            missing = lost(client, agents)
        found = figures(agents, missing, started, given.seconds, path)
    for line in [*missing, *(error for agent in agents for error in agent.errors)][:20]:
        print(line)
    for name, value in found.items():
        print(f"{name:22} {value:>10}")
    print(json.dumps({"benchmark": "processes", "seconds": given.seconds, **found}))
    return 0 if not found["errors"] and not found["lost"] and found["integrity"] == "ok" else 1


if __name__ == "__main__":
    sys.exit(main())
