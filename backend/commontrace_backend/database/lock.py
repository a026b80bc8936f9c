"""One writer at a time across all processes that use a SQLite file."""

import asyncio
import os
import random
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from filelock import lock_descriptor, unlock_descriptor

from commontrace.errors import StoreBusyError, StoreUnusableError

# Contenders poll rather than queue: a blocking flock would stop the event loop that must commit.
_FIRST_PAUSE = 0.001
_LONGEST_PAUSE = 0.02


class WriterLock:
    """A lock inside the process and, behind it, one on a file beside the database.

    Without it, processes that write to one SQLite file starve one another; see docs/architecture.md.
    """

    def __init__(self, path: Path, wait: float) -> None:
        self._mine = asyncio.Lock()
        self._path = path
        self._descriptor: int | None = None  # stays open: opening the file anew takes longer than locking it
        self._wait = wait

    @asynccontextmanager
    async def hold(self) -> AsyncIterator[None]:
        """Hold the lock.

        Raises:
            StoreBusyError: others kept it for longer than `wait` seconds.
            StoreUnusableError: the file cannot be opened for writing.
        """
        async with self._mine:
            descriptor = await self._acquire()
            try:
                yield
            finally:
                unlock_descriptor(descriptor)

    def close(self) -> None:
        """Close the file; holding the lock opens it again."""
        descriptor, self._descriptor = self._descriptor, None
        if descriptor is not None:
            os.close(descriptor)

    async def _acquire(self) -> int:
        deadline = time.monotonic() + self._wait
        pause = _FIRST_PAUSE
        while (descriptor := self._attempt()) is None:
            if time.monotonic() > deadline:
                raise StoreBusyError(
                    f"Other processes kept the store's write lock for {self._wait:g} s.",
                    "Try again; if it stays so, look for a hung commontrace process.",
                )
            await asyncio.sleep(pause * random.uniform(0.5, 1.5))  # noqa: S311 - jitter, not a secret
            pause = min(pause * 1.5, _LONGEST_PAUSE)
        return descriptor

    def _attempt(self) -> int | None:
        """The descriptor of the file, locked; None while another process has the lock."""
        try:
            if self._descriptor is None:
                self._descriptor = os.open(self._path, os.O_RDWR | os.O_CREAT, 0o600)
            if not lock_descriptor(self._descriptor, blocking=False):
                return None
            if os.fstat(self._descriptor).st_nlink:
                return self._descriptor
        except OSError as error:
            raise StoreUnusableError(
                f"The lock file {self._path} cannot be opened: {error.strerror}.",
                "Give this user write permission on the store's folder, or set COMMONTRACE_URL to another place.",
            ) from error
        self.close()  # somebody deleted the file: to lock it keeps nobody out
        return None
