"""Subscriptions: a client is told when a trace, a window or the branches that it watches change through this server."""

from collections.abc import Callable
from typing import Any, Final

import mcp_types
from fastmcp import FastMCP
from fastmcp.server.dependencies import get_access_token, get_context
from fastmcp.server.middleware import CallNext, Middleware, MiddlewareContext
from fastmcp.tools.base import ToolResult
from mcp.server.context import ServerRequestContext
from mcp.server.session import ServerSession
from mcp.server.subscriptions import ListenHandler, ResourceUpdated, ServerEvent

_MOST: Final = 1024
"""Subscriptions of the handshake's era that are kept at a time; the oldest go first."""


class CallersBus:
    """Hands each event to the listeners of the caller who made it: nobody learns what others do."""

    def __init__(self) -> None:
        self._listeners: dict[object, tuple[str, Callable[[ServerEvent], None]]] = {}

    async def publish(self, event: ServerEvent) -> None:
        """Tell the listeners of whoever calls."""
        for caller, listener in list(self._listeners.values()):
            if caller == _caller():
                listener(event)

    def subscribe(self, listener: Callable[[ServerEvent], None]) -> Callable[[], None]:
        """Listen for whoever calls, until the function that is returned is called."""
        name = object()
        self._listeners[name] = (_caller(), listener)

        def unsubscribe() -> None:
            self._listeners.pop(name, None)

        return unsubscribe


class Subscriptions(Middleware):
    """Serves `subscriptions/listen`, and `resources/subscribe` to clients of the handshake's era."""

    def __init__(self) -> None:
        self._bus = CallersBus()
        self._watched: dict[tuple[int, str], tuple[str, ServerSession]] = {}

    def register(self, server: FastMCP) -> None:
        """Answer the protocol's methods; FastMCP has no way in of its own."""
        handlers = server._mcp_server  # noqa: SLF001 - see above
        listen = mcp_types.SubscriptionsListenRequestParams
        handlers.add_request_handler("subscriptions/listen", listen, ListenHandler(self._bus))
        handlers.add_request_handler("resources/subscribe", mcp_types.SubscribeRequestParams, self._subscribe)
        handlers.add_request_handler("resources/unsubscribe", mcp_types.UnsubscribeRequestParams, self._unsubscribe)

    async def _subscribe(
        self, context: ServerRequestContext[Any, Any], params: mcp_types.SubscribeRequestParams
    ) -> mcp_types.EmptyResult:
        self._watched[_connection(context), str(params.uri)] = (_caller(), context.session)
        while len(self._watched) > _MOST:
            del self._watched[next(iter(self._watched))]
        return mcp_types.EmptyResult()

    async def _unsubscribe(
        self, context: ServerRequestContext[Any, Any], params: mcp_types.UnsubscribeRequestParams
    ) -> mcp_types.EmptyResult:
        self._watched.pop((_connection(context), str(params.uri)), None)
        return mcp_types.EmptyResult()

    async def on_call_tool(
        self,
        context: MiddlewareContext[mcp_types.CallToolRequestParams],
        call_next: CallNext[mcp_types.CallToolRequestParams, ToolResult],
    ) -> ToolResult:
        """Call the tool, and tell who watches what it changed."""
        result = await call_next(context)
        default = get_context().lifespan_context["repository"]
        for uri in _touched(context.message, result.structured_content or {}, default):
            await self._bus.publish(ResourceUpdated(uri))
            for key, (caller, session) in list(self._watched.items()):
                if key[1] == uri and caller == _caller():
                    await session.send_resource_updated(uri)
        return result


def _caller() -> str:
    token = get_access_token()
    return token.client_id if token else ""


def _connection(context: ServerRequestContext[Any, Any]) -> int:
    """What is the same for all requests of a connection, and for no other one that lives."""
    return id(context.session.client_params)


_READ: Final = frozenset({"query_traces", "get_trace", "list_tags"}) | {
    f"context_{name}" for name in ("log", "show", "diff", "status", "grep", "blame", "usage", "verify")
}


def _touched(call: mcp_types.CallToolRequestParams, said: dict[str, Any], default: str) -> list[str]:
    """The resources that a call may have changed: a client reads them again if it cares."""
    given = call.arguments or {}
    if call.name in _READ or given.get("dry_run") or (call.name, given.get("action")) == ("context_branch", "list"):
        return []
    if not call.name.startswith("context_"):
        ids = {str(values["trace_id"]) for values in (given, said) if values.get("trace_id")}
        return [f"commontrace://traces/{name}" for name in sorted(ids)]
    repository = given.get("repository") or default
    names = {"HEAD", *(str(values[key]) for values in (given, said) for key in ("branch", "name") if values.get(key))}
    windows = [f"commontrace://contexts/{repository}/{name}" for name in sorted(names)]
    return [f"commontrace://branches/{repository}", *windows]
