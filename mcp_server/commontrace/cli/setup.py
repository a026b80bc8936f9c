"""`commontrace setup`: give an agent the tools."""

from pathlib import Path
from typing import Final

import click

from commontrace.cli.command import command
from commontrace.cli.output import Screen, answer
from commontrace.cli.state import state
from commontrace.setup_agents.agents import AGENTS, Agent, Scope, plan
from commontrace.setup_agents.files import Change

_DONE: Final = {"create": "created", "update": "updated", "remove": "removed", "unchanged": "unchanged"}
_PLANNED: Final = {name: word if name == "unchanged" else f"would {name}" for name, word in _DONE.items()}
_NEXT: Final = {
    "claude-code": "Start Claude Code in this folder and approve the server; then try /trace-query.",
    "claude-desktop": "Quit Claude Desktop and start it again.",
}


@command("setup")
@click.argument("agent", type=click.Choice(AGENTS), default="claude-code")
@click.option(
    "--scope",
    type=click.Choice(["project", "user"]),
    default="project",
    show_default=True,
    help="For Claude Code: this folder's project, or every project of yours.",
)
@click.option("--dry-run", is_flag=True, help="Show the changes as a diff; touch nothing.")
@click.option("--uninstall", is_flag=True, help="Take away what setup wrote, and nothing else.")
def setup(agent: Agent, scope: Scope, dry_run: bool, uninstall: bool) -> None:
    """Give AGENT (claude-code or claude-desktop) the tools: its server entry and, in Claude Code, slash commands.

    Safe to run again. Other entries stay, and a copy of each changed file is kept beside it as FILE.bak.
    """
    changes = plan(agent, scope, Path.cwd(), url=state().url, uninstall=uninstall)
    if not dry_run:
        for change in changes:
            change.apply()
    listed = [
        {"path": str(change.path), "action": change.action, "diff": change.diff() if dry_run else ""}
        for change in changes
    ]
    value = {"agent": agent, "scope": scope, "dry_run": dry_run, "uninstall": uninstall, "changes": listed}
    answer(value, lambda screen: _draw(screen, changes, dry_run=dry_run, then="" if uninstall else _NEXT[agent]))


def _draw(screen: Screen, changes: list[Change], *, dry_run: bool, then: str) -> None:
    for change in changes:
        words = _PLANNED if dry_run else _DONE
        style = "dim" if change.action == "unchanged" else "bold"
        screen.line((f"{words[change.action]:<9} ", style), str(change.path))
        for line in change.diff().splitlines() if dry_run else []:
            screen.line((line, {"+": "green", "-": "red", "@": "cyan"}.get(line[:1], "")), indent=2)
    if then and not dry_run:
        screen.line((then, "dim"))
