"""How soon an agent has the tools: spawn to first answers over stdio, beside a three-tool FastMCP hello world."""

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import IO, Any

SERVER = [str(Path(sys.executable).with_name("commontrace")), "mcp"]
HELLO = [
    sys.executable,
    "-c",
    """
from fastmcp import FastMCP

server = FastMCP("hello")


@server.tool
def hello(name: str = "you") -> str:
    "Greet somebody."
    return f"Hello {name}"


@server.tool
def add(a: int, b: int) -> int:
    "Add two numbers."
    return a + b


@server.tool
def shout(text: str) -> str:
    "Say it louder."
    return text.upper()


server.run(show_banner=False)
""",
]
CALLS: dict[str, dict[str, Any]] = {
    "commontrace": {"name": "query_traces", "arguments": {"query": "database is locked"}},
    "hello world": {"name": "hello", "arguments": {}},
}
MODERN = {
    "io.modelcontextprotocol/protocolVersion": "2026-07-28",
    "io.modelcontextprotocol/clientInfo": {"name": "startup", "version": "1"},
    "io.modelcontextprotocol/clientCapabilities": {},
}
HANDSHAKE = {"protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": {"name": "startup", "version": "1"}}


@dataclass(frozen=True, slots=True)
class Start:
    """One start. Times in milliseconds from spawn, but `call_wall` and `exit_wall`, which take that long."""

    first_wall: float
    first_cpu: float
    tools_wall: float
    tools_cpu: float
    call_wall: float
    called_wall: float
    called_cpu: float
    exit_wall: float
    listed_mib: float
    rss_mib: float
    tools_bytes: int
    tools: int


class Server:
    """A server process that speaks JSON-RPC over its standard streams, in one protocol era."""

    def __init__(self, command: list[str], environment: dict[str, str], *, modern: bool) -> None:
        self.started = time.perf_counter()
        self._modern = modern
        self._asked = 0
        self._process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, env=environment
        )

    def first(self) -> None:
        """The request that a client begins with, and its answer."""
        if self._modern:
            self.ask("server/discover", {})
        else:
            self.ask("initialize", HANDSHAKE)
            self._send({"method": "notifications/initialized"})

    def ask(self, method: str, parameters: dict[str, Any]) -> tuple[dict[str, Any], int]:
        """A request's result, and how many bytes its answer had; RuntimeError where it failed."""
        given = {**parameters, "_meta": MODERN} if self._modern else parameters
        self._asked += 1
        self._send({"id": self._asked, "method": method, "params": given})
        for line in _stream(self._process.stdout):
            answer = json.loads(line)
            if "id" not in answer:
                continue
            if "error" in answer or answer["result"].get("isError"):
                raise RuntimeError(f"{method} failed: {line.decode()}")
            return answer["result"], len(line)
        raise RuntimeError(f"the server ended with {self._process.wait()} instead of answering {method}")

    def _send(self, message: dict[str, Any]) -> None:
        stream = _stream(self._process.stdin)
        stream.write(json.dumps({"jsonrpc": "2.0", **message}).encode() + b"\n")
        stream.flush()

    def since_spawn(self) -> tuple[float, float]:
        """Wall and CPU milliseconds so far; CPU is 0 where the system does not tell (/proc)."""
        wall = (time.perf_counter() - self.started) * 1000
        stat = Path(f"/proc/{self._process.pid}/stat")
        if not stat.exists():
            return wall, 0.0
        user, system = stat.read_text().rpartition(")")[2].split()[11:13]
        return wall, (int(user) + int(system)) * 1000 / os.sysconf("SC_CLK_TCK")

    def peak_mib(self) -> float:
        """The most memory it held so far."""
        status = Path(f"/proc/{self._process.pid}/status")
        lines = status.read_text().splitlines() if status.exists() else []
        return next((int(line.split()[1]) / 1024 for line in lines if line.startswith("VmHWM")), 0.0)

    def end(self) -> None:
        """Close its standard input and wait until it is gone."""
        _stream(self._process.stdin).close()
        self._process.wait(60)
        _stream(self._process.stdout).close()


def _stream(stream: IO[bytes] | None) -> IO[bytes]:
    assert stream is not None
    return stream


def start(name: str, environment: dict[str, str], *, modern: bool) -> Start:
    server = Server(SERVER if name == "commontrace" else HELLO, environment, modern=modern)
    server.first()
    first_wall, first_cpu = server.since_spawn()
    tools, size = server.ask("tools/list", {})
    tools_wall, tools_cpu = server.since_spawn()
    listed_mib = server.peak_mib()
    before = time.perf_counter()
    server.ask("tools/call", CALLS[name])
    called = time.perf_counter()
    called_cpu = server.since_spawn()[1]
    memory = server.peak_mib()
    closed = time.perf_counter()
    server.end()
    return Start(
        first_wall=first_wall,
        first_cpu=first_cpu,
        tools_wall=tools_wall,
        tools_cpu=tools_cpu,
        call_wall=(called - before) * 1000,
        called_wall=(called - server.started) * 1000,
        called_cpu=called_cpu,
        exit_wall=(time.perf_counter() - closed) * 1000,
        listed_mib=listed_mib,
        rss_mib=memory,
        tools_bytes=size,
        tools=len(tools["tools"]),
    )


def summary(starts: list[Start]) -> dict[str, float]:
    """The median of each figure."""
    rows = [asdict(item) for item in starts]
    return {name: round(statistics.median(row[name] for row in rows), 1) for name in rows[0]}


def measure(runs: int, folder: Path) -> dict[str, dict[str, float]]:
    """Both servers in both eras, taking turns, so that what else the machine does hits all alike.

    The first turn, which is not counted, creates the store and the file of first answers.
    """
    environment = {name: value for name, value in os.environ.items() if not name.startswith("COMMONTRACE_")}
    environment |= {"COMMONTRACE_URL": f"sqlite:///{folder / 'store.db'}", "FASTMCP_CHECK_FOR_UPDATES": "off"}
    environment["XDG_CACHE_HOME"] = str(folder / "cache")
    kinds = [(name, modern) for name in CALLS for modern in (False, True)]
    found: dict[tuple[str, bool], list[Start]] = {kind: [] for kind in kinds}
    for turn in range(runs + 1):
        for name, modern in kinds:
            measured = start(name, environment, modern=modern)
            if turn:
                found[name, modern].append(measured)
    return {f"{name}, {'discover' if modern else 'initialize'}": summary(found[name, modern]) for name, modern in kinds}


def show(figures: dict[str, dict[str, float]]) -> None:
    columns = list(next(iter(figures.values())))
    print(f"{'median':26}" + "".join(f"{column:>12}" for column in columns))
    for name, row in figures.items():
        print(f"{name:26}" + "".join(f"{row[column]:12.1f}" for column in columns))
    for era in ("initialize", "discover"):
        ours, hello = figures[f"commontrace, {era}"], figures[f"hello world, {era}"]
        ratios = [
            f"{name} ×{ours[name] / hello[name]:.2f}"
            for name in (*columns[:4], "called_cpu", "listed_mib")
            if hello[name]
        ]
        print(f"against hello world, {era}: {', '.join(ratios)}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=9, help="measured starts of each kind (default 9)")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        figures = measure(given.runs, Path(folder))
    show(figures)
    print(json.dumps({"benchmark": "startup", "runs": given.runs, "median": figures}))


if __name__ == "__main__":
    main()
