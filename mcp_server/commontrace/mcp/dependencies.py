"""What a tool is handed: the client of whoever calls."""

from fastmcp import Context
from fastmcp.server.dependencies import get_access_token, get_context

from commontrace import AsyncClient


def current_client() -> AsyncClient:
    """The server's client, acting as the caller where the transport knows one."""
    return client_of(get_context())


def client_of(context: Context) -> AsyncClient:
    """The client of the server behind a context, acting as the caller whose token came with the request."""
    client: AsyncClient = context.lifespan_context["client"]
    token = get_access_token()
    return client.acting_as(token.token, working_copy=f"mcp:{token.client_id}") if token else client
