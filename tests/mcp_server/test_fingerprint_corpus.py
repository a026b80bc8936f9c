"""Failures of real tools, recorded at several places and versions by `benchmarks/fingerprints.py --record`."""

import json
from collections import defaultdict
from itertools import combinations
from pathlib import Path
from typing import Any

import pytest

from commontrace.fingerprint import fingerprint, normalise

FILES = sorted((Path(__file__).parent / "fingerprints").glob("*.jsonl"))
"""One failure a line: {"case": what the program does, "name": what it names, "same": the texts that it was seen as}."""


def failures(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def test_there_are_recordings_of_many_tools() -> None:
    assert {path.stem for path in FILES} >= {"python", "libraries", "node", "compiled", "shell", "drivers", "held_out"}
    assert sum(len(failure["same"]) for path in FILES for failure in failures(path)) > 1000


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_every_recorded_failure_has_one_key_wherever_it_was_seen(path: Path) -> None:
    shapes = {(one["case"], one["name"]): {normalise(text) for text in one["same"]} for one in failures(path)}
    assert {name: found for name, found in shapes.items() if len(found) != 1} == {}
    assert [one["case"] for one in failures(path) if None in map(fingerprint, one["same"])] == []


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_recorded_near_misses_have_keys_of_their_own(path: Path) -> None:
    keys: dict[str, list[tuple[str, str | None]]] = defaultdict(list)
    for one in failures(path):
        keys[one["case"]].append((one["name"], fingerprint(one["same"][0])))
    pairs = [(case, one, two) for case, found in keys.items() for one, two in combinations(found, 2)]
    assert [(case, one[0], two[0]) for case, one, two in pairs if one[1] == two[1]] == []
