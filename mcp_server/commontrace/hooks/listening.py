"""The running server's side of the door: opens it, answers who knocks, and shuts it. See `doors` for what one is."""

import asyncio
import hmac
import os
import secrets
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from typing import Final

from commontrace.hooks.doors import LARGEST, LONGEST_PATH, folder_of, name_of
from commontrace.hooks.journal import note

Answer = Callable[[str, bytes, float], Awaitable[bytes]]
"""What a hook prints, by its name, its event and the seconds that it waits."""

_PATIENCE: Final = 2.0
"""Seconds for a hook to say what it wants; one that waits is never longer here."""
_LONGEST_HEAD: Final = 200


@asynccontextmanager
async def open_door(folder: str, url: str, answer: Answer) -> AsyncIterator[None]:
    """Answer hooks for the length of a block; where no door can be opened, the log says so and hooks stay silent.

    Args:
        folder: where the hooks keep what they remember.
        url: the backend that is asked here.
        answer: what to say; whatever it raises is noted, and nothing is said.
    """
    server, path = None, ""
    try:
        server, path = await _opened(folder, url, answer)
    except OSError as error:
        note(folder, f"no door: {error}")
    try:
        yield
    finally:
        if server is not None:
            server.close()
            with suppress(OSError):
                os.unlink(path)


async def _opened(folder: str, url: str, answer: Answer) -> tuple[asyncio.Server, str]:
    doors = folder_of(folder)
    os.makedirs(doors, mode=0o700, exist_ok=True)
    for private in (folder, doors):
        os.chmod(private, 0o700)
    _sweep(doors)
    path = os.path.join(doors, name_of(url, os.getpid()))
    if hasattr(socket, "AF_UNIX") and len(os.fsencode(f"{path}.sock")) <= LONGEST_PATH:
        return await _socket(f"{path}.sock", folder, answer), f"{path}.sock"
    return await _port(f"{path}.port", folder, answer), f"{path}.port"


def _sweep(doors: str) -> None:
    """Take away the doors of servers that were killed: nobody listens behind them."""
    for entry in os.scandir(doors):
        if entry.name.endswith(".sock"):
            with socket.socket(socket.AF_UNIX) as knocking, suppress(OSError):
                knocking.settimeout(0)
                try:
                    knocking.connect(entry.path)
                except ConnectionRefusedError:
                    os.unlink(entry.path)


async def _socket(path: str, folder: str, answer: Answer) -> asyncio.Server:
    with suppress(FileNotFoundError):
        os.unlink(path)
    server = await asyncio.start_unix_server(_answering(folder, "", answer), path)
    os.chmod(path, 0o600)
    return server


async def _port(path: str, folder: str, answer: Answer) -> asyncio.Server:
    word = secrets.token_hex(16)
    server = await asyncio.start_server(_answering(folder, word, answer), "127.0.0.1", 0)
    with suppress(FileNotFoundError):
        os.unlink(path)
    file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(file, "w", encoding="ascii") as out:
        out.write(f"{server.sockets[0].getsockname()[1]} {word}\n")
    return server


def _answering(
    folder: str, word: str, answer: Answer
) -> Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]:
    async def answered(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            name, event, patience = await asyncio.wait_for(_read(reader, word), _PATIENCE)
            async with asyncio.timeout(patience):
                writer.write(await answer(name, event, patience) + b"\n")
                await writer.drain()
        except (Exception, asyncio.CancelledError) as error:  # noqa: BLE001 - a hook says nothing, whatever fails
            if (
                not isinstance(error, asyncio.IncompleteReadError) or error.partial
            ):  # nobody but a server knocks and goes
                note(folder, f"server: {type(error).__name__}: {error}")
        finally:
            writer.close()

    return answered


async def _read(reader: asyncio.StreamReader, word: str) -> tuple[str, bytes, float]:
    """The name of a hook, its event and the seconds that it waits.

    Raises:
        ValueError: whoever asks does not know the word, or says too much.
    """
    head = (await reader.readuntil(b"\n"))[:_LONGEST_HEAD].decode("ascii", "replace").rstrip("\n").split(" ")
    name, length, patience, given = head
    if not hmac.compare_digest(given, word) or int(length) > LARGEST:
        raise ValueError("a stranger, or too long an event")
    return name, await reader.readexactly(int(length)), int(patience) / 1000
