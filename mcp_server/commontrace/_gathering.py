"""Several calls at once, none of which may keep the others waiting beyond a time."""

import asyncio
import threading
import time
from collections.abc import Awaitable, Callable, Mapping
from functools import partial
from typing import TypeVar

from commontrace.errors import CommonTraceError

T = TypeVar("T")


async def async_gathered(
    first: Callable[[], Awaitable[T]], others: Mapping[str, Callable[[], Awaitable[T]]], seconds: float
) -> tuple[T, dict[str, T | CommonTraceError]]:
    """The answer of the first, and by name what the others answered, or why not; who is late is left out.

    Args:
        first: whose answer is waited for however long it takes.
        others: calls that begin at the same time.
        seconds: how long they may take.
    """
    tasks = {name: asyncio.ensure_future(call()) for name, call in others.items()}
    began = time.monotonic()
    try:
        answer = await first()
        if tasks:
            await asyncio.wait(tasks.values(), timeout=max(0.0, seconds - (time.monotonic() - began)))
        found: dict[str, T | CommonTraceError] = {}
        for name, task in tasks.items():
            error = task.exception() if task.done() else None
            if error is not None and not isinstance(error, CommonTraceError):
                raise error
            if task.done():
                found[name] = error or task.result()
        return answer, found
    finally:
        for task in tasks.values():
            task.cancel()
        await asyncio.gather(*tasks.values(), return_exceptions=True)


def sync_gathered(
    first: Callable[[], T], others: Mapping[str, Callable[[], T]], seconds: float
) -> tuple[T, dict[str, T | CommonTraceError]]:
    """The same for callers that block: each of the others runs in a thread, which nobody waits for at the end."""
    found: dict[str, T | CommonTraceError] = {}
    threads = [threading.Thread(target=partial(_run, name, call, found), daemon=True) for name, call in others.items()]
    ends = time.monotonic() + seconds
    for thread in threads:
        thread.start()
    answer = first()
    for thread in threads:
        thread.join(max(0.0, ends - time.monotonic()))
    return answer, dict(found)


def _run(name: str, call: Callable[[], T], found: dict[str, T | CommonTraceError]) -> None:
    try:
        found[name] = call()
    except CommonTraceError as error:
        found[name] = error
