"""What was only read is read again, once, where the database's connection was lost in the middle."""

from typing import Final

from fastapi import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from commontrace.errors import CommonTraceError
from commontrace_backend.database.faults import was_lost

_LOST: Final = "commontrace.lost"
_READ_BY_POST: Final = ("/traces/query", "/checks")


def note_loss(request: Request, error: CommonTraceError) -> None:
    """Remember that the request failed for a reason that is gone when it is asked again."""
    request.scope[_LOST] = was_lost(error)


class Again:
    """ASGI middleware: a read whose connection was lost is answered by another one.

    A write is not: whether it was committed is not known. Its answer says `unavailable`, and an idempotency key makes
    it safe to send again.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on; answers are whole before they start, so one that was lost has not started."""
        if not reads(scope):
            await self._app(scope, receive, send)
            return
        taken: list[Message] = []

        async def take() -> Message:
            taken.append(await receive())
            return taken[-1]

        async def hold(message: Message) -> None:
            if not scope.get(_LOST):
                await send(message)

        async def give() -> Message:
            return taken.pop(0) if taken else await receive()

        await self._app(scope, take, hold)
        if scope.pop(_LOST, False):
            await self._app(scope, give, send)


def reads(scope: Scope) -> bool:
    """Whether a request changes nothing but its caller's receipts."""
    if scope["type"] != "http" or scope["path"].endswith("/bundle"):
        return False
    path: str = scope["path"]
    return scope["method"] == "GET" or (scope["method"] == "POST" and path.endswith(_READ_BY_POST))
