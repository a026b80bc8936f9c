"""Resources: traces, windows and branches by URI, with completion of their names."""

import mcp_types
from fastmcp import FastMCP

from commontrace.errors import CommonTraceError
from commontrace.mcp.dependencies import current_client
from commontrace.safety.rendering import render_fenced, render_trace

MARKDOWN = "text/markdown"


async def trace(trace_id: str) -> str:
    """A trace whole: text, standing, links."""
    return render_trace(await current_client().traces.get(trace_id))


async def window(repository: str, ref: str) -> str:
    """The messages of a context at a branch, tag or commit."""
    shown = await current_client().contexts.open(repository).window(ref=ref, format="text")
    return render_fenced(f"window {repository} {ref}", shown.text or "")


async def branches(repository: str) -> str:
    """The branches of a context, one a line."""
    found = await current_client().contexts.open(repository).branches()
    return "\n".join(f"{branch.name} {branch.commit_id or 'unborn'}" for branch in found)


async def complete(
    ref: mcp_types.PromptReference | mcp_types.ResourceTemplateReference,
    argument: mcp_types.CompletionArgument,
    context: mcp_types.CompletionContext | None,
) -> list[str] | None:
    """Names that begin with what was typed: trace ids, repositories, branches."""
    del ref
    given = (context.arguments if context else None) or {}
    try:
        names = await _names(argument.name, given.get("repository", "default"))
    except CommonTraceError:
        return []
    return [name for name in names if name.startswith(argument.value)][:100]


async def _names(argument: str, repository: str) -> list[str]:
    client = current_client()
    if argument == "trace_id":
        return [trace.trace_id for trace in (await client.traces.page(limit=100)).traces]
    if argument == "repository":
        return [found.name for found in await client.contexts.repositories()]
    if argument == "ref":
        return [branch.name for branch in await client.contexts.open(repository).branches()]
    return []


def register(server: FastMCP) -> None:
    """Offer every resource of this module."""
    server.resource("commontrace://traces/{trace_id}", title="A trace", mime_type=MARKDOWN)(trace)
    server.resource("commontrace://contexts/{repository}/{ref*}", title="A window", mime_type=MARKDOWN)(window)
    server.resource("commontrace://branches/{repository}", title="Branches", mime_type="text/plain")(branches)
    server.completion(complete)
