"""What was read before and has not changed since travels as 304: entity tags for every answer to a GET."""

import hashlib
from typing import Final

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

_API: Final = "/api/"
_FRESH: Final = "private, no-cache"
"""It may be kept by its reader, who asks before using it again: an audience shrinks, a purge takes effect at once."""


class Revalidated:
    """ASGI middleware: a strong ETag of the body's content, 304 for whoever has it, and no shared cache ever."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on; JSON that was read is held back until its end, a stream is not."""
        if scope["type"] != "http" or not scope["path"].startswith(_API):
            await self._app(scope, receive, send)
            return
        await self._app(scope, receive, _Answer(scope, send))


class _Answer:
    """The rest of one answer."""

    def __init__(self, scope: Scope, send: Send) -> None:
        self._send = send
        self._wanted = Headers(scope=scope).get("If-None-Match", "")
        self._is_read = scope["method"] == "GET"
        self._start: Message | None = None
        self._parts: list[bytes] = []

    async def __call__(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = MutableHeaders(scope=message)
            whole = self._is_read and message["status"] == 200 and headers.get("content-type") == "application/json"  # noqa: PLR2004
            headers["Cache-Control"] = _FRESH if whole else "no-store"
            headers["Vary"] = "Authorization, CommonTrace-Working-Copy"
            if whole:
                self._start = message
                return
        elif self._start is not None:
            self._parts.append(message.get("body", b""))
            if not message.get("more_body"):
                await self._end(self._start, b"".join(self._parts))
            return
        await self._send(message)

    async def _end(self, start: Message, body: bytes) -> None:
        headers = MutableHeaders(scope=start)
        tag = f'"{hashlib.blake2b(body, digest_size=16).hexdigest()}"'
        headers["ETag"] = tag
        if tag in self._wanted or self._wanted.strip() == "*":
            start["status"], body = 304, b""
            del headers["Content-Length"], headers["Content-Type"]
        await self._send(start)
        await self._send({"type": "http.response.body", "body": body})
