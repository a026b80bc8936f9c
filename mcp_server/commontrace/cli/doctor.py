"""`commontrace doctor`: is everything in place?"""

import asyncio
import platform
import sqlite3
from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path
from typing import Final, Literal, NamedTuple

import click

from commontrace._transport import is_remote, misspelt, without_password
from commontrace.cli.command import FAILED, command
from commontrace.cli.output import Screen, answer, counted
from commontrace.cli.state import desk, open_client, state
from commontrace.errors import CommonTraceError
from commontrace.settings import Settings, config_file
from commontrace.setup_agents import agents
from commontrace.setup_agents.claude_code import has_plugin

_WIRED: Final[tuple[tuple[str, agents.Agent, agents.Scope], ...]] = (
    ("Claude Code, this project", "claude-code", "project"),
    ("Claude Code, every project", "claude-code", "user"),
    ("Claude Desktop", "claude-desktop", "user"),
)
_EVERY: Final[dict[agents.Scope, str]] = {"project": "this project", "user": "every project"}

Mark = Literal["right", "wrong", "neither"]
_MARKS: Final = {"right": ("✓", "bold green"), "wrong": ("✗", "bold red"), "neither": ("·", "dim")}


class Check(NamedTuple):
    """One thing looked at."""

    name: str
    mark: Mark
    detail: str


@command("doctor")
@click.option("--repair", is_flag=True, help="Make anew from the rows what of the indexes is damaged.")
@click.pass_context
def doctor(context: click.Context, *, repair: bool) -> None:
    """Check the settings, the store, the key and which agents are wired. Exit code 1 if something is wrong.

    Next to the data it also checks the database's files, and the words and vectors against the rows they are made of.
    """
    checks = [*_versions(), *_settings(), *_store(), *_data(repair=repair), *_agents()]
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
    for name, meant in misspelt().items():
        yield Check("setting", "wrong", f"{name} is none; is {meant} meant?")
    settings = Settings.given()
    yield Check("backend", "right", without_password(state().url or settings.url))
    yield Check("working copy", "right", settings.working_copy or "this folder's")


def _store() -> Iterator[Check]:
    try:
        with open_client() as client:
            me = client.contributors.me()
            outbox = client.remotes.outbox()
    except CommonTraceError as error:
        yield Check("store", "wrong", str(error))
        return
    yield Check("store", "right", "opens and answers")
    yield Check("you", "right", f"{me.name} of {me.organization_name}, may {', '.join(me.scopes)}")
    refused = sum(item.refused for item in outbox)
    if refused:
        yield Check("outbox", "wrong", f"{counted(refused, 'thing')} refused and put aside; see: commontrace status")
    if waiting := len(outbox) - refused:
        yield Check("outbox", "neither", f"{counted(waiting, 'thing')} waiting; commontrace sync delivers it")


def _data(*, repair: bool) -> Iterator[Check]:
    """The store's files and indexes, where they are at hand."""
    if is_remote(state().url or Settings().url):
        if repair:
            yield Check("data", "wrong", "this is done next to the data: run it on the server's machine")
        return
    try:
        found = asyncio.run(desk().repair() if repair else desk().examine())
    except CommonTraceError as error:
        yield Check("data", "wrong", str(error))
        return
    for fault in found.faults:
        yield Check(fault.part, "wrong", f"{fault.what}. {fault.hint}")
    if not found.faults:
        yield Check("data", "right", "words and vectors were made anew from rows" if found.repaired else "sound")
    if found.pending or found.repaired:
        yield Check("pending", "neither", f"{counted(found.pending, 'trace')} without words; see: commontrace reindex")


def _agents() -> Iterator[Check]:
    plugin = has_plugin()
    if plugin:
        yield Check("Claude Code, plugin", "right", "enabled: it brings server, commands, skills and hooks")
    others = [agent for agent in agents.detected() if not agent.startswith("claude-")]
    found = [(f"{agent}, {_EVERY[scope]}", agent, scope) for agent in others for scope in _EVERY]
    for name, agent, scope in (*_WIRED, *found):
        path = agents.config_file(agent, scope, Path.cwd())
        if scope == "project" and path == agents.config_file(agent, "user", Path.cwd()):
            continue  # it has one file for both
        try:
            wired = agents.is_wired(agent, scope, Path.cwd())
        except CommonTraceError as error:
            yield Check(name, "wrong", str(error))
            continue
        if wired and plugin and agent == "claude-code":
            taken_back = f"commontrace setup claude-code --scope {scope} --uninstall"
            yield Check(name, "wrong", f"{path} has the server that the plugin brings too: {taken_back}")
            continue
        how = f"commontrace setup {agent}{' --scope user' if scope == 'user' and agent != 'claude-desktop' else ''}"
        yield Check(name, "right" if wired else "neither", f"wired in {path}" if wired else f"not wired: {how}")


def _draw(screen: Screen, checks: list[Check]) -> None:
    screen.table([(_MARKS[check.mark], check.name, check.detail) for check in checks])
