"""A connection to a remote, with the key that is bound to it."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from commontrace._transport import is_remote
from commontrace.errors import InvalidInputError
from commontrace.remotes.registry import Remote

if TYPE_CHECKING:
    from commontrace._sync.client import Client


@contextmanager
def connected(remote: Remote, seconds: float | None = None) -> "Iterator[Client]":
    """A client of a remote, closed at the end.

    Args:
        remote: a server or a store.
        seconds: how long an answer may take. Without it as the settings say, and a remote that has too much to do is
            asked again when it says.

    Raises:
        InvalidInputError: the remote is a folder.
    """
    from commontrace._sync.client import connect

    if remote.kind == "folder":
        raise InvalidInputError(f"{remote.name} is a folder of traces.", "Name a server or a store.")
    # A key of the environment is for the server that the environment names, never for this one.
    key = remote.key if is_remote(remote.url) else None
    with connect(remote.url, api_key=key, working_copy="remote", timeout=seconds) as client:
        if seconds is None:
            client._http.be_patient(remote.name)  # noqa: SLF001 - how a client of a remote is made
        yield client
