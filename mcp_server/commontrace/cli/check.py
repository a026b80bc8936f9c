"""`commontrace check` and `commontrace hook`: what is asked before a shell command runs, and by agents' hooks."""

import sys
from typing import TYPE_CHECKING, Final

import click

from commontrace.cli.command import command
from commontrace.cli.output import Screen, answer
from commontrace.cli.reading import read_text
from commontrace.cli.state import open_client, state
from commontrace.hooks.calling import answer as answer_of

if TYPE_CHECKING:
    from commontrace.models.checks import CommandCheck

ASK: Final = 3
"""The exit code for a command that somebody should be asked about."""


@command("check")
@click.argument("shell_command", metavar="COMMAND")
@click.pass_context
def check(context: click.Context, shell_command: str) -> None:
    """Say whether to ask before COMMAND runs: it carries a risk, or came from an unproven trace of somebody else's.

    COMMAND is one argument, or - for standard input. It is not run. Exit codes: 0 nothing speaks against it, 3 ask,
    1 it could not be looked at.
    """
    text = read_text("-") if shell_command == "-" else shell_command
    with open_client() as client:
        found = client.traces.check(text)
    answer(found.model_dump(mode="json"), lambda screen: _draw(screen, found))
    context.exit(ASK if found.verdict == "ask" else 0)


def _draw(screen: Screen, found: "CommandCheck") -> None:
    screen.line((found.verdict, "bold yellow" if found.verdict == "ask" else "bold green"))
    for reason in found.reasons:
        screen.line(("because ", "yellow"), reason)
    for match in found.matches:
        whose = "yours" if match.own else match.tier
        screen.line((f"{match.trace_id[:10]} ", "bold"), (f"{whose} ", "dim"), match.title)
    for label in found.labels:
        screen.line(("labelled ", "yellow"), f"{label.label}: {label.reason} ({label.score})")


@command("hook")
@click.argument("name")
def hook(name: str) -> None:
    """Answer a hook of Claude Code: the event's JSON on standard input, JSON or nothing on standard output.

    NAME is session-start, pre-tool-use, post-tool-use, post-tool-use-failure, pre-compact or session-end. It exits
    with 0 whatever happens, and notes what went wrong in a log. COMMONTRACE_HOOKS=false turns all of them off.
    """
    sys.stdout.buffer.write(answer_of(name, sys.stdin.buffer.read(), state().url))
