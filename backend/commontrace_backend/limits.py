"""How much a request may carry: counted as it arrives, whatever it claims to be."""

from typing import Final

from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

# A contribution's own limit of 64 KiB is checked on its text; JSON escapes can make its body longer.
DEFAULT_LIMIT: Final = 512 * 1024
CONTEXT_LIMIT: Final = 16 * 1024 * 1024


class BodyLimit:
    """ASGI middleware that answers 413 as soon as a body is over the limit of its route."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on while its body stays within the limit."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        limit = CONTEXT_LIMIT if scope["path"].startswith("/api/v1/contexts/") else DEFAULT_LIMIT
        taken = 0

        async def counted() -> Message:
            nonlocal taken
            message = await receive()
            taken += len(message.get("body", b""))
            if taken > limit:
                raise HTTPException(413, f"The body is over the limit of {limit // 1024} KiB")
            return message

        await self._app(scope, counted, send)
