"""What tests of the command line share: a folder to work in, the commands on a fresh store, and input for them."""

import json
from pathlib import Path
from typing import Any

import pytest

from commandline import Cli, Run
from factories import contribution


@pytest.fixture
def work(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder that commands run in."""
    place = tmp_path / "work"
    place.mkdir()
    monkeypatch.chdir(place)
    return place


@pytest.fixture
def cli(work: Path, url: str, monkeypatch: pytest.MonkeyPatch) -> Cli:
    """The commands, on a fresh store."""
    monkeypatch.setenv("COMMONTRACE_URL", url)
    return Cli()


@pytest.fixture
def wide(monkeypatch: pytest.MonkeyPatch) -> None:
    """A terminal that shows colours."""
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.setenv("COLUMNS", "100")


@pytest.fixture
def fix(work: Path) -> Run:
    """Writes a good contribution to a file; returns its name."""

    def write(number: int = 0, **changes: Any) -> str:
        fields = contribution(number, **changes).model_dump(mode="json", exclude_defaults=True)
        path = work / f"fix-{number}.json"
        path.write_text(json.dumps(fields), encoding="utf-8")
        return path.name

    return write


@pytest.fixture
def trace_id(cli: Cli, fix: Run) -> str:
    """The id of a trace that the store holds: SQLite, database is locked."""
    found: str = cli.json("contribute", fix())["trace_id"]
    return found
