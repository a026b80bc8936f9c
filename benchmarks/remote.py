"""MCP over HTTP before a team's server: two processes of each, every request of a client with the next one.

First a day's work of two people in both protocol eras, all of which must hold; then what a call takes, through the MCP
server and straight to the API. Ends with 1 on any error.
"""

import argparse
import asyncio
import json
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from statistics import median, quantiles

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT / "tests"))

import httpx2  # noqa: E402 - what the tests share is found first

from commontrace import connect, connect_async  # noqa: E402 - the same
from commontrace.models.contributors import NewApiKey, NewToken  # noqa: E402 - the same
from commontrace.models.search import Query  # noqa: E402 - the same
from remote_mcp import alternating_client, day  # noqa: E402 - the same

COMMONTRACE = str(Path(sys.executable).with_name("commontrace"))


@contextmanager
def running(*arguments: str) -> Iterator[subprocess.Popen[str]]:
    """A command of ours as long as it is needed."""
    with subprocess.Popen([COMMONTRACE, *arguments], stderr=subprocess.PIPE, text=True) as process:
        try:
            yield process
        finally:
            process.kill()


def serve(stack: ExitStack, url: str) -> str:
    """Start an API server; returns its address."""
    process = stack.enter_context(running("serve", "--url", url, "--port", "0"))
    assert process.stderr is not None
    return process.stderr.readline().split()[3].rstrip(";")


def serve_mcp(stack: ExitStack, backend: str) -> str:
    """Start an MCP server before an API server and wait for it; returns its address."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    stack.enter_context(running("mcp", "--transport", "http", "--url", backend, "--port", str(port)))
    address = f"http://127.0.0.1:{port}/mcp"
    for _ in range(1200):
        try:
            httpx2.get(address)
        except httpx2.HTTPError:
            time.sleep(0.05)
        else:
            return address
    raise SystemExit("the MCP server does not start")


async def measured(count: int, call: Callable[[], Awaitable[object]]) -> dict[str, float]:
    """Milliseconds of one call after another: median and 95th percentile."""
    taken = []
    for _ in range(count):
        start = time.perf_counter()
        await call()
        taken.append((time.perf_counter() - start) * 1000)
    return {"p50_ms": round(median(taken), 1), "p95_ms": round(quantiles(taken, n=20)[-1], 1)}


async def run(backends: list[str], urls: list[str], keys: tuple[str, str], calls: int) -> dict[str, dict[str, float]]:
    """The day in both eras, then the same question by each way."""
    await day(urls, keys, "auto")
    await day(urls, keys, "legacy")
    found = {}
    async with connect_async(backends[0], api_key=keys[0]) as api:
        token = (await api.contributors.create_token(NewToken())).token
        found["API, key"] = await measured(calls, lambda: api.traces.query(Query(query="EADDRINUSE")))
        by_token = api.acting_as(token)
        found["API, token"] = await measured(calls, lambda: by_token.traces.query(Query(query="EADDRINUSE")))
    for name, key in (("MCP, key", keys[0]), ("MCP, token", token)):
        async with alternating_client(urls, key, "auto") as mcp:
            found[name] = await measured(calls, lambda mcp=mcp: mcp.call_tool("query_traces", {"query": "EADDRINUSE"}))  # type: ignore[misc]
    return found


def main() -> None:
    """Start the servers, run, print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--url", help="an empty database; default: a new SQLite file")
    parser.add_argument("--calls", type=int, default=200)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder, ExitStack() as stack:
        url = given.url or f"sqlite:///{folder}/store.db"
        with connect(url) as owner:
            made = [owner.contributors.create_key(NewApiKey(contributor=name)).key for name in ("ann", "ben")]
        backends = [serve(stack, url) for _ in range(2)]
        urls = [serve_mcp(stack, backend) for backend in backends]
        found = asyncio.run(run(backends, urls, (made[0], made[1]), given.calls))
    for name, figures in found.items():
        sys.stdout.write(f"{name:12} {figures['p50_ms']:8.1f} ms {figures['p95_ms']:8.1f} ms\n")
    sys.stdout.write(json.dumps(found) + "\n")


if __name__ == "__main__":
    main()
