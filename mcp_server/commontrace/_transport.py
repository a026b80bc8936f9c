"""How a URL becomes a transport: a socket, or the backend inside this process.

A local backend is the same application behind the same HTTP messages; only the hop is missing.
"""

import asyncio
import re
from collections.abc import Callable
from contextlib import AbstractContextManager, ExitStack
from functools import partial
from pathlib import Path
from typing import Any

import httpx2
from anyio.from_thread import BlockingPortal, start_blocking_portal

from commontrace import settings
from commontrace._tls import trusted_for
from commontrace.errors import InvalidInputError

_REMOTE = ("https://", "http://")
_LOCAL = ("sqlite:", "postgresql:", "postgresql+asyncpg:")
_FILE = "sqlite:///"
LOCAL_BASE = "http://commontrace.local"
# To the last @: whoever did not escape one in a password still does not want it shown.
_PASSWORDS = re.compile(r"(?<=://)([^/@:]*:).*(?=@)|([?&]password=)[^&]*")


def without_password(url: str) -> str:
    """A URL that may be shown."""
    return _PASSWORDS.sub(lambda found: f"{found[1] or found[2]}…", url)


def anchored(url: str) -> str:
    """A URL that leads to the same file from whatever folder it is used."""
    path, mark, query = url.removeprefix(_FILE).partition("?")
    if not url.startswith(_FILE) or path in {"", ":memory:"}:
        return url
    return f"{_FILE}{Path(path).absolute()}{mark}{query}"


def base_url(url: str) -> str:
    """What request paths are appended to."""
    return url.rstrip("/") if is_remote(url) else LOCAL_BASE


def is_remote(url: str) -> bool:
    """Whether a URL leads to a server, which wants a key."""
    return url.startswith(_REMOTE)


def async_transport(url: str, timeout: float, *, owner: bool) -> httpx2.AsyncBaseTransport:
    """The transport for a backend URL; `owner` lets a local store's owner in without a key.

    Raises:
        InvalidInputError: the URL is of no known kind.
    """
    if is_remote(url):
        return httpx2.AsyncHTTPTransport(verify=trusted_for(url), retries=1)
    if url.startswith(_LOCAL):
        return InProcessTransport(url, timeout, owner=owner)
    raise InvalidInputError(
        f"{without_password(url)!r} is not the URL of a backend.",
        "Use sqlite:///path or postgresql://user@host/name, or https://host for a server.",
    )


def sync_transport(url: str, timeout: float, *, owner: bool) -> httpx2.BaseTransport:
    """The same for callers that block."""
    if is_remote(url):
        return httpx2.HTTPTransport(verify=trusted_for(url), retries=1)
    return PortalTransport(lambda: async_transport(url, timeout, owner=owner))


def beside_the_data(url: str) -> Any:
    """What is done next to the data (`commontrace_backend.operation.desk.Desk`): backup, restore, migration, repair.

    Raises:
        InvalidInputError: the URL leads to a server, where only its own machine can do that.
    """
    if not url.startswith(_LOCAL):
        raise InvalidInputError(
            f"{without_password(url)!r} is not a database; this is done next to the data.",
            "Run it where the database is, with --url sqlite:///path or postgresql://….",
        )
    from commontrace_backend.operation.desk import Desk

    return Desk(url)


def misspelt() -> dict[str, str]:
    """Variables that are nearly called like a setting of either side, each with the one that may be meant."""
    from commontrace_backend.settings import BackendSettings

    return settings.misspelt(BackendSettings.model_fields)


class InProcessTransport(httpx2.AsyncBaseTransport):
    """Runs the backend in this process; builds it at the first request and owns its lifespan."""

    def __init__(self, url: str, timeout: float, *, owner: bool) -> None:
        self._build = partial(_build, url, timeout, owner=owner)
        self._opening = asyncio.Lock()
        self._app: Any = None
        self._lifespan: Any = None

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        """Hand the request to the application."""
        async with self._opening:
            if self._app is None:
                await self._open()
        return await _answered(self._app, request)

    async def _open(self) -> None:
        # Importing the backend takes a second of CPU: in a thread, so that the loop goes on answering.
        app = await asyncio.to_thread(self._build)
        lifespan = app.router.lifespan_context(app)
        await lifespan.__aenter__()
        self._app, self._lifespan = app, lifespan

    async def aclose(self) -> None:
        """Leave the application's lifespan."""
        lifespan, self._lifespan, self._app = self._lifespan, None, None
        if lifespan is not None:
            await lifespan.__aexit__(None, None, None)


async def _answered(app: Any, request: httpx2.Request) -> httpx2.Response:
    """Hand a request to an ASGI application, which raises nothing, and wait for its whole answer."""
    given = [await request.aread()]
    start: dict[str, Any] = {}
    body: list[bytes] = []

    async def receive() -> dict[str, Any]:
        if not given:  # whoever asks again wants to know when the caller leaves
            await asyncio.get_running_loop().create_future()
        return {"type": "http.request", "body": given.pop()}

    async def send(message: dict[str, Any]) -> None:
        if message["type"] == "http.response.start":
            start.update(message)
        else:
            body.append(message.get("body", b""))

    await app(_scope(request), receive, send)
    return httpx2.Response(start["status"], headers=start["headers"], content=b"".join(body))


def _scope(request: httpx2.Request) -> dict[str, Any]:
    url = request.url
    return {
        "type": "http",
        "asgi": {"version": "3.0", "spec_version": "2.4"},
        "http_version": "1.1",
        "method": request.method,
        "headers": [(name.lower(), value) for name, value in request.headers.raw],
        "scheme": url.scheme,
        "path": url.path,
        "raw_path": url.raw_path.partition(b"?")[0],
        "query_string": url.query,
        "server": (url.host, url.port),
        "client": None,
        "root_path": "",
    }


def _build(url: str, timeout: float, *, owner: bool) -> Any:
    from commontrace_backend.app import create_app
    from commontrace_backend.settings import BackendSettings

    return create_app(BackendSettings.given(database_url=url, local_owner=owner, lock_wait=timeout))


class PortalTransport(httpx2.BaseTransport):
    """Lets blocking callers use an asynchronous transport that runs in a thread of its own."""

    def __init__(self, make: Callable[[], httpx2.AsyncBaseTransport]) -> None:
        self._stack = ExitStack()
        running: AbstractContextManager[BlockingPortal] = start_blocking_portal()
        self._portal = self._stack.enter_context(running)
        try:
            self._transport = self._portal.call(make)
        except BaseException:
            self._stack.close()
            raise
        self._stack.callback(self._portal.call, self._transport.aclose)

    def handle_request(self, request: httpx2.Request) -> httpx2.Response:
        """Run one request in the other thread and wait for the whole answer."""
        return self._portal.call(self._transport.handle_async_request, request)

    def close(self) -> None:
        """Close the transport, then end the thread."""
        self._stack.close()
