"""Where a running server can be asked: one door for each store and process, in a folder that only its user can enter.

A door is a Unix domain socket of mode 600. Where there are none, or its path would be too long for one, it is a port on
loopback, named in a file of mode 600 with a word that whoever asks must know. Standard library only.
"""

import hashlib
import os
import socket
import time
from contextlib import suppress
from typing import Final, NamedTuple

LONGEST_PATH: Final = 100
"""Bytes of a path that every system takes for a socket."""

LARGEST: Final = 8 * 1024 * 1024
"""Bytes of an event that a server reads, and of an answer that a hook does."""


class Address(NamedTuple):
    """A door as its file names it; `port` is 0 for a socket, and `word` is empty."""

    path: str
    port: int = 0
    word: str = ""


def folder_of(hooks: str) -> str:
    """The folder of the doors."""
    return os.path.join(hooks, "doors")


def name_of(url: str, process: int) -> str:
    """What a door is called, without its ending: the store, then the process."""
    return f"{store_of(url)}-{process}"


def store_of(url: str) -> str:
    """A name for a backend that does not tell its address, nor a password in it."""
    return hashlib.sha256(url.encode()).hexdigest()[:16]


def ask(hooks: str, url: str, name: str, event: bytes, patience: float) -> bytes | None:
    """The answer of the server that came last, or None where none answers in time.

    Args:
        hooks: the folder of the hooks.
        url: the backend whose server is meant.
        name: which hook asks.
        event: what the agent said.
        patience: seconds to wait in all.
    """
    until = time.monotonic() + patience
    for path in _newest_first(folder_of(hooks), store_of(url)):
        try:
            return _asked(_address(path), name, event, until)
        except (ConnectionRefusedError, ValueError):  # its server is gone
            with suppress(OSError):
                os.unlink(path)
        except OSError:
            if time.monotonic() >= until:
                return None
    return None


def _newest_first(folder: str, store: str) -> list[str]:
    try:
        found = [(entry.stat().st_mtime, entry.path) for entry in os.scandir(folder) if entry.name.startswith(store)]
    except OSError:
        return []
    return [path for _, path in sorted(found, reverse=True)]


def _address(path: str) -> Address:
    if not path.endswith(".port"):
        return Address(path)
    with open(path, encoding="ascii") as file:
        port, word = file.read().split()
    return Address(path, int(port), word)


def _asked(door: Address, name: str, event: bytes, until: float) -> bytes:
    """Send the name, the event's length, how long there is time and the word; then the event; and read the answer."""
    with socket.socket(socket.AF_INET if door.port else socket.AF_UNIX) as connection:
        _wait(connection, until)
        connection.connect(("127.0.0.1", door.port) if door.port else door.path)
        left = int(1000 * (until - time.monotonic()))
        connection.sendall(f"{name} {len(event)} {left} {door.word}\n".encode() + event)
        said = b""
        while len(said) < LARGEST:
            _wait(connection, until)
            more = connection.recv(65_536)
            if not more:
                return _whole(said)
            said += more
    raise TimeoutError


def _wait(connection: socket.socket, until: float) -> None:
    left = until - time.monotonic()
    if left <= 0:
        raise TimeoutError
    connection.settimeout(left)


def _whole(said: bytes) -> bytes:
    """An answer that a server finished; one that died in the middle of it said nothing."""
    if not said.endswith(b"\n"):
        raise TimeoutError
    return said[:-1]
