"""What this package is made of cannot be swapped on its way here."""

import tomllib
from typing import Any

from house.sources import ROOT

PACKAGES: list[dict[str, Any]] = tomllib.loads((ROOT / "uv.lock").read_text(encoding="utf-8"))["package"]


def test_every_file_of_every_locked_package_has_its_hash() -> None:
    files = [
        file
        for package in PACKAGES
        for file in [*package.get("wheels", ()), *([package["sdist"]] if "sdist" in package else ())]
    ]
    assert len(files) > len(PACKAGES)
    assert [file for file in files if not str(file.get("hash", "")).startswith("sha256:")] == []


def test_every_locked_package_but_our_own_comes_from_a_registry() -> None:
    assert [package["name"] for package in PACKAGES if "registry" not in package["source"]] == ["commontrace"]
