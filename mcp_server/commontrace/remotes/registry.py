"""Which remotes there are: names, URLs and keys in a file that only its owner may read."""

import json
import os
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from commontrace._transport import anchored, is_remote, without_password
from commontrace.errors import ConflictError, InvalidInputError, NotFoundError
from commontrace.models.syncing import RemoteInfo, RemoteKind

_NAME: Final = re.compile(r"[a-z0-9][a-z0-9-]{0,39}\Z")
_STORES: Final = ("sqlite:", "postgresql:", "postgresql+asyncpg:")
_NEAR: Final = frozenset({"localhost", "127.0.0.1", "::1"})


@dataclass(frozen=True, slots=True)
class Remote:
    """A remote.

    Attributes:
        name: what it is called here.
        url: where it is: a server, a store, or the absolute path of a folder.
        key: what a server lets us in with; bound to this URL.
    """

    name: str
    url: str
    key: str = ""

    @property
    def kind(self) -> RemoteKind:
        """What it is."""
        if is_remote(self.url):
            return "server"
        return "store" if self.url.startswith(_STORES) else "folder"

    @property
    def info(self) -> RemoteInfo:
        """What may be shown of it."""
        return RemoteInfo(name=self.name, url=without_password(self.url), kind=self.kind, has_key=bool(self.key))


class Registry:
    """The remotes of a user.

    Args:
        path: the file that they are in; it need not exist.
    """

    def __init__(self, path: Path) -> None:
        self._path = path

    def all(self) -> list[Remote]:
        """Every remote, by name; raises InvalidInputError for a file that cannot be read."""
        try:
            found = json.loads(self._path.read_bytes())
            remotes = [_read(name, fields) for name, fields in sorted(found.items())]
        except FileNotFoundError:
            return []
        except (OSError, ValueError, TypeError, AttributeError, KeyError) as error:
            raise InvalidInputError(
                f"The remotes in {self._path} cannot be read.", "Remove the file and add them again."
            ) from error
        return remotes

    def get(self, name: str = "") -> Remote:
        """A remote by name; without one `origin`, or the only one there is.

        Raises:
            NotFoundError: there is none of that name, or several and none is `origin`.
        """
        remotes = self.all()
        if not name and len(remotes) == 1:
            return remotes[0]
        for remote in remotes:
            if remote.name == (name or "origin"):
                return remote
        names = ", ".join(remote.name for remote in remotes)
        raise NotFoundError(
            f"There is no remote {name or 'origin'}.",
            f"Name one of {names}." if names else "Add one: commontrace remote add origin https://…",
        )

    def add(self, name: str, url: str, key: str = "") -> Remote:
        """Add a remote. One of that name and URL takes the key in place of its own, and stays what it is otherwise.

        Raises:
            InvalidInputError: a name or URL that cannot be one, or a key for what takes none.
            ConflictError: there is a remote of that name, and not at this URL, or no key was given.
        """
        if not _NAME.match(name):
            raise InvalidInputError(f"{name!r} cannot be the name of a remote.", "Use lower-case letters, digits, -.")
        remote = Remote(name, _url(url), key)
        if key and remote.kind != "server":
            raise InvalidInputError("Only a server takes a key.", "Leave the key out.")
        remotes = {one.name: one for one in self.all()}
        if name in remotes and not (key and remotes[name].url == remote.url):
            raise ConflictError(
                f"There is a remote {name} already, at {without_password(remotes[name].url)}.",
                f"Choose another name, or forget it and what waits for it: commontrace remote remove {name}.",
            )
        self._write([*(remotes | {name: remote}).values()])
        return remote

    def remove(self, name: str) -> Remote:
        """Forget a remote and its key; raises NotFoundError."""
        gone = self.get(name)
        self._write([one for one in self.all() if one.name != gone.name])
        return gone

    def _write(self, remotes: list[Remote]) -> None:
        fields = {one.name: {"url": one.url, **_keyed(one)} for one in remotes}
        self._path.parent.mkdir(parents=True, exist_ok=True)
        part = self._path.with_name(f".{self._path.name}.{os.getpid()}.part")
        try:
            # Nobody else may read it at any moment, so not open() and chmod.
            with os.fdopen(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8") as out:
                json.dump(fields, out, indent=2, sort_keys=True)
            part.replace(self._path)
        except OSError as error:
            raise InvalidInputError(
                f"{self._path} cannot be written: {error.strerror}.", "Check the folder."
            ) from error
        finally:
            part.unlink(missing_ok=True)


def _keyed(remote: Remote) -> dict[str, str]:
    return {"key": remote.key, "key_for": _origin(remote.url)} if remote.key else {}


def _read(name: str, fields: dict[str, str]) -> Remote:
    # Whoever edits the URL does not take the key along to another server.
    bound = fields.get("key_for") == _origin(fields["url"])
    return Remote(name, fields["url"], fields.get("key", "") if bound else "")


def _origin(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}".lower()


def _url(text: str) -> str:
    """A URL as it is kept: a folder or file by its absolute path."""
    if text.startswith("http://") and urlsplit(text).hostname not in _NEAR:
        raise InvalidInputError("Over http:// everybody on the way reads the key.", "Use https://.")
    if is_remote(text):
        if urlsplit(text).username or not urlsplit(text).hostname:
            raise InvalidInputError(f"{without_password(text)!r} is not the URL of a server.", "Use https://host.")
        return text.rstrip("/")
    if text.startswith(_STORES):
        return anchored(text)
    if "://" in text:
        raise InvalidInputError(
            f"{without_password(text)!r} is not the URL of a remote.", "Use https://host, sqlite:///path or a folder."
        )
    return str(Path(text).expanduser().absolute())
