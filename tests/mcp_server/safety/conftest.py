"""Data that stands beside a checkout of the project: real texts and attacks. Without it, its tests are skipped."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

DATA = Path(__file__).parents[4] / "shared" / "data"


def _lines(path: Path) -> Iterator[dict[str, Any]]:
    with path.open(encoding="utf-8") as file:
        yield from map(json.loads, file)


@pytest.fixture(scope="session")
def data() -> Path:
    """The folder of shared data."""
    if not DATA.is_dir():
        pytest.skip(f"the shared data is not at {DATA}")
    return DATA


@pytest.fixture(scope="session")
def seeds(data: Path) -> list[dict[str, Any]]:
    """Real traces: title, context, solution, tags."""
    rows: list[dict[str, Any]] = json.loads((data / "seed_traces.json").read_text(encoding="utf-8"))
    return rows


@pytest.fixture(scope="session")
def ordinary(data: Path) -> list[str]:
    """Documents that nobody wrote to deceive."""
    corpora = sorted((data / "retrieval").glob("*/corpus.jsonl"))
    return [f"{row['title']}\n{row['text']}" for corpus in corpora for row in _lines(corpus)]


@pytest.fixture(scope="session")
def hidden(data: Path) -> list[dict[str, Any]]:
    """Forms of hidden and deceptive text: kind and text."""
    return list(_lines(data / "safety" / "hidden.jsonl"))


@pytest.fixture(scope="session")
def naughty(data: Path) -> list[str]:
    """Strings that break programs."""
    return [row["text"] for row in _lines(data / "safety" / "blns.jsonl")]
