"""Changes to other programs' files: planned first, shown as a diff, then written whole or not at all."""

import difflib
import json
import os
import tempfile
import tomllib
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Literal

from commontrace.errors import InvalidInputError
from commontrace.setup_agents import jsonc, toml

SERVER: Final = "commontrace"

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
            InvalidInputError: the system or its owner refuses, or it has changed meanwhile; the file is as it was.
        """
        if self.action == "unchanged":
            return
        target = self.path.resolve()  # a link to a file stays a link
        now = read_file(target)
        if now == self.after:  # another run was faster
            return
        if now != self.before:
            raise InvalidInputError(f"{self.path} has changed meanwhile; it was left as it is.", "Run this again.")
        if now is not None and not target.stat().st_mode & 0o222:
            raise InvalidInputError(f"{self.path} is read-only; it was left as it is.", "Make it writable first.")
        try:
            backup = target.with_name(f"{target.name}.bak")
            # What is removed held nothing but ours: that needs no copy.
            if self.before is not None and self.after is not None and not backup.exists():
                write_whole(backup, self.before, like=target)
            if self.after is None:
                target.unlink()
                _drop_empty(self.path.parent)
            else:
                target.parent.mkdir(parents=True, exist_ok=True)
                write_whole(target, self.after, like=target)
        except OSError as error:
            raise InvalidInputError(
                f"{self.path} cannot be written: {(error.strerror or 'it is refused').lower()}.",
                "Give this user permission on the file and its folder, then run it again.",
            ) from error


def _drop_empty(folder: Path) -> None:
    """Take away a folder that nothing is left in, and those around it, up to the project or the home."""
    with suppress(OSError):
        while folder not in {Path.cwd(), Path.home()}:
            folder.rmdir()
            folder = folder.parent


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


def with_entry(path: Path, servers: str, entry: dict[str, Any]) -> Change:
    """Our entry among the servers of a configuration file; every other key, comment and line stays."""
    text = read_file(path)
    config = parsed(path, _load(path))
    if _entries(path, config, servers).get(SERVER) == entry:
        return Change(path, text, text)
    if path.suffix == ".toml":
        after = toml.with_table(text or "", f"{servers}.{SERVER}", entry)
    else:
        after = jsonc.put(text or "", [servers, SERVER], entry)
    expected = {**config, servers: {**config.get(servers, {}), SERVER: entry}}
    return checked(Change(path, text, after), expected)


def without_entry(path: Path, servers: str) -> Change:
    """The configuration file without our entry, if it is ours; without a file that held nothing else."""
    text = read_file(path)
    config = parsed(path, _load(path))
    others = dict(_entries(path, config, servers))
    if text is None or not _is_ours(others.pop(SERVER, None)):
        return Change(path, text, text)
    if path.suffix == ".toml":
        after = toml.without_table(text, f"{servers}.{SERVER}")
    else:
        after = jsonc.drop(text, [servers, SERVER])
    expected = {**config, servers: others} if others else {key: config[key] for key in config if key != servers}
    return checked(Change(path, text, after or None), expected)


def has_server(path: Path, servers: str) -> bool:
    """Whether a configuration file has an entry of ours."""
    return SERVER in _entries(path, parsed(path, _load(path)), servers)


def parsed(path: Path, load: Callable[[str], Any]) -> dict[str, Any]:
    """What a configuration file says; nothing if it is not there.

    Raises:
        InvalidInputError: it cannot be read, or is broken.
    """
    try:
        config = load((read_file(path) or "").removeprefix("\ufeff"))
    except (json.JSONDecodeError, tomllib.TOMLDecodeError, RecursionError) as error:
        place = f" (line {error.lineno}, column {error.colno})" if isinstance(error, json.JSONDecodeError) else ""
        kind = "TOML" if path.suffix == ".toml" else "JSON"
        raise InvalidInputError(
            f"{path} is not valid {kind}{place}; it was left as it is.", "Correct it and run this again."
        ) from error
    if not isinstance(config, dict):
        raise InvalidInputError(f"{path} does not hold a JSON object; it was left as it is.", "Correct it first.")
    return config


def _load(path: Path) -> Callable[[str], Any]:
    return toml.load if path.suffix == ".toml" else jsonc.load


def _entries(path: Path, config: dict[str, Any], servers: str) -> dict[str, Any]:
    found = config.get(servers, {})
    if not isinstance(found, dict):
        raise InvalidInputError(f"{servers} in {path} is not an object; it was left as it is.", "Correct it first.")
    return found


def _is_ours(entry: Any) -> bool:
    """Whether an entry starts our command; one by the same name may be somebody's own."""
    command = entry.get("command") if isinstance(entry, dict) else None
    first = command[0] if isinstance(command, list) and command else command
    return isinstance(first, str) and Path(first.replace("\\", "/")).stem == "commontrace"


def checked(change: Change, expected: dict[str, Any]) -> Change:
    """The change, if the file then says what it is meant to and nothing else has changed."""
    try:
        right = change.after is None or _load(change.path)(change.after.removeprefix("\ufeff")) == expected
    except (json.JSONDecodeError, tomllib.TOMLDecodeError):
        right = False
    if not right:
        raise InvalidInputError(
            f"{change.path} is laid out in a way that cannot be edited safely; it was left as it is.",
            "Add or remove the server commontrace by hand; `commontrace setup --dry-run` in an empty folder shows it.",
        )
    return change
