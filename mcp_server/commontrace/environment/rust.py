"""Rust: Cargo.toml says what is used, Cargo.lock in which version."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Final

from commontrace.environment.files import Pin, Project, blocks, nearest, pins, read, read_toml, table

_TABLES: Final = ("dependencies", "dev-dependencies", "build-dependencies")
_REGISTRIES: Final = ("https://github.com/rust-lang/crates.io-index", "https://index.crates.io")


def read_rust(places: Sequence[Path]) -> Project | None:
    """The crates of the nearest Cargo.toml, by the nearest Cargo.lock."""
    manifest, lock = nearest(places, "Cargo.toml"), nearest(places, "Cargo.lock")
    if manifest is None:
        return None
    distance, path = manifest
    declared = dict(_declared(read_toml(path)))
    locked = [
        Pin(block["name"], block["version"])
        for block in (blocks(read(lock[1])) if lock else ())
        # What lies in the workspace has no source.
        if "name" in block and "version" in block and block.get("source", "").rstrip("/").endswith(_REGISTRIES)
    ]
    exact = [Pin(name, wanted[1:].strip()) for name, wanted in declared.items() if wanted.startswith("=")]
    known = locked if lock else exact
    direct = [pin for name in declared for pin in known if pin.name == name]
    return Project("rust", distance, pins(direct), pins(locked))


def _declared(manifest: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """Names with what is asked of their version, of crates that come from the registry."""
    targets = [value for value in table(manifest, "target").values() if isinstance(value, dict)]
    for part in (manifest, *targets, table(manifest, "workspace")):
        for key in _TABLES:
            for name, wanted in table(part, key).items():
                asked = wanted if isinstance(wanted, dict) else {"version": wanted}
                if not asked.keys() & {"path", "git", "registry", "registry-index"}:
                    yield str(asked.get("package", name)), str(asked.get("version", ""))
