"""What a request may carry and how long it may take to come: counted as it arrives, whatever it claims to be."""

import asyncio
from typing import Final

from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from commontrace.models.contexts.common import LARGEST_BODY

# A contribution's own limit of 64 KiB is checked on its text; JSON escapes can make its body longer.
DEFAULT_LIMIT: Final = 512 * 1024
SYNC_LIMIT: Final = 16 * 1024 * 1024  # a trace with all its versions
# A bundle is checked as it arrives and waits on disk; each of its lines has a limit of its own.
BUNDLE_LIMIT: Final = 2 * 1024 * 1024 * 1024


class BodyLimit:
    """ASGI middleware that refuses a body of the wrong kind, over its route's limit, or that stops arriving.

    Args:
        app: what comes next.
        patience: seconds without a byte of a body after which it is given up.
    """

    def __init__(self, app: ASGIApp, patience: float) -> None:
        self._app = app
        self._patience = patience

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on while its body stays within the limits."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        await self._app(scope, _Body(scope, receive, self._patience), send)


class _Body:
    """One body on its way in."""

    def __init__(self, scope: Scope, receive: Receive, patience: float) -> None:
        self._receive = receive
        self._limit = limit_of(scope["path"])
        self._patience: float | None = patience
        self._taken = 0
        headers = Headers(scope=scope)
        kind = headers.get("Content-Type", "").partition(";")[0].strip().lower()
        self._is_json = kind == "application/json" or (kind.startswith("application/") and kind.endswith("+json"))
        self._is_any = scope["path"].endswith("/bundle")

    async def __call__(self) -> Message:
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


def limit_of(path: str) -> int:
    """The most bytes that a body of a route may have."""
    if path.startswith("/api/v1/sync/"):
        return SYNC_LIMIT
    if not path.startswith("/api/v1/contexts/"):
        return DEFAULT_LIMIT
    return BUNDLE_LIMIT if path.endswith("/bundle") else LARGEST_BODY
