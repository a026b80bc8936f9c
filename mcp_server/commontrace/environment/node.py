"""JavaScript and TypeScript: package.json says what is used; npm's, pnpm's or Yarn's lock in which version."""

import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Final, NamedTuple
from urllib.parse import unquote

from commontrace.environment.files import Pin, Project, exists, is_public, nearest, pins, read, read_json, table

_LOCKS: Final = ("package-lock.json", "npm-shrinkwrap.json", "pnpm-lock.yaml", "yarn.lock")
_TABLES: Final = ("dependencies", "devDependencies", "peerDependencies", "optionalDependencies")
# A path, an address, a repository (user/name) or another package's name: none of a registry's versions.
_ELSEWHERE: Final = re.compile(
    r"(?:file|link|workspace|portal|patch|npm|git[\w+]*|github|https?|ssh):|[\w.-]+/|[./]|~/"
)
_PNPM: Final = re.compile(
    r"^  ['\"]?/?(?P<name>(?:@[^/@\s'\"]+/)?[^/@\s'\"]+)[@/](?P<version>\d[^\s'\":()_]*)[^\n]*:[ \t]*\n"
    r"(?:    resolution: (?P<resolution>[^\n]*))?",
    re.MULTILINE,
)
_PNPM_DIRECT: Final = re.compile(
    r"^ +['\"]?(?P<name>[^\s'\":]+)['\"]?:(?:[ \t]*\n +specifier: [^\n]*\n +version:)? "
    r"['\"]?(?P<version>\d[^\s('\"_]*)",
    re.MULTILINE,
)
_QUOTED: Final = "\" '"
_YARN: Final = re.compile(
    r"\n(?P<keys>[^\s#][^\n]*):\n  version:? \"?(?P<version>[^\"\s]+)\"?\n"
    r"(?:  (?:resolved|resolution):? \"?(?P<source>[^\"\n]+)\"?)?"
)


_NPMRC: Final = re.compile(r"^[ \t]*(?:(@[^:\s]+):)?registry[ \t]*=[ \t]*(\S+)", re.MULTILINE)
_YARNRC: Final = re.compile(
    r"^(?:  ['\"]?(?P<scope>[\w.-]+)['\"]?:[ \t]*\n(?: {4,}[^\n]*\n)*?)? *npmRegistryServer:[ \t]*(?P<server>\S+)",
    re.MULTILINE,
)


class _Lock(NamedTuple):
    """What a lock holds: the versions that the folder's own package gets, and every other."""

    direct: dict[str, str]
    every: list[Pin]


def read_node(places: Sequence[Path]) -> Project | None:
    """The packages of the nearest package.json, by the nearest lock."""
    found = nearest(places, "package.json")
    if found is None:
        return None
    distance, path = found
    manifest = read_json(path)
    asked = dict(_asked(manifest))
    lock = _locked(places, path.parent, asked)
    exact = {name: wanted for name, wanted in asked.items() if wanted[:1].isdigit() and wanted.count(".") > 1}
    known = {**dict(reversed(lock.every)), **lock.direct} if lock else exact
    private = _private_scopes(places)
    # The project's own scope too: what its organization publishes beside it may be as private.
    hidden = {str(manifest.get("name", "")).partition("/")[0], *private}
    names = () if "" in private else [name for name in asked if name.partition("/")[0] not in hidden]
    direct = [Pin(name, known[name]) for name in names if name in known]
    every = lock.every if lock and "" not in private else ()
    others = [pin for pin in every if pin.name.partition("/")[0] not in hidden]
    typed = "typescript" in asked or exists(path.parent / "tsconfig.json")
    return Project("typescript" if typed else "javascript", distance, pins(direct), pins(others))


def _private_scopes(places: Sequence[Path]) -> set[str]:
    """The scopes that come from a registry which is not public; the empty one stands for every package."""
    npm, yarn = nearest(places, ".npmrc"), nearest(places, ".yarnrc.yml")
    said = _NPMRC.findall(read(npm[1])) if npm else []
    if yarn:
        text = read(yarn[1]).replace("\r\n", "\n")
        said += [(f"@{scope}" if scope else "", server) for scope, server in _YARNRC.findall(text)]
    return {scope for scope, server in said if not is_public(server)}


def _asked(manifest: dict[str, Any]) -> Iterator[tuple[str, str]]:
    for key in _TABLES:
        for name, wanted in table(manifest, key).items():
            if isinstance(wanted, str) and not _ELSEWHERE.match(wanted):
                yield name, wanted


def _locked(places: Sequence[Path], folder: Path, asked: dict[str, str]) -> _Lock | None:
    found = nearest(places, *_LOCKS)
    if found is None:
        return None
    path = found[1]
    inside = folder.relative_to(path.parent).as_posix() if folder.is_relative_to(path.parent) else "."
    if path.suffix == ".json":
        return _npm(read_json(path), inside)
    text = read(path).replace("\r\n", "\n")
    return _pnpm(text, inside) if path.suffix == ".yaml" else _yarn(text, asked)


def _npm(lock: dict[str, Any], inside: str) -> _Lock:
    """package-lock.json of every version: `packages` by folder (2 and 3), `dependencies` by name (1)."""
    here = "node_modules/" if inside == "." else f"{inside}/node_modules/"
    direct, every = {}, []
    by_folder = table(lock, "packages")
    old = {f"node_modules/{name}": entry for name, entry in table(lock, "dependencies").items()}
    for place, entry in (by_folder or old).items():
        before, marker, name = place.rpartition("node_modules/")
        if not marker or not isinstance(entry, dict) or not _from_registry(entry):
            continue
        pin = Pin(str(entry.get("name", name)), str(entry.get("version", "")))
        if before + marker == here:
            direct[pin.name] = pin.version
        if not before:  # nested ones are only what another package needs
            every.append(pin)
    return _Lock(direct, every)


def _from_registry(entry: dict[str, Any]) -> bool:
    source = entry.get("resolved")
    return not entry.get("link") and (source is None or is_public(str(source)))


def _pnpm(text: str, inside: str) -> _Lock:
    """pnpm-lock.yaml of formats 5 to 9, read line by line."""
    head, _, rest = f"\n{text}".partition("\npackages:")
    importer = re.search(rf"^  ['\"]?{re.escape(inside)}['\"]?:\n(.*?)(?=^  \S|\Z)", head, re.MULTILINE | re.DOTALL)
    every = [
        Pin(found["name"], found["version"])
        for found in _PNPM.finditer(rest.partition("\nsnapshots:")[0])
        if "tarball:" not in (found["resolution"] or "") or is_public(found["resolution"])
    ]
    names = {pin.name for pin in every}
    ours = importer[1] if importer else head
    direct = {found["name"]: found["version"] for found in _PNPM_DIRECT.finditer(ours) if found["name"] in names}
    return _Lock(direct, every)


def _yarn(text: str, asked: dict[str, str]) -> _Lock:
    """yarn.lock of Yarn 1 and of its successors, read line by line."""
    direct, every = {}, []
    for keys, version, source in _YARN.findall(f"\n{text}"):
        first = keys.lstrip(_QUOTED)
        name = first[: first.find("@", 1)]
        if not _of_yarn(name, source):
            continue
        every.append(Pin(name, version))
        if wanted := asked.get(name):
            given = {key.strip(_QUOTED) for key in keys.split(",")}
            if given & {f"{name}@{wanted}", f"{name}@npm:{wanted}"}:
                direct[name] = version
    return _Lock(direct, every)


def _of_yarn(name: str, source: str) -> bool:
    """Whether a registry that is public has it: Yarn 1 says an address, its successors the registry's name for it."""
    if source.startswith(f"{name}@npm:"):
        return "__archiveUrl=" not in source or is_public(unquote(source))
    return is_public(source)
