"""Who watches a trace, a window or the branches of a context is told when this server changes it."""

import asyncio
from functools import partial
from typing import Any

import mcp_types
import pytest
from fastmcp import Client
from mcp.client.subscriptions import listen
from mcp.server.subscriptions import ResourceUpdated

from commontrace import connect_async
from commontrace.mcp.server import Around, build_server

HELLO = {"messages": [{"role": "user", "content": "hello"}]}
FIX = {"title": "Port taken", "problem": "EADDRINUSE on start", "solution": "run `lsof -i`"}


async def _heard(server: Any, watched: list[str], calls: list[tuple[str, dict[str, Any]]], number: int) -> list[str]:
    async with Client(server) as mcp, listen(mcp.session, resource_subscriptions=watched) as events:
        for name, arguments in calls:
            await mcp.call_tool(name, arguments, raise_on_error=False)  # one that failed changed nothing
        async with asyncio.timeout(10):
            found = [await anext(aiter(events)) for _ in range(number)]
    assert all(isinstance(event, ResourceUpdated) for event in found)
    return sorted(event.uri for event in found if isinstance(event, ResourceUpdated))


async def test_a_commit_tells_who_watches_the_window_and_the_branches(url: str) -> None:
    server = build_server(partial(connect_async, url), around=Around(repository="project"))
    watched = [f"commontrace://{name}" for name in ("branches/project", "contexts/project/main", "contexts/other/main")]
    calls: list[tuple[str, dict[str, Any]]] = [
        ("context_branch", {"action": "create", "name": "main", "repository": "other"}),
        ("context_log", {}),
        ("context_commit", HELLO),
        ("context_merge", {"source": "main", "repository": "project", "dry_run": True}),
    ]
    assert await _heard(server, watched, calls, 2) == watched[:2]


async def test_a_trace_that_is_amended_tells_who_watches_it(url: str) -> None:
    async with Client(build_server(partial(connect_async, url))) as mcp:
        stored = (await mcp.call_tool("contribute_trace", FIX)).structured_content
    assert stored is not None
    read = {"trace_id": stored["trace_id"]}
    amended = {**read, "solution": "run `ss -ltn`", "reason": "lsof is not everywhere"}
    uri = f"commontrace://traces/{stored['trace_id']}"
    server = build_server(partial(connect_async, url), tools="all")
    assert await _heard(server, [uri], [("get_trace", read), ("amend_trace", amended)], 1) == [uri]


@pytest.mark.filterwarnings("ignore:resources/.*subscribe is removed")
async def test_clients_of_the_handshake_are_told_until_they_unsubscribe(url: str) -> None:
    heard: asyncio.Queue[str] = asyncio.Queue()

    async def note(message: Any) -> None:
        if isinstance(message, mcp_types.ResourceUpdatedNotification):
            heard.put_nowait(str(message.params.uri))

    server = build_server(partial(connect_async, url), around=Around(repository="project"))
    async with Client(server, mode="legacy", message_handler=note) as mcp:
        await mcp.session.subscribe_resource("commontrace://branches/project")
        await mcp.session.subscribe_resource("commontrace://contexts/project/HEAD")
        await mcp.call_tool("context_commit", HELLO)
        async with asyncio.timeout(10):
            first = {await heard.get(), await heard.get()}
        await mcp.session.unsubscribe_resource("commontrace://branches/project")
        await mcp.call_tool("context_branch", {"action": "create", "name": "try"})
        async with asyncio.timeout(10):
            assert await heard.get() == "commontrace://contexts/project/HEAD"
    assert first == {"commontrace://branches/project", "commontrace://contexts/project/HEAD"}
    assert heard.empty()
