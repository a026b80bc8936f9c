"""An MCP client on the server, in memory, in both eras of the protocol."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from functools import partial
from typing import Any, Literal

import pytest
from fastmcp import Client
from mcp_types import TextContent

from commontrace import connect_async
from commontrace.mcp.server import Around, build_server


@dataclass
class Agent:
    """What an agent sees of the tools."""

    mcp: Client[Any]

    async def call(self, tool: str, **arguments: Any) -> str:
        """The text of a call that is expected to succeed."""
        result = await self.mcp.call_tool(tool, arguments)
        return "\n".join(block.text for block in result.content if isinstance(block, TextContent))

    async def record(self, tool: str, **arguments: Any) -> dict[str, Any]:
        """The structure of a call that is expected to succeed."""
        result = await self.mcp.call_tool(tool, arguments)
        assert result.structured_content is not None
        return result.structured_content

    async def refusal(self, tool: str, **arguments: Any) -> str:
        """The text of a call that is expected to fail."""
        result = await self.mcp.call_tool(tool, arguments, raise_on_error=False)
        assert result.is_error
        assert isinstance(result.content[0], TextContent)
        return result.content[0].text


@pytest.fixture(params=["auto", "legacy"])
def era(request: pytest.FixtureRequest) -> Literal["auto", "legacy"]:
    """The sessionless protocol of 2026 and the handshake of the years before."""
    chosen: Literal["auto", "legacy"] = request.param
    return chosen


@pytest.fixture
async def agent(url: str, era: Literal["auto", "legacy"]) -> AsyncIterator[Agent]:
    """An agent with the default tools."""
    async with Client(build_server(partial(connect_async, url), around=Around(repository="project")), mode=era) as mcp:
        yield Agent(mcp)


@pytest.fixture
async def expert(url: str) -> AsyncIterator[Agent]:
    """An agent with every tool."""
    async with Client(build_server(partial(connect_async, url), tools="all")) as mcp:
        yield Agent(mcp)
