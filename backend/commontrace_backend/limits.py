"""Whose body is read, what it may carry and how long it may take to come: counted as it arrives, whatever it claims."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Final

from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from commontrace.errors import CommonTraceError
from commontrace.models.contexts.common import LARGEST_BODY

# A contribution's own limit of 64 KiB is checked on its text; JSON escapes can make its body longer.
DEFAULT_LIMIT: Final = 512 * 1024
SYNC_LIMIT: Final = 16 * 1024 * 1024  # a trace with all its versions
# A bundle is checked as it arrives and waits on disk; each of its lines has a limit of its own.
BUNDLE_LIMIT: Final = 2 * 1024 * 1024 * 1024
_WITHOUT_BODY: Final = frozenset({"GET", "HEAD", "OPTIONS"})


class BodyLimit:
    """ASGI middleware that refuses a body of a stranger, of the wrong kind, over its limit, or that stops arriving.

    Args:
        app: what comes next.
        patience: seconds without a byte of a body after which it is given up.
        caller_of: whose request it is by its headers; raises CommonTraceError where that is nobody.
    """

    def __init__(self, app: ASGIApp, patience: float, caller_of: Callable[[Request], Awaitable[object]]) -> None:
        self._app = app
        self._patience = patience
        self._caller_of = caller_of

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on while its body stays within the limits."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        await self._app(scope, _Body(scope, receive, self._patience, self._caller_of), send)


class _Body:
    """One body on its way in."""

    def __init__(
        self, scope: Scope, receive: Receive, patience: float, caller_of: Callable[[Request], Awaitable[object]]
    ) -> None:
        self._request = Request(scope)
        self._receive = receive
        self._caller_of = caller_of
        # Nothing that is had without a key takes a body.
        self._is_known = scope["method"] in _WITHOUT_BODY
        self._limit = limit_of(scope["path"])
        self._patience: float | None = patience
        self._taken = 0
        headers = Headers(scope=scope)
        kind = headers.get("Content-Type", "").partition(";")[0].strip().lower()
        self._is_json = kind == "application/json" or (kind.startswith("application/") and kind.endswith("+json"))
        self._is_any = scope["path"].endswith("/bundle")

    async def __call__(self) -> Message:
        await self._check_caller()
        try:
            async with asyncio.timeout(self._patience):
                message = await self._receive()
        except TimeoutError:
            raise HTTPException(408, "The body stopped arriving") from None
        body: bytes = message.get("body", b"")
        if body and not (self._is_json or self._is_any):
            raise HTTPException(415, "The body is not said to be JSON")
        self._taken += len(body)
        if self._taken > self._limit:
            raise HTTPException(413, f"The body is over the limit of {self._limit // 1024} KiB")
        if not message.get("more_body"):
            self._patience = None  # whoever asks again waits for the caller to leave, however long that takes
        return message

    async def _check_caller(self) -> None:
        """Ask whose body it is before the first byte of it is read."""
        if self._is_known:
            return
        try:
            await self._caller_of(self._request)
        except CommonTraceError as error:
            raise HTTPException(error.status) from error
        self._is_known = True


def limit_of(path: str) -> int:
    """The most bytes that a body of a route may have."""
    if path.startswith("/api/v1/sync/"):
        return SYNC_LIMIT
    if not path.startswith("/api/v1/contexts/"):
        return DEFAULT_LIMIT
    return BUNDLE_LIMIT if path.endswith("/bundle") else LARGEST_BODY
