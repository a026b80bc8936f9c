"""`commontrace doctor`: is everything in place?"""

import platform
import sqlite3
from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path
from typing import Final, Literal, NamedTuple

import click

from commontrace._transport import without_password
from commontrace.cli.command import FAILED, command
from commontrace.cli.output import Screen, answer
from commontrace.cli.state import open_client, state
from commontrace.errors import CommonTraceError
from commontrace.settings import Settings, config_file
from commontrace.setup_agents import agents
from commontrace.setup_agents.files import has_server

_WIRED: Final[tuple[tuple[str, agents.Agent, agents.Scope], ...]] = (
    ("Claude Code, this project", "claude-code", "project"),
    ("Claude Code, every project", "claude-code", "user"),
    ("Claude Desktop", "claude-desktop", "user"),
)


Mark = Literal["right", "wrong", "neither"]
_MARKS: Final = {"right": ("✓", "bold green"), "wrong": ("✗", "bold red"), "neither": ("·", "dim")}


class Check(NamedTuple):
    """One thing looked at."""

    name: str
    mark: Mark
    detail: str


@command("doctor")
@click.pass_context
def doctor(context: click.Context) -> None:
    """Check the settings, the store, the key and which agents are wired. Exit code 1 if something is wrong."""
    checks = [*_versions(), *_settings(), *_store(), *_agents()]
    healthy = all(check.mark != "wrong" for check in checks)
    value = {"healthy": healthy, "checks": [check._asdict() for check in checks]}
    answer(value, lambda screen: _draw(screen, checks))
    if not healthy:
        context.exit(FAILED)


def _versions() -> Iterator[Check]:
    yield Check(
        "versions",
        "right",
        f"CommonTrace {version('commontrace')}, Python {platform.python_version()}, SQLite {sqlite3.sqlite_version}",
    )


def _settings() -> Iterator[Check]:
    path = config_file()
    yield Check("config file", "right" if path.exists() else "neither", f"{path}{'' if path.exists() else ' (none)'}")
    settings = Settings()
    yield Check("backend", "right", without_password(state().url or settings.url))
    yield Check("working copy", "right", settings.working_copy or "this folder's")


def _store() -> Iterator[Check]:
    try:
        with open_client() as client:
            me = client.contributors.me()
    except CommonTraceError as error:
        yield Check("store", "wrong", str(error))
        return
    yield Check("store", "right", "opens and answers")
    yield Check("you", "right", f"{me.name} of {me.organization_name}, may {', '.join(me.scopes)}")


def _agents() -> Iterator[Check]:
    for name, agent, scope in _WIRED:
        path = agents.config_file(agent, scope, Path.cwd())
        try:
            wired = has_server(path)
        except CommonTraceError as error:
            yield Check(name, "wrong", str(error))
            continue
        how = f"commontrace setup {agent}{' --scope user' if (agent, scope) == ('claude-code', 'user') else ''}"
        yield Check(name, "right" if wired else "neither", f"wired in {path}" if wired else f"not wired: {how}")


def _draw(screen: Screen, checks: list[Check]) -> None:
    screen.table([(_MARKS[check.mark], check.name, check.detail) for check in checks])
