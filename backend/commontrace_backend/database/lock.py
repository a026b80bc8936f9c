"""One writer at a time across all processes that use a SQLite file."""

import asyncio
import random
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from filelock import FileLock, Timeout

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
        self._file = FileLock(path, mode=0o600, thread_local=False)
        self._wait = wait

    @asynccontextmanager
    async def hold(self) -> AsyncIterator[None]:
        """Hold the lock.

        Raises:
            StoreBusyError: others kept it for longer than `wait` seconds.
            StoreUnusableError: the file cannot be opened for writing.
        """
        async with self._mine:
            await self._acquire()
            try:
                yield
            finally:
                self._file.release()

    async def _acquire(self) -> None:
        deadline = time.monotonic() + self._wait
        pause = _FIRST_PAUSE
        while True:
            try:
                self._file.acquire(blocking=False)
            except Timeout:
                if time.monotonic() > deadline:
                    raise StoreBusyError(
                        f"Other processes kept the store's write lock for {self._wait:g} s.",
                        "Try again; if it stays so, look for a hung commontrace process.",
                    ) from None
                await asyncio.sleep(pause * random.uniform(0.5, 1.5))  # noqa: S311 - jitter, not a secret
                pause = min(pause * 1.5, _LONGEST_PAUSE)
            except OSError as error:
                raise StoreUnusableError(
                    f"The lock file {self._file.lock_file} cannot be opened: {error.strerror}.",
                    "Give this user write permission on the store's folder, or set COMMONTRACE_URL to another place.",
                ) from error
            else:
                return
