"""The tool that queries asks the remotes that its owner named, and nobody else's."""

from functools import partial

from fastmcp import Client
from fastmcp.client.client import CallToolResult

from commontrace import AsyncClient, connect_async
from commontrace.mcp.dependencies import ALONE, Remotes, remotes_of
from commontrace.mcp.server import Around, build_server
from commontrace.settings import Settings
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


def test_the_settings_name_no_remote_some_or_all() -> None:
    assert remotes_of(Settings()) == ALONE
    assert remotes_of(Settings(query_remotes="origin, team", remote_timeout=1)) == Remotes(("origin", "team"), 1)
    assert remotes_of(Settings(query_remotes="all")).names is None
