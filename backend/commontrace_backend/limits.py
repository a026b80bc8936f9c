"""How much a request may carry: counted as it arrives, whatever it claims to be."""

from typing import Final

from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

# A contribution's own limit of 64 KiB is checked on its text; JSON escapes can make its body longer.
DEFAULT_LIMIT: Final = 512 * 1024
CONTEXT_LIMIT: Final = 16 * 1024 * 1024
SYNC_LIMIT: Final = 16 * 1024 * 1024  # a trace with all its versions
# A bundle is checked as it arrives and waits on disk; each of its lines has a limit of its own.
BUNDLE_LIMIT: Final = 2 * 1024 * 1024 * 1024


class BodyLimit:
    """ASGI middleware that answers 413 as soon as a body is over the limit of its route."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on while its body stays within the limit."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        limit = limit_of(scope["path"])
        taken = 0

        async def counted() -> Message:
            nonlocal taken
            message = await receive()
            taken += len(message.get("body", b""))
            if taken > limit:
                raise HTTPException(413, f"The body is over the limit of {limit // 1024} KiB")
            return message

        await self._app(scope, counted, send)


def limit_of(path: str) -> int:
    """The most bytes that a body of a route may have."""
    if path.startswith("/api/v1/sync/"):
        return SYNC_LIMIT
    if not path.startswith("/api/v1/contexts/"):
        return DEFAULT_LIMIT
    return BUNDLE_LIMIT if path.endswith("/bundle") else CONTEXT_LIMIT
