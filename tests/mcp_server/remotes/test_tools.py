"""The tool that queries asks the remotes that its owner named, and nobody else's."""

import json
from functools import partial

import pytest
from fastmcp import Client
from fastmcp.client.client import CallToolResult
from fastmcp.exceptions import ToolError

from commontrace import AsyncClient, connect_async
from commontrace.mcp.dependencies import ALONE, Remotes, remotes_of
from commontrace.mcp.server import Around, build_server
from commontrace.settings import Settings
from crowding import Team
from factories import contributed, contribution


def words(result: CallToolResult) -> str:
    return "".join(block.text for block in result.content if block.type == "text")


async def test_a_tool_asks_the_remotes_that_the_settings_name(joined: AsyncClient, other: AsyncClient) -> None:
    await contributed(other, 0, visibility="team")
    joined.remotes.add("down", "http://127.0.0.1:9")
    connect = partial(connect_async, joined.url)
    for remotes, answers in ((ALONE, False), (Remotes(("origin", "down"), 60), True)):
        async with Client(build_server(connect, around=Around(remotes=remotes))) as mcp:
            said = words(await mcp.call_tool("query_traces", {"query": "sqlite database is locked"}))
        assert (contribution(0).title in said, "at origin" in said, "down is not part" in said) == (answers,) * 3


async def test_what_a_remote_alone_has_is_expanded_and_voted_on_there_as_oneself(
    client: AsyncClient, team: Team
) -> None:
    client.remotes.add("team", team.url, team.key)
    client.remotes.add("down", "http://127.0.0.1:9")
    connect = partial(connect_async, client.url)
    async with connect_async(team.store) as owner:
        theirs = await contributed(owner, 0, visibility="team")
        vote = {"trace_id": theirs, "outcome": "worked"}
        remotes = Remotes(("down", "team"), 60)
        async with Client(build_server(connect, around=Around(remotes=remotes))) as mcp:
            with pytest.raises(ToolError, match="ids="):
                await mcp.call_tool("vote_trace", vote)
            shown = words(await mcp.call_tool("query_traces", {"ids": [theirs, "f" * 32]}))
            voted = json.loads(words(await mcp.call_tool("vote_trace", vote)))
            with pytest.raises(ToolError, match="down does not answer"):
                await mcp.call_tool("vote_trace", {**vote, "trace_id": "f" * 32})
        assert ("BEGIN IMMEDIATE" in shown, f"No trace {theirs}" in shown, "No trace ffff" in shown) == (
            True,
            False,
            True,
        )
        assert (voted["remote"], voted["people"]) == ("team", 1)
        assert (await owner.traces.get(theirs)).standing.worked == 1
    async with Client(build_server(connect)) as mcp:
        with pytest.raises(ToolError, match=f"No trace {theirs}"):
            await mcp.call_tool("vote_trace", vote)


def test_the_settings_name_no_remote_some_or_all() -> None:
    assert remotes_of(Settings()) == ALONE
    assert remotes_of(Settings(query_remotes="origin, team", remote_timeout=1)) == Remotes(("origin", "team"), 1)
    assert remotes_of(Settings(query_remotes="all")).names is None
