"""`commontrace verify`, `purge`: that nothing was changed behind your back, and taking out what must leave no trace."""

import json
from pathlib import Path
from typing import TYPE_CHECKING

import click
from pydantic import ValidationError

from commontrace._transport import without_password
from commontrace.cli.command import FAILED, command
from commontrace.cli.drawing import short
from commontrace.cli.output import Screen, agree, answer, counted
from commontrace.cli.params import TRACE_ID
from commontrace.cli.state import open_client
from commontrace.errors import CommonTraceError
from commontrace.models.log import LogAudit, LogProblem, SignedCheckpoint
from commontrace.models.traces import PurgedTrace
from commontrace.settings import default_checkpoints

if TYPE_CHECKING:
    from commontrace import Client


@command("verify")
@click.pass_context
def verify(context: click.Context) -> None:
    """Check every trace, outcome and removal against the log, and the log against what it was when you last looked.

    The last checkpoint of each server is kept on this machine, so that a log that was rewritten is found even where
    everything on the server agrees with it. Exit code 1 if something was changed.
    """
    with open_client() as client:
        rewritten = _since_last_time(client)
        found = client.log.audit()
        if not rewritten:
            _keep(client.url, found.checkpoint)
    problems = [*rewritten, *found.problems]
    found = found.model_copy(update={"problems": problems})
    answer(found, lambda screen: _draw(screen, found))
    if problems:
        context.exit(FAILED)


def _since_last_time(client: "Client") -> list[LogProblem]:
    known = _kept().get(without_password(client.url))
    if known is None:
        return []
    try:
        client.log.since(known)
    except CommonTraceError as error:
        return [LogProblem(kind="broken", what=f"{error.detail} {error.hint}")]
    return []


def _kept() -> dict[str, SignedCheckpoint]:
    path = default_checkpoints()
    try:
        kept = json.loads(path.read_text(encoding="utf-8"))
        return {url: SignedCheckpoint.model_validate(value) for url, value in kept.items()}
    except FileNotFoundError:
        return {}
    except (OSError, ValueError, AttributeError, ValidationError):
        click.echo(f"{path} cannot be read: beginning anew.", err=True)
        return {}


def _keep(url: str, checkpoint: SignedCheckpoint) -> None:
    path: Path = default_checkpoints()
    path.parent.mkdir(parents=True, exist_ok=True)
    kept = {**_kept(), without_password(url): checkpoint}
    fresh = path.with_suffix(".new")
    fresh.write_text(json.dumps({name: one.model_dump() for name, one in kept.items()}, indent=1), encoding="utf-8")
    fresh.replace(path)


def _draw(screen: Screen, found: LogAudit) -> None:
    verdict = ("changed", "bold red") if found.problems else ("sound", "bold green")
    screen.line(verdict, f": {counted(found.traces, 'trace')}, {counted(found.leaves, 'leaf', 'leaves')} in the log")
    for problem in found.problems:
        whose = f" {short(problem.trace_id)}" if problem.trace_id else ""
        screen.line((f"{problem.kind}{whose}", "red"), f": {problem.what}")


@command("purge")
@click.argument("trace_id", metavar="ID", type=TRACE_ID)
@click.option("--reason", required=True, help="Why; stays in the tombstone, so say it without what has to go.")
@click.option("--yes", is_flag=True, help="Do not ask.")
def purge(trace_id: str, reason: str, yes: bool) -> None:
    """Take every text of a trace out for good: versions, notes, indexes, vectors, files. Nothing brings it back.

    Its ids stay, and who purged it, when and why. To take it out of answers only, withdraw it.
    """
    if not yes:
        agree("This cannot be undone. Take it out?", "Nothing was taken out.")
    with open_client() as client:
        done = client.traces.purge(trace_id, reason)
    answer(done, lambda screen: _purged(screen, done))


def _purged(screen: Screen, done: PurgedTrace) -> None:
    screen.line((short(done.trace_id), "bold cyan"), f" purged: {counted(done.versions, 'version')} had a text")
    if not done.erased:
        screen.line(("The files could not be written anew: purge it again when others are done.", "yellow"))
    for place in done.left:
        screen.line((place, "yellow"))
