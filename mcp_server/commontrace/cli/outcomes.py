"""`commontrace vote`, `flag`, `unflag`, `withdraw`, `unwithdraw`: what happened, and what should not be served."""

from typing import get_args

import click

from commontrace.cli.command import command
from commontrace.cli.drawing import short, standing
from commontrace.cli.output import answer
from commontrace.cli.output import note as said
from commontrace.cli.params import RECORD_ID, TRACE_ID
from commontrace.cli.state import open_client
from commontrace.models.traces import FlagReason
from commontrace.models.votes import OutcomeKind


@command("vote")
@click.argument("trace_id", metavar="ID", type=TRACE_ID)
@click.argument("outcome", type=click.Choice(get_args(OutcomeKind)))
@click.option("--note", default="", help="What happened or what you changed; needed for all but worked.")
@click.option("--remote", metavar="NAME", help="Report it there too, as yourself; it waits where that does not answer.")
def vote(trace_id: str, outcome: OutcomeKind, note: str, remote: str | None) -> None:
    """Report what happened when you used a trace. One vote a version, and it can be changed.

    On a trace of your own it is kept as a self-report, which never moves tier or score.
    """
    with open_client() as client:
        result = client.traces.vote(trace_id, outcome, note)
        if remote is not None and not client.remotes.vote(trace_id, outcome, note, remote=remote):
            said((f"{remote} does not answer: the vote waits in the outbox; commontrace sync delivers it.", "yellow"))
    verb = "changed to" if result.changed else "recorded:"
    kind = " as a self-report" if result.self_report else ""
    answer(
        result,
        lambda screen: screen.line(
            (short(result.trace_id), "bold cyan"), f" {verb} {result.outcome}{kind}  ", standing(result.standing)
        ),
    )


@command("flag")
@click.argument("trace_id", metavar="ID", type=TRACE_ID)
@click.argument("reason", type=click.Choice(get_args(FlagReason)))
@click.option("--note", default="", help="What is wrong with it.")
def flag(trace_id: str, reason: FlagReason, note: str) -> None:
    """Ask for a second look at a trace. Several independent flags hide it until somebody has looked."""
    with open_client() as client:
        raised = client.traces.flag(trace_id, reason, note)
    answer(
        raised,
        lambda screen: screen.line(
            (short(raised.trace_id), "bold cyan"),
            f" flagged as {raised.reason}. To take it back: commontrace unflag {raised.flag_id}",
        ),
    )


@command("unflag")
@click.argument("flag_id", metavar="FLAG", type=RECORD_ID)
def unflag(flag_id: str) -> None:
    """Take a flag back; it stays in the record as undone."""
    with open_client() as client:
        undone = client.traces.unflag(flag_id)
    answer(
        undone,
        lambda screen: screen.line(f"flag {undone.flag_id} on ", (short(undone.trace_id), "bold cyan"), " taken back"),
    )


@command("withdraw")
@click.argument("trace_id", metavar="ID", type=TRACE_ID)
@click.option("--reason", required=True, help="Why; it stays in the tombstone.")
def withdraw(trace_id: str, reason: str) -> None:
    """Take a trace of yours out of every answer. It can be restored."""
    with open_client() as client:
        stone = client.traces.withdraw(trace_id, reason)
    answer(
        stone,
        lambda screen: screen.line(
            (short(stone.trace_id), "bold cyan"),
            f" withdrawn. To bring it back: commontrace unwithdraw {short(stone.trace_id)}",
        ),
    )


@command("unwithdraw")
@click.argument("trace_id", metavar="ID", type=TRACE_ID)
def unwithdraw(trace_id: str) -> None:
    """Bring a withdrawn trace back as it was."""
    with open_client() as client:
        trace = client.traces.restore(trace_id)
    answer(
        trace,
        lambda screen: screen.line((short(trace.trace_id), "bold cyan"), "  ", standing(trace.standing), "  restored"),
    )
