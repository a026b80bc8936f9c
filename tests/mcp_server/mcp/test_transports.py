"""The server as clients reach it: a process on standard input, and HTTP with a key."""

import asyncio
import json
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import httpx2
import pytest
import uvicorn
from fastmcp import Client
from fastmcp.client.transports import SSETransport, StreamableHttpTransport
from mcp.client.subscriptions import listen
from mcp.server.subscriptions import ResourceUpdated

from commontrace import connect_async
from commontrace.mcp.server import build_server
from doors import People

COMMAND = [sys.executable, "-c", "from commontrace.mcp.server import run; run()"]


class Process:
    """A stdio server and a raw JSON-RPC client."""

    def __init__(self, url: str, folder: Path) -> None:
        self.running = subprocess.Popen(
            COMMAND,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env={**os.environ, "COMMONTRACE_URL": url},
            cwd=folder,
            text=True,
        )
        self._last = 0

    def ask(self, method: str, **params: Any) -> dict[str, Any]:
        """Send a request and return its result."""
        self._last += 1
        self._send({"jsonrpc": "2.0", "id": self._last, "method": method, "params": params})
        assert self.running.stdout is not None
        for line in self.running.stdout:
            answer: dict[str, Any] = json.loads(line)  # anything but JSON-RPC on standard output is a defect
            if answer.get("id") == self._last:
                result: dict[str, Any] = answer["result"]
                return result
        raise AssertionError("the server ended")

    def _send(self, message: dict[str, Any]) -> None:
        assert self.running.stdin is not None
        self.running.stdin.write(json.dumps(message) + "\n")
        self.running.stdin.flush()

    def greet(self) -> dict[str, Any]:
        """The handshake."""
        answer = self.ask(
            "initialize",
            protocolVersion="2025-11-25",
            capabilities={},
            clientInfo={"name": "test", "version": "1"},
        )
        self._send({"jsonrpc": "2.0", "method": "notifications/initialized"})
        return answer

    def call(self, tool: str, **arguments: Any) -> str:
        """The text of a tool call."""
        return str(self.ask("tools/call", name=tool, arguments=arguments)["content"][0]["text"])

    def end(self) -> int:
        """Close standard input and wait for the process to end."""
        assert self.running.stdin is not None
        self.running.stdin.close()
        code = self.running.wait(timeout=30)
        assert self.running.stdout is not None
        self.running.stdout.close()
        return code


def test_a_process_serves_the_whole_loop_and_ends_with_its_input(url: str, tmp_path: Path) -> None:
    project = tmp_path / "My Project"
    (project / ".git").mkdir(parents=True)
    process = Process(url, project)
    greeting = process.greet()
    assert len(process.ask("tools/list")["tools"]) == 8
    stored = json.loads(
        process.call("contribute_trace", title="Port taken", problem="EADDRINUSE on start", solution="run `lsof -i`")
    )
    assert stored["trace_id"][:10] in process.call("query_traces", query="EADDRINUSE on start")
    assert "self_report" in process.call("vote_trace", trace_id=stored["trace_id"], outcome="worked")
    committed = json.loads(process.call("context_commit", messages=[{"role": "user", "content": "hi"}]))
    assert greeting["serverInfo"]["name"] == "commontrace"
    assert committed["repository"] == "my-project"
    assert process.end() == 0


def test_what_a_process_acknowledged_is_there_for_the_next_even_after_a_kill(url: str, tmp_path: Path) -> None:
    process = Process(url, tmp_path)
    process.greet()
    process.call("contribute_trace", title="Port taken", problem="EADDRINUSE on start", solution="run `lsof -i`")
    process.running.kill()
    process.end()
    again = Process(url, tmp_path)
    again.greet()
    assert "Port taken" in again.call("query_traces", query="EADDRINUSE on start")
    again.end()


def test_two_runs_of_an_agent_have_heads_of_their_own(url: str, tmp_path: Path) -> None:
    one, other = Process(url, tmp_path), Process(url, tmp_path)
    for process in (one, other):
        process.greet()
    one.call("context_commit", messages=[{"role": "user", "content": "hi"}])
    one.call("context_branch", action="create", name="try")
    assert "* try" in one.call("context_branch")
    assert "* main" in other.call("context_branch")
    one.end()
    other.end()


@pytest.fixture(params=["http", "sse"])
def remote(request: pytest.FixtureRequest, url: str) -> Iterator[tuple[str, str]]:
    """The server over HTTP on the store: its URL and its transport."""
    server = build_server(partial(connect_async, url, api_key=""), keys=True)
    app = server.http_app(transport=request.param, host_origin_protection=True)
    running = uvicorn.Server(uvicorn.Config(app, port=0, log_level="error", ws="none", timeout_graceful_shutdown=1))
    thread = threading.Thread(target=running.run)
    thread.start()
    while not running.started:
        threading.Event().wait(0.01)
    port = running.servers[0].sockets[0].getsockname()[1]
    path = "mcp" if request.param == "http" else "sse"
    yield f"http://127.0.0.1:{port}/{path}", request.param
    running.should_exit = True
    thread.join()


def _client(remote: tuple[str, str], key: str) -> Client[Any]:
    kind = StreamableHttpTransport if remote[1] == "http" else SSETransport
    return Client(kind(remote[0], headers={"Authorization": f"Bearer {key}"}))


async def test_over_http_each_caller_is_who_their_key_says(remote: tuple[str, str], people: People) -> None:
    ann, ben = await people.key("ann"), await people.key("ben")
    async with _client(remote, ann) as mcp:
        stored = await mcp.call_tool(
            "contribute_trace",
            {"title": "Port taken", "problem": "EADDRINUSE", "solution": "run `lsof -i`", "visibility": "team"},
        )
    assert stored.structured_content is not None
    trace_id = stored.structured_content["trace_id"]
    async with _client(remote, ben) as mcp:
        await mcp.call_tool("query_traces", {"ids": [trace_id]})
        vote = await mcp.call_tool("vote_trace", {"trace_id": trace_id, "outcome": "worked"})
    assert vote.structured_content is not None
    assert not vote.structured_content["self_report"]
    assert (await people.owner.traces.get(trace_id)).contributor.name == "ann"


async def test_over_http_no_key_and_a_wrong_key_are_turned_away(remote: tuple[str, str]) -> None:
    async with httpx2.AsyncClient() as web:
        for headers in ({}, {"Authorization": "Bearer ct_live_00000000_nonsense"}):
            answer = await asyncio.wait_for(_first(web, remote, headers), 10)
            assert answer == 401


async def test_over_http_a_foreign_host_or_origin_is_turned_away(remote: tuple[str, str], people: People) -> None:
    key = await people.key("ann")
    async with httpx2.AsyncClient() as web:
        for bad in ({"Host": "evil.example"}, {"Origin": "https://evil.example"}):
            answer = await asyncio.wait_for(_first(web, remote, {"Authorization": f"Bearer {key}", **bad}), 10)
            assert answer in {403, 421}


async def test_over_http_a_key_that_is_revoked_meanwhile_opens_nothing_more(
    remote: tuple[str, str], people: People
) -> None:
    key = await people.key("ann")
    async with _client(remote, key) as mcp:
        await mcp.call_tool("query_traces", {"query": "before"})
    async with httpx2.AsyncClient() as web:
        headers = {"Authorization": f"Bearer {key}"}
        assert await asyncio.wait_for(_first(web, remote, headers), 10) != 401
        await people.owner.contributors.revoke_key(key.split("_")[2])
        assert await asyncio.wait_for(_first(web, remote, headers), 10) == 401


@pytest.mark.parametrize("remote", ["http"], indirect=True)
async def test_over_http_nobody_hears_of_what_others_change(remote: tuple[str, str], people: People) -> None:
    said = {"messages": [{"role": "user", "content": "hello"}]}
    watched = [f"commontrace://branches/{name}" for name in ("theirs", "mine")]
    ann, ben = await people.key("ann"), await people.key("ben")
    async with (
        _client(remote, ann) as mine,
        _client(remote, ben) as theirs,
        listen(mine.session, resource_subscriptions=watched) as events,
    ):
        await theirs.call_tool("context_commit", {**said, "repository": "theirs"})
        await mine.call_tool("context_commit", {**said, "repository": "mine"})
        async with asyncio.timeout(10):
            assert await anext(aiter(events)) == ResourceUpdated("commontrace://branches/mine")


async def _first(web: httpx2.AsyncClient, remote: tuple[str, str], headers: dict[str, str]) -> int:
    method = "POST" if remote[1] == "http" else "GET"
    async with web.stream(method, remote[0], headers=headers) as answer:
        return answer.status_code
