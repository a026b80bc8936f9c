"""Python: pyproject.toml and requirements say what is used; a lock, pins or the .venv say in which version."""

import re
from collections import defaultdict
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Final

from commontrace.environment.files import (
    Pin,
    Project,
    blocks,
    exists,
    is_public,
    listed,
    nearest,
    pins,
    read,
    read_toml,
    table,
)

_LOCKS: Final = ("uv.lock", "poetry.lock", "pdm.lock", "pylock.toml")
_MARKS: Final = ("pyproject.toml", *_LOCKS, "setup.py", "setup.cfg", "Pipfile")
_REQUIREMENT: Final = re.compile(
    r"[ \t]*(?P<name>[A-Za-z0-9][\w.-]*)[ \t]*(?:\[[^\]]*\])?[ \t]*(?P<rest>[^#;\\]*)", re.ASCII
)
_EXACT: Final = re.compile(r"===?[ \t]*([\w.!+-]+)[ \t]*\Z")
_INDEX: Final = re.compile(r"^[ \t]*(?:-i|--index-url|--extra-index-url|-f|--find-links)[ \t=]+(.*)$", re.MULTILINE)
_SITE_PACKAGES: Final = ("lib/python3*/site-packages", "Lib/site-packages")
# Where a lock says that a package is no registry's; uv's is read from its `source`.
_ELSEWHERE: Final = frozenset({"git", "path", "url", "vcs", "directory", "archive", "editable"})
_ELSEWHERE_BELOW: Final = re.compile(
    r"^\[packages?\.(?:vcs|directory|archive)\]|^\[package\.source\]([^[]*)", re.MULTILINE
)


def read_python(places: Sequence[Path]) -> Project | None:
    """The packages of the nearest pyproject.toml and requirements, in the version that is known best.

    A lock says more than a pin of the project's own, and that more than what the project's .venv holds. Where the
    project names an index that is not public, only a lock tells what comes from there, and PDM's does not.
    """
    found = nearest(places, *_MARKS)
    requirements = _nearest_requirements(places)
    if found is None and requirements is None:
        return None
    distance = min(mark[0] for mark in (found, requirements) if mark)
    manifest = nearest(places, "pyproject.toml")
    declared = read_toml(manifest[1]) if manifest else {}
    asked = [*_asked(declared), *(requirements[1] if requirements else ())]
    lock = nearest(places, *_LOCKS)
    if (lock is None or lock[1].name == "pdm.lock") and _private_index(declared):
        return Project("python", distance)
    locked, unlisted = _locked(read(lock[1])) if lock else ([], set())
    pinned = [Pin(_normal(name), exact[1]) for name, rest in asked if (exact := _EXACT.match(rest))]
    installed = [] if lock else _installed(places)
    direct = _best([_normal(name) for name, _ in asked], (locked, pinned, installed))
    without = frozenset(unlisted | _own(declared))
    return Project("python", distance, pins(direct, without), pins(locked, without))


def _normal(name: str) -> str:
    """PEP 503."""
    return re.sub(r"[-_.]+", "-", name).lower()


def _best(names: Sequence[str], sources: Sequence[Sequence[Pin]]) -> list[Pin]:
    """Each name in the versions of the first source that has it: a lock may hold one for each version of Python."""
    known: dict[str, list[Pin]] = {}
    for source in sources:
        held: defaultdict[str, list[Pin]] = defaultdict(list)
        for pin in source:
            held[pin.name].append(pin)
        known = {**held, **known}
    return [pin for name in names for pin in known.get(name, ())]


def _nearest_requirements(places: Sequence[Path]) -> tuple[int, list[tuple[str, str]]] | None:
    """Names and what follows them, of every requirements*.txt in the nearest folder that has one."""
    for distance, place in enumerate(places):
        try:
            files = sorted(place.glob("requirements*.txt"))
        except OSError:
            continue
        if files:
            return distance, _requirements("\n".join(read(path) for path in files))
    return None


def _requirements(text: str) -> list[tuple[str, str]]:
    """None where they have an index of their own: nothing tells which of the packages are public."""
    if any(not is_public(address) for address in _INDEX.findall(text)):
        return []
    return [pair for line in text.splitlines() if (pair := _requirement(line))]


def _requirement(text: str) -> tuple[str, str] | None:
    found = _REQUIREMENT.match(text)
    if found is None or "@" in found["rest"] or "/" in found["rest"]:
        return None
    return found["name"], found["rest"].partition("--")[0].strip(" \t()")


def _asked(manifest: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """Names and what follows them, of every list and table of dependencies."""
    project, tool = table(manifest, "project"), table(manifest, "tool")
    lists = [
        project.get("dependencies"),
        *table(manifest, "dependency-groups").values(),
        *table(project, "optional-dependencies").values(),
        table(tool, "uv").get("dev-dependencies"),
        *table(tool, "pdm", "dev-dependencies").values(),
    ]
    for item in (item for some in lists for item in listed(some)):
        if isinstance(item, str) and (pair := _requirement(item)):
            yield pair
    poetry = table(tool, "poetry")
    groups = [table(group, "dependencies") for group in table(poetry, "group").values()]
    for some in (table(poetry, "dependencies"), table(poetry, "dev-dependencies"), *groups):
        for name, wanted in some.items():
            if name != "python" and not isinstance(wanted, dict | list):
                yield name, str(wanted)
            elif isinstance(wanted, dict) and not wanted.keys() & {"git", "path", "url", "source"}:
                yield name, str(wanted.get("version", ""))


def _own(manifest: dict[str, Any]) -> set[str]:
    """The project itself, and what comes from a path, a repository or an index of its own."""
    tool = table(manifest, "tool")
    names = [table(manifest, "project").get("name"), table(tool, "poetry").get("name"), *table(tool, "uv", "sources")]
    return {_normal(str(name)) for name in names}


def _private_index(manifest: dict[str, Any]) -> bool:
    tool = table(manifest, "tool")
    indexes = [
        *listed(table(tool, "uv").get("index")),
        *listed(table(tool, "poetry").get("source")),
        *listed(table(tool, "pdm").get("source")),
    ]
    return any(not is_public(str(index.get("url"))) for index in indexes if isinstance(index, dict))


def _locked(text: str) -> tuple[list[Pin], set[str]]:
    """What a lock takes from public registries, and the names of what it takes from elsewhere."""
    public, elsewhere = [], set()
    for block in blocks(text):
        name = _normal(block.get("name", ""))
        if _from_elsewhere(block):
            elsewhere.add(name)
        else:
            public.append(Pin(name, block.get("version", "")))
    return public, elsewhere


def _from_elsewhere(block: dict[str, str]) -> bool:
    if block.keys() & _ELSEWHERE:
        return True
    for key in ("source", "index"):
        if key in block and not is_public(block[key]):
            return True
    below = _ELSEWHERE_BELOW.search(block[""]) if "\n[package" in block[""] else None
    return below is not None and not is_public(below[1] or "")


def _installed(places: Sequence[Path]) -> list[Pin]:
    """What the nearest .venv holds, but for what came from a path or an address (it has a direct_url.json)."""
    found = nearest(places, ".venv")
    folders = [folder for pattern in _SITE_PACKAGES for folder in (found[1].glob(pattern) if found else ())]
    names = [info for folder in folders for info in folder.glob("*.dist-info") if not exists(info / "direct_url.json")]
    return [Pin(_normal(name), version) for name, _, version in (info.stem.partition("-") for info in names)]
