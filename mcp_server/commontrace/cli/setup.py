"""`commontrace setup`: give an agent the tools."""

from pathlib import Path
from typing import Final

import click

from commontrace._transport import is_remote
from commontrace.cli.command import command
from commontrace.cli.output import Screen, answer
from commontrace.cli.state import state
from commontrace.errors import InvalidInputError
from commontrace.settings import Settings, config_file
from commontrace.setup_agents.agents import AGENTS, Agent, Scope, detected, plan
from commontrace.setup_agents.capturing import with_capture, without_capture
from commontrace.setup_agents.files import Change

_DONE: Final = {"create": "created", "update": "updated", "remove": "removed", "unchanged": "unchanged"}
_PLANNED: Final = {name: word if name == "unchanged" else f"would {name}" for name, word in _DONE.items()}
_NEXT: Final = {
    "claude-code": "Start Claude Code in this folder and approve the server; then try /trace-query.",
    "claude-desktop": "Quit Claude Desktop and start it again.",
}
_PLUGIN: Final = "Claude Code has the plugin, which brings the server, commands, skills and hooks: nothing to write."


@command("setup")
@click.argument("agent", type=click.Choice(AGENTS), required=False)
@click.option(
    "--scope",
    type=click.Choice(["project", "user"]),
    default="project",
    show_default=True,
    help="This folder's project, or every project of yours; some agents have settings for all projects only.",
)
@click.option("--dry-run", is_flag=True, help="Show the changes as a diff; touch nothing.")
@click.option("--capture", is_flag=True, help="Keep the transcripts of Claude Code's runs too, in your local store.")
@click.option("--uninstall", is_flag=True, help="Take away what setup wrote, and nothing else.")
def setup(agent: Agent | None, scope: Scope, *, dry_run: bool, capture: bool, uninstall: bool) -> None:
    """Give AGENT the tools: its server entry and, in Claude Code, slash commands, skills and hooks.

    Without AGENT: every one that is found here. Safe to run again. Other entries and comments stay, and a copy of each
    changed file is kept beside it as FILE.bak.
    """
    agents = [agent] if agent else _found(uninstall=uninstall)
    # Everything is planned before anything is written: a broken file stops all of it.
    planned = {name: plan(name, scope, Path.cwd(), url=state().url, uninstall=uninstall) for name in agents}
    settings = _capture(agents, capture=capture, uninstall=uninstall)
    changes = [change for each in [*planned.values(), settings] for change in each if change.before or change.after]
    if not dry_run:
        for change in changes:
            change.apply()
    listed = [
        {"path": str(change.path), "action": change.action, "diff": change.diff() if dry_run else ""}
        for change in changes
    ]
    value = {"agents": agents, "scope": scope, "dry_run": dry_run, "uninstall": uninstall, "changes": listed}
    then = [] if uninstall or dry_run else [_NEXT.get(name, "") if planned[name] else _PLUGIN for name in agents]
    answer(value, lambda screen: _draw(screen, changes, dry_run=dry_run, then=then))


def _capture(agents: list[Agent], *, capture: bool, uninstall: bool) -> list[Change]:
    """What happens to the setting that keeps transcripts, which only Claude Code's hooks know."""
    if capture and (uninstall or "claude-code" not in agents):
        raise click.UsageError("--capture is for claude-code, and not for --uninstall, which takes it back anyway.")
    if capture and is_remote(state().url or Settings().url):
        raise InvalidInputError(
            "Transcripts are kept in a local store only, and yours is a server.", "Run setup without --capture."
        )
    if capture:
        return [with_capture(config_file())]
    return [without_capture(config_file())] if uninstall and "claude-code" in agents else []


def _found(*, uninstall: bool) -> list[Agent]:
    """All agents when wiring is taken back; else those that are here."""
    agents = list(AGENTS) if uninstall else detected()
    if not agents:
        raise InvalidInputError(
            "No agent was found on this machine.", f"Name the one to wire: commontrace setup {'|'.join(AGENTS)}."
        )
    return agents


def _draw(screen: Screen, changes: list[Change], *, dry_run: bool, then: list[str]) -> None:
    for change in changes:
        words = _PLANNED if dry_run else _DONE
        style = "dim" if change.action == "unchanged" else "bold"
        screen.line((f"{words[change.action]:<9} ", style), str(change.path))
        for line in change.diff().splitlines() if dry_run else []:
            screen.line((line, {"+": "green", "-": "red", "@": "cyan"}.get(line[:1], "")), indent=2)
    if not changes:
        screen.line(("Nothing to take away.", "dim"))
    for line in filter(None, then):
        screen.line((line, "dim"))
