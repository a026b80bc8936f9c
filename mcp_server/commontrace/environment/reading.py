"""Reads what one works with from a project's files, from a folder up to the top of its git checkout.

Names and versions only, and only of what a public registry offers: the project itself, its siblings, and packages from
paths, repositories, addresses and private registries are left out.
"""

import re
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

from commontrace.environment.files import Pin, Project, exists, nearest, read
from commontrace.environment.go import read_go
from commontrace.environment.node import read_node
from commontrace.environment.python import read_python
from commontrace.environment.rust import read_rust
from commontrace.models.traces import MOST_PACKAGES, Environment, PackageRange

_SYSTEMS: Final = {"linux": "linux", "darwin": "macos", "win32": "windows", "cygwin": "windows"}
_RUNTIMES: Final = {".python-version": "python", ".nvmrc": "node", ".node-version": "node"}
_PLAIN: Final = re.compile(r"\s*v?(\d{1,4}(?:\.\d{1,4}){0,3})\s*\Z")


def read_environment(folder: Path) -> Environment:
    """Language, operating system, and packages with versions, of the project that a folder belongs to.

    Reads uv.lock, poetry.lock, pdm.lock, pylock.toml, requirements*.txt, pyproject.toml, .venv; package.json with
    package-lock.json, pnpm-lock.yaml or yarn.lock; Cargo.toml with Cargo.lock; go.mod. Packages that the project asks
    for come before those that they bring along, nearer files before those further up, 300 at most. Files that are
    damaged or larger than 20 MB are as good as none; nothing is raised.
    """
    places = _upwards(folder)
    projects = [found for reader in (read_python, read_node, read_rust, read_go) if (found := reader(places))]
    projects.sort(key=lambda project: project.distance)
    languages = [project.language for project in projects if project.distance == projects[0].distance]
    return Environment(
        language=", ".join(languages) or None,
        os=_SYSTEMS.get(sys.platform, sys.platform),
        packages=[PackageRange(name=pin.name, versions=pin.version) for pin in _packages(projects)],
        tools=list(dict.fromkeys(_runtimes(places))),
    )


def _upwards(folder: Path) -> Sequence[Path]:
    """The folder and those above it, up to the top of the git checkout; without one the folder alone."""
    try:
        places = [folder.resolve(), *folder.resolve().parents]
    except (OSError, RuntimeError, ValueError):  # a loop of links, a NUL
        return []
    for number, place in enumerate(places):
        if exists(place / ".git"):
            return places[: number + 1]
    return places[:1]


def _packages(projects: Sequence[Project]) -> list[Pin]:
    every = [pin for project in projects for pin in project.direct]
    every += [pin for project in projects for pin in project.others]
    return list(dict.fromkeys(every))[:MOST_PACKAGES]


def _runtimes(places: Sequence[Path]) -> Iterator[str]:
    """The versions of Python and Node that a project is pinned to."""
    for name, runtime in _RUNTIMES.items():
        found = nearest(places, name)
        if found and (version := _PLAIN.match(read(found[1]))):
            yield f"{runtime} {version[1]}"
