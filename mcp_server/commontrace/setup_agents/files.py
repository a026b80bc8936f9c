"""Changes to other programs' files: planned first, shown as a diff, then written whole or not at all."""

import difflib
import json
import os
import re
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Literal

from commontrace.errors import InvalidInputError

SERVER: Final = "commontrace"
_SERVERS: Final = "mcpServers"
_INDENT: Final = re.compile(r'\A\s*\{[ \t]*\r?\n([ \t]+)"')

Action = Literal["create", "update", "remove", "unchanged"]


@dataclass(frozen=True, slots=True)
class Change:
    """What a file holds and what it is to hold; None stands for no file."""

    path: Path
    before: str | None
    after: str | None

    @property
    def action(self) -> Action:
        """What this change does to its file."""
        if self.before == self.after:
            return "unchanged"
        if self.after is None:
            return "remove"
        return "create" if self.before is None else "update"

    def diff(self) -> str:
        """The change as a unified diff."""
        old, new = ((text or "").splitlines(keepends=True) for text in (self.before, self.after))
        names = [str(self.path) if text is not None else os.devnull for text in (self.before, self.after)]
        lines = difflib.unified_diff(old, new, names[0], names[1])
        return "".join(line if line.endswith("\n") else f"{line}\n" for line in lines)

    def apply(self) -> None:
        """Write it: a copy of what was there goes to FILE.bak before the first change.

        Raises:
            InvalidInputError: the system refuses; the file is as it was.
        """
        if self.action == "unchanged":
            return
        target = self.path.resolve()  # a link to a file stays a link
        try:
            backup = target.with_name(f"{target.name}.bak")
            if self.before is not None and not backup.exists():
                write_whole(backup, self.before, like=target)
            if self.after is None:
                target.unlink()
            else:
                target.parent.mkdir(parents=True, exist_ok=True)
                write_whole(target, self.after, like=target)
        except OSError as error:
            raise InvalidInputError(
                f"{self.path} cannot be written: {(error.strerror or 'it is refused').lower()}.",
                "Give this user permission on the file and its folder, then run it again.",
            ) from error


def write_whole(path: Path, text: str, *, like: Path) -> None:
    """Replace a file in one step, with the mode of `like` where that exists."""
    descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    part = Path(name)
    try:
        with open(descriptor, "w", encoding="utf-8", newline="") as out:  # noqa: PTH123 - it is a descriptor
            out.write(text)
        part.chmod(like.stat().st_mode & 0o777 if like.exists() else 0o644)
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)


def read_file(path: Path) -> str | None:
    """The text of a file with its own line ends, or None where there is none."""
    try:
        return path.read_bytes().decode("utf-8")
    except (FileNotFoundError, NotADirectoryError):
        return None
    except UnicodeDecodeError as error:
        raise InvalidInputError(f"{path} is not UTF-8 text; it was left as it is.", "Correct or move it.") from error
    except OSError as error:
        raise InvalidInputError(
            f"{path} cannot be read: {(error.strerror or 'it is refused').lower()}.", "Check its permissions."
        ) from error


def with_server(path: Path, entry: dict[str, Any]) -> Change:
    """Our entry among the servers of a configuration file; every other key stays."""
    text = read_file(path)
    config = _parsed(path, text)
    config[_SERVERS] = {**_servers(path, config), SERVER: entry}
    return Change(path, text, _written(config, text))


def without_server(path: Path) -> Change:
    """The configuration file without our entry; without a file that held nothing else."""
    text = read_file(path)
    config = _parsed(path, text)
    servers = _servers(path, config)
    if SERVER not in servers:
        return Change(path, text, text)
    config[_SERVERS] = {name: server for name, server in servers.items() if name != SERVER}
    if not config[_SERVERS]:
        del config[_SERVERS]
    return Change(path, text, _written(config, text) if config else None)


def has_server(path: Path) -> bool:
    """Whether a configuration file has an entry of ours."""
    return SERVER in _servers(path, _parsed(path, read_file(path)))


def _parsed(path: Path, text: str | None) -> dict[str, Any]:
    if text is None or not text.strip("\ufeff \t\r\n"):
        return {}
    try:
        config = json.loads(text.removeprefix("\ufeff"))
    except (json.JSONDecodeError, RecursionError) as error:
        place = f" (line {error.lineno}, column {error.colno})" if isinstance(error, json.JSONDecodeError) else ""
        raise InvalidInputError(
            f"{path} is not valid JSON{place}; it was left as it is.", "Correct it and run this again."
        ) from error
    if not isinstance(config, dict):
        raise InvalidInputError(f"{path} does not hold a JSON object; it was left as it is.", "Correct it first.")
    return config


def _servers(path: Path, config: dict[str, Any]) -> dict[str, Any]:
    servers = config.get(_SERVERS, {})
    if not isinstance(servers, dict):
        raise InvalidInputError(f"{_SERVERS} in {path} is not an object; it was left as it is.", "Correct it first.")
    return servers


def _written(config: dict[str, Any], before: str | None) -> str:
    """The configuration in the layout that the file had."""
    text = before or ""
    found = _INDENT.match(text.removeprefix("\ufeff"))
    compact = bool(text.strip()) and "\n" not in text.strip()
    indent = None if compact and text.strip() != "{}" else (found[1] if found else "  ")
    ascii_only = text.isascii() and "\\u" in text
    written = json.dumps(config, indent=indent, ensure_ascii=ascii_only)
    if not text or text.endswith("\n"):
        written += "\n"
    return written.replace("\n", "\r\n") if "\r\n" in text else written
