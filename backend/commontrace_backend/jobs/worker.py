"""Does the upkeep of a store in the background, a little at a time."""

import asyncio
import logging
from contextlib import suppress
from typing import Final

from commontrace_backend.reporting import report
from commontrace_backend.traces.upkeep import Upkeep

_AT_ONCE: Final = 8  # traces embedded in one step: what a closing store waits for at most
_PAUSE: Final = 30.0  # seconds until another try where the embedder or the store failed


class Worker:
    """One task that sleeps until it is told that there may be something to do."""

    def __init__(self, upkeep: Upkeep) -> None:
        self._upkeep = upkeep
        self._wake = asyncio.Event()
        self._closing = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Look once for what earlier processes left undone."""
        self._wake.set()
        self._task = asyncio.create_task(self._run())

    def wake(self) -> None:
        """Something may be to do."""
        self._wake.set()

    async def stop(self) -> None:
        """Finish the step at hand; the rest waits for the next process."""
        self._closing.set()
        self._wake.set()
        if self._task is not None:
            await self._task

    async def _run(self) -> None:
        while not self._closing.is_set():
            await self._wake.wait()
            self._wake.clear()
            try:
                while not self._closing.is_set() and await self._upkeep.some(_AT_ONCE):
                    pass
            except Exception as error:  # noqa: BLE001 - whatever it was, the next contribution deserves another try
                report(logging.WARNING, "upkeep failed", reason=str(error))
                with suppress(TimeoutError):
                    await asyncio.wait_for(self._closing.wait(), _PAUSE)
                self._wake.set()
