"""Every request has an id, is timed and counted, and leaves one line in the log."""

import logging
import re
import time
import uuid
from typing import Final, Protocol

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from commontrace_backend.problems import route_of
from commontrace_backend.reporting import NOTED, Noted, report

REQUEST_ID_HEADER: Final = "X-Request-Id"
_SANE: Final = re.compile(r"[A-Za-z0-9._-]{1,100}\Z")
_FAILED: Final = 500
_METHODS: Final = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})


class Counted(Protocol):
    """What is told of every request once it is answered."""

    def began(self) -> None:
        """A request has come."""
        ...

    def ended(self, method: str, route: str, status: int, seconds: float, code: str) -> None:
        """It was answered; `route` is the path as it is declared, `code` that of an error or empty."""
        ...


def method_of(scope: Scope) -> str:
    """The method; what nobody declares is one name, for a caller may make up any number of them."""
    method: str = scope["method"]
    return method if method in _METHODS else "other"


class RequestIds:
    """ASGI middleware: takes a sane X-Request-Id or makes one, and says it in the answer."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        given = Headers(scope=scope).get(REQUEST_ID_HEADER, "")
        noted = Noted(given if _SANE.match(given) else uuid.uuid4().hex)

        async def named(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message)[REQUEST_ID_HEADER] = noted.request_id
            await send(message)

        token = NOTED.set(noted)
        try:
            await self._app(scope, receive, named)
        finally:
            NOTED.reset(token)


class Heads:
    """ASGI middleware: HEAD is GET without the body."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on."""
        if scope["type"] != "http" or scope["method"] != "HEAD":
            await self._app(scope, receive, send)
            return

        async def headless(message: Message) -> None:
            await send({**message, "body": b""} if message["type"] == "http.response.body" else message)

        scope["method"] = "GET"
        await self._app(scope, receive, headless)


class Observed:
    """ASGI middleware: one log line and, where figures are kept, one observation a request."""

    def __init__(self, app: ASGIApp, counted: Counted | None) -> None:
        self._app = app
        self._counted = counted

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on; one whose client left before the answer began has status 499."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        status, start = 499, time.perf_counter()

        async def seen(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        if self._counted:
            self._counted.began()
        try:
            await self._app(scope, receive, seen)
        finally:
            self._tell(scope, status, time.perf_counter() - start)

    def _tell(self, scope: Scope, status: int, seconds: float) -> None:
        noted = NOTED.get()
        code, key = (noted.code, noted.key_id) if noted else ("", "")
        method, route = method_of(scope), route_of(scope)
        if self._counted:
            self._counted.ended(method, route, status, seconds, code)
        told = {"code": code} if code else {}
        report(
            # Whoever logs no requests wants to know of those that the server failed.
            logging.WARNING if status >= _FAILED else logging.INFO,
            "request",
            method=method,
            route=route,
            status=status,
            ms=round(seconds * 1000, 1),
            key=key or "-",
            **told,
        )
