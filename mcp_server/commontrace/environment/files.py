"""A project's files, read without trust: damaged or huge ones are as good as none. Standard library only."""

import json
import re
import tomllib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, NamedTuple

_LARGEST: Final = 20 * 1024 * 1024  # bytes of a lock
_LARGEST_TOML: Final = 1024 * 1024  # bytes of a manifest: tomllib takes about a second for each million
_NAME: Final = re.compile(r"[A-Za-z0-9@][\w@./~+-]{0,199}\Z")
_VERSION: Final = re.compile(r"v?\d[\w.+!-]{0,99}\Z")
_HOST: Final = re.compile(r"\w://(?:[^/@\s]*@)?([^/:\s\"'#?]+)")
_LINE: Final = re.compile(r"\n([\w-]+)[ \t]*=[ \t]*([^\r\n]*)")
_HEAD: Final = 1_500  # characters: what a package is called and where it comes from stands first

PUBLIC_HOSTS: Final = frozenset(
    """
    pypi.org files.pythonhosted.org pypi.python.org download.pytorch.org
    registry.npmjs.org registry.yarnpkg.com registry.npmmirror.com
    """.split()  # noqa: SIM905 - a list of words reads best as words
)
"""Registries whose packages anybody can see; what comes from elsewhere may be a secret by its name alone."""


class Pin(NamedTuple):
    """A package and the version that a project uses."""

    name: str
    version: str


@dataclass(frozen=True, slots=True)
class Project:
    """What the files of one ecosystem say. `distance`: how many folders up the nearest of them lies."""

    language: str
    distance: int
    direct: Sequence[Pin] = field(default_factory=list)
    others: Sequence[Pin] = field(default_factory=list)


def read(path: Path, largest: int = _LARGEST) -> str:
    """The text of a regular file; empty where there is none, it is too large or cannot be read."""
    try:
        if not path.is_file() or path.stat().st_size > largest:
            return ""
        return path.read_bytes().decode("utf-8-sig", errors="replace")
    except (OSError, ValueError):
        return ""


def read_toml(path: Path) -> dict[str, Any]:
    """A manifest; empty where it is none."""
    try:
        return tomllib.loads(read(path, _LARGEST_TOML))
    except (ValueError, RecursionError):
        return {}


def read_json(path: Path) -> dict[str, Any]:
    """A JSON object; empty where it is none."""
    try:
        value = json.loads(read(path) or "null")
    except (ValueError, RecursionError):
        return {}
    return value if isinstance(value, dict) else {}


def table(value: Any, *keys: str) -> dict[str, Any]:
    """The table under a path of keys; empty where there is none."""
    for key in keys:
        value = value.get(key) if isinstance(value, dict) else None
    return value if isinstance(value, dict) else {}


def listed(value: Any) -> list[Any]:
    """A list; empty for anything else."""
    return value if isinstance(value, list) else []


def nearest(places: Sequence[Path], *names: str) -> tuple[int, Path] | None:
    """The first of these files that lies in the folder or above it, and how far up."""
    for distance, place in enumerate(places):
        for name in names:
            if exists(place / name):
                return distance, place / name
    return None


def exists(path: Path) -> bool:
    """Whether there is such a file or folder that we may see."""
    try:
        return path.exists()
    except OSError:
        return False


def blocks(text: str) -> Iterator[dict[str, str]]:
    """The packages of a TOML lock: each with the keys and raw values of its first lines, and its text as `""`.

    A parser would take a second for a lock of a megabyte; machines write these files line by line.
    """
    for block in f"\n{text}".split("\n[[package")[1:]:
        head = block[:_HEAD].partition("\n[")[0]
        yield {"": block, **{key: value.strip("\"'") for key, value in reversed(_LINE.findall(head))}}


def pins(candidates: Sequence[Pin], without: frozenset[str] = frozenset()) -> list[Pin]:
    """Those that are a name with a version, each once, without some names."""
    known = dict.fromkeys(candidates)
    return [pin for pin in known if _NAME.match(pin.name) and _VERSION.match(pin.version) and pin.name not in without]


def is_public(source: str) -> bool:
    """Whether every address in a text is a public registry's, and there is one."""
    hosts = _HOST.findall(source)
    return bool(hosts) and all(host.lower() in PUBLIC_HOSTS for host in hosts)
