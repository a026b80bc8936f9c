"""What coding agents learn, kept, shared and trusted like code.

`connect()` gives a `Client`, `connect_async()` an `AsyncClient`; models are in `commontrace.models`,
errors in `commontrace.errors`. Nothing is imported before it is asked for.
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from commontrace._async.client import AsyncClient, connect_async
    from commontrace._async.contexts import AsyncContextRepository, AsyncContexts
    from commontrace._async.tags import AsyncTags
    from commontrace._async.traces import AsyncTraces
    from commontrace._sync.client import Client, connect
    from commontrace._sync.contexts import ContextRepository

__all__ = [
    "AsyncClient",
    "AsyncContextRepository",
    "AsyncContexts",
    "AsyncTags",
    "AsyncTraces",
    "Client",
    "ContextRepository",
    "connect",
    "connect_async",
]

_HOMES = {
    "AsyncClient": "commontrace._async.client",
    "connect_async": "commontrace._async.client",
    "AsyncContextRepository": "commontrace._async.contexts",
    "AsyncContexts": "commontrace._async.contexts",
    "AsyncTags": "commontrace._async.tags",
    "AsyncTraces": "commontrace._async.traces",
    "Client": "commontrace._sync.client",
    "ContextRepository": "commontrace._sync.contexts",
    "connect": "commontrace._sync.client",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'commontrace' has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(_HOMES[name]), name)


def __dir__() -> list[str]:
    return sorted(__all__)
