"""Few requests are worked on at once, the others wait for their turn as they came.

Worked on side by side, each request of a hundred would take as long as all of them together, and once that is longer
than a request may take, every one of them is given up half done. In turns, most are answered in time, and who waits in
vain has cost nothing.
"""

import asyncio
from collections.abc import Callable
from typing import Final

from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from commontrace.errors import UnavailableError
from commontrace_backend.again import reads
from commontrace_backend.problems import STREAMED, answer

_PREFIX: Final = "/api/"  # what the operator asks, health and figures, is answered at any time


class Turns:
    """ASGI middleware that lets some requests that read, and as many that write, be worked on at a time.

    A turn begins when the body is there and ends when the answer is: neither a slow sender nor a slow reader has one.

    Args:
        app: what comes next.
        at_once: requests of each kind.
        patience: seconds that one waits for its turn.
    """

    def __init__(self, app: ASGIApp, at_once: int, patience: float) -> None:
        self._app = app
        self._reads, self._writes = asyncio.Semaphore(at_once), asyncio.Semaphore(at_once)
        self._patience = patience

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on when it is its turn; what is streamed takes none."""
        if scope["type"] != "http" or not scope["path"].startswith(_PREFIX) or scope["path"].endswith(STREAMED):
            await self._app(scope, receive, send)
            return
        held = await _whole(receive)
        turns = self._reads if reads(scope) else self._writes
        try:
            async with asyncio.timeout(self._patience):
                await turns.acquire()
        except TimeoutError:
            late = UnavailableError("The server has more to do than it can.", "Try again in a moment.")
            await answer(late)(scope, held, send)
            return
        end = _once(turns.release)

        async def tell(message: Message) -> None:
            end()
            await send(message)

        try:
            await self._app(scope, held, tell)
        finally:
            end()


async def _whole(receive: Receive) -> Receive:
    """Wait for the body; what it gives then is what came, or why it did not."""
    messages: list[Message] = []
    failed: HTTPException | None = None
    try:
        while not messages or messages[-1].get("more_body"):
            messages.append(await receive())
    except HTTPException as error:
        failed = error

    async def again() -> Message:
        if messages:
            return messages.pop(0)
        if failed:
            raise failed
        return await receive()

    return again


def _once(step: Callable[[], None]) -> Callable[[], None]:
    """The step, which is done the first time only."""
    left = [step]

    def done() -> None:
        while left:
            left.pop()()

    return done
