"""The MCP server over HTTP for tests, in this process, and clients of it."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from itertools import cycle
from typing import Any, Literal

import httpx2
import uvicorn
from fastmcp import Client
from fastmcp.client.transports import SSETransport, StreamableHttpTransport

from commontrace import connect_async
from commontrace.mcp.server import build_server


@contextmanager
def serving_mcp(url: str, transport: Literal["http", "sse"] = "http") -> Iterator[str]:
    """Run the MCP server before a backend; its address is that of its endpoint."""
    server = build_server(partial(connect_async, url, api_key=""), keys=True)
    app = server.http_app(transport=transport, host_origin_protection=True, stateless_http=transport == "http")
    running = uvicorn.Server(uvicorn.Config(app, port=0, log_level="error", ws="none", timeout_graceful_shutdown=1))
    thread = threading.Thread(target=running.run)
    thread.start()
    while not running.started:
        threading.Event().wait(0.01)
    port = running.servers[0].sockets[0].getsockname()[1]
    try:
        yield f"http://127.0.0.1:{port}/{'mcp' if transport == 'http' else 'sse'}"
    finally:
        running.should_exit = True
        thread.join()


def mcp_client(url: str, key: str, mode: Literal["auto", "legacy"] = "auto") -> Client[Any]:
    """A client that sends a key with each request, of either protocol era."""
    kind = SSETransport if url.endswith("sse") else StreamableHttpTransport
    return Client(kind(url, headers=bearer(key)), mode=mode)


def bearer(key: str) -> dict[str, str]:
    """The header that carries a key."""
    return {"Authorization": f"Bearer {key}"}


class Alternating(httpx2.AsyncHTTPTransport):
    """Sends each request to the next of several servers, as a proxy without memory does."""

    def __init__(self, urls: list[str]) -> None:
        super().__init__()
        self._ports = cycle([httpx2.URL(url).port for url in urls])

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        """Send it."""
        request.url = request.url.copy_with(port=next(self._ports))
        return await super().handle_async_request(request)


def alternating_client(urls: list[str], key: str, mode: Literal["auto", "legacy"]) -> Client[Any]:
    """A client each of whose requests reaches another server than the one before."""

    def make(
        headers: dict[str, str] | None = None,
        timeout: httpx2.Timeout | None = None,
        auth: httpx2.Auth | None = None,
        **_: object,
    ) -> httpx2.AsyncClient:
        return httpx2.AsyncClient(transport=Alternating(urls), headers=headers, timeout=timeout, auth=auth)

    return Client(StreamableHttpTransport(urls[0], headers=bearer(key), httpx_client_factory=make), mode=mode)


async def day(urls: list[str], keys: tuple[str, str], mode: Literal["auto", "legacy"]) -> None:
    """All that two people do with traces and contexts, each request with another server."""
    ann, ben = (alternating_client(urls, key, mode) for key in keys)
    async with ann, ben:
        assert len(await ann.list_tools()) == 8
        found = {"title": f"Port taken, {mode}", "problem": "EADDRINUSE", "solution": "run `lsof -i`"}
        stored = await ann.call_tool("contribute_trace", {**found, "insist": True, "visibility": "team"})
        assert stored.structured_content is not None
        trace_id = stored.structured_content["trace_id"]
        assert "Port taken" in str((await ben.call_tool("query_traces", {"ids": [trace_id]})).content)
        vote = (await ben.call_tool("vote_trace", {"trace_id": trace_id, "outcome": "worked"})).structured_content
        assert vote is not None
        assert not vote["self_report"]
        said = {"repository": mode}
        for number in range(3):
            message = {"role": "user", "content": f"turn {number}"}
            await ann.call_tool("context_commit", {**said, "messages": [message]})
        await ann.call_tool("context_branch", {**said, "action": "create", "name": "try"})
        await ann.call_tool("context_commit", {**said, "messages": [{"role": "user", "content": "aside"}]})
        assert "* try" in str((await ann.call_tool("context_branch", said)).content)
        shown = str((await ann.call_tool("context_show", said)).content)
        assert all(word in shown for word in ("turn 0", "turn 2", "aside"))
        foreign = await ben.call_tool("context_show", said, raise_on_error=False)
        assert "turn 0" not in str(foreign.content)
