"""`commontrace amend`, `accept`, `reject`: better versions."""

from typing import TypedDict, Unpack

import click

from commontrace.cli.command import command
from commontrace.cli.output import answer
from commontrace.cli.params import RECORD_ID, TAG, TRACE_ID
from commontrace.cli.reading import error_text, named, read_object, validated
from commontrace.cli.show import draw_amendment
from commontrace.cli.state import open_client
from commontrace.models.traces import AmendmentProposal


class Options(TypedDict):
    """Fields to change."""

    title: str | None
    problem: str | None
    solution: str | None
    tag: tuple[str, ...]
    error: str | None
    applies_when: str | None
    not_when: str | None
    verification: str | None
    reason: str | None


@command("amend")
@click.argument("trace_id", metavar="ID", type=TRACE_ID)
@click.argument("file", required=False)
@click.option("--title", help="The new title.")
@click.option("--problem", help="The new problem.")
@click.option("--solution", help="The new solution.")
@click.option("--tag", multiple=True, type=TAG, help="The new tags; repeat for several.")
@click.option("--error", metavar="FILE|-", help="The new error text: a file, - for standard input, or its words.")
@click.option("--applies-when", help="When it applies.")
@click.option("--not-when", help="When it does not.")
@click.option("--verification", help="How it was verified.")
@click.option("--reason", help="Why; needed here or in FILE.")
def amend(trace_id: str, file: str | None, **options: Unpack[Options]) -> None:
    """Propose a better version of a trace: the fields to change as options, or as a JSON object in FILE.

    A trace of your own takes it at once; otherwise its contributor decides.
    """
    error = error_text(options["error"])
    lists = {"tags": list(options["tag"]), "errors": [error] if error else []}
    texts = {name: value for name, value in options.items() if name not in {"tag", "error"} and value is not None}
    given = {**(read_object(file) if file else {}), **texts, **{name: value for name, value in lists.items() if value}}
    if not given.get("reason"):
        raise click.UsageError("Say why with --reason.")
    if len(given) == 1:
        raise click.UsageError("Nothing to change: give a field, as in --solution TEXT, or a FILE.")
    proposal = validated(AmendmentProposal, given, f"{named(file)}: " if file else "")
    with open_client() as client:
        amendment = client.traces.amend(trace_id, proposal)
    answer(amendment, lambda screen: draw_amendment(screen, amendment))


def _decide(amendment_id: str, note: str, *, accept: bool) -> None:
    with open_client() as client:
        amendment = client.traces.decide(amendment_id, accept=accept, note=note)
    answer(amendment, lambda screen: draw_amendment(screen, amendment))


@command("accept")
@click.argument("amendment_id", metavar="AMENDMENT", type=RECORD_ID)
@click.option("--note", default="", help="A word to the proposer.")
def accept(amendment_id: str, note: str) -> None:
    """Accept an amendment of a trace of yours."""
    _decide(amendment_id, note, accept=True)


@command("reject")
@click.argument("amendment_id", metavar="AMENDMENT", type=RECORD_ID)
@click.option("--note", default="", help="Why not.")
def reject(amendment_id: str, note: str) -> None:
    """Reject an amendment of a trace of yours."""
    _decide(amendment_id, note, accept=False)
