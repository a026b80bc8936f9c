"""What a tool is handed: the operations of a concept, acting as whoever calls.

A dependency must not return the client itself: FastMCP would enter it, and close it after the call.
"""

from fastmcp.server.dependencies import get_access_token, get_context

from commontrace import AsyncClient, AsyncContexts, AsyncTags, AsyncTraces


def current_client() -> AsyncClient:
    """The server's client, acting as the caller where the transport knows one."""
    client: AsyncClient = get_context().lifespan_context["client"]
    token = get_access_token()
    return client.acting_as(token.token, working_copy=f"mcp:{token.client_id}") if token else client


def current_traces() -> AsyncTraces:
    """Traces, as the caller."""
    return current_client().traces


def current_tags() -> AsyncTags:
    """Tags, as the caller."""
    return current_client().tags


def current_contexts() -> AsyncContexts:
    """Contexts, as the caller."""
    return current_client().contexts


def current_repository() -> str:
    """The context that is meant where none is named: the project's that the server runs in."""
    name: str = get_context().lifespan_context["repository"]
    return name
