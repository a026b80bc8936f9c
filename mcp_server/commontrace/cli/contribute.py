"""`commontrace contribute` and `publish`: give a trace, and widen its audience."""

from typing import TYPE_CHECKING, Any, Literal, TypedDict, Unpack

import click

from commontrace.cli.command import FAILED, command
from commontrace.cli.drawing import draw_content, short
from commontrace.cli.output import Screen, agree, answer, document, note, waits_shown
from commontrace.cli.params import TAG, TRACE_ID
from commontrace.cli.reading import error_text, named, read_object, validated
from commontrace.cli.state import open_client, state
from commontrace.cli.syncing import draw_preview, draw_report
from commontrace.errors import CommonTraceError, UnavailableError
from commontrace.models.syncing import TransferReport
from commontrace.models.traces import Contribution, ContributionResult, PublicationResult

if TYPE_CHECKING:
    from commontrace import Client


class Options(TypedDict):
    """What a contribution can be told; what is given here goes before the file."""

    title: str | None
    problem: str | None
    solution: str | None
    tag: tuple[str, ...]
    error: str | None
    visibility: Literal["private", "team"] | None
    supersedes: str | None
    idempotency_key: str | None
    insist: bool
    dry_run: bool
    remote: str | None
    yes: bool


@command("contribute")
@click.argument("file", required=False)
@click.option("--title", help="What it is about, in one line.")
@click.option("--problem", help="What one sees, where, with which versions.")
@click.option("--solution", help="The cause and the fix.")
@click.option("--tag", multiple=True, type=TAG, help="Repeat for several.")
@click.option("--error", metavar="FILE|-", help="The error as printed: a file, - for standard input, or its words.")
@click.option("--visibility", type=click.Choice(["private", "team"]), help="Who may see it. Default: private.")
@click.option("--supersedes", type=TRACE_ID, help="The trace that this one replaces.")
@click.option("--idempotency-key", metavar="KEY", help="Makes running the same command again safe.")
@click.option("--insist", is_flag=True, help="Store although a near-duplicate is known.")
@click.option("--dry-run", is_flag=True, help="Show exactly what would be stored; store nothing.")
@click.option(
    "--remote", metavar="NAME", help="Deliver it there too; it waits in the outbox where that does not answer."
)
@click.option("--yes", is_flag=True, help="With --remote: send without asking.")
@click.pass_context
def contribute(context: click.Context, file: str | None, **options: Unpack[Options]) -> None:
    """Contribute a verified fix: a JSON object in FILE (- for standard input), or --title, --problem, --solution.

    Secrets and personal data are redacted first, and what was redacted is said. It stays private unless you say team.
    """
    given = {name: value for name, value in _fields(options).items() if value}
    if file is None and not {"title", "problem", "solution"} <= given.keys():
        raise click.UsageError("Give a FILE, or --title, --problem and --solution.")
    fields = read_object(file) if file else {"source": {"kind": "human"}}
    contribution = validated(Contribution, {**fields, **given}, f"{named(file)}: " if file else "")
    if options["remote"]:
        _deliver(context, contribution, options["remote"], sure=options["yes"])
        return
    with open_client() as client:
        result = client.traces.contribute(contribution)
    answer(result, lambda screen: _draw(screen, result))


def _deliver(context: click.Context, contribution: Contribution, remote: str, *, sure: bool) -> None:
    """Contribute here, then send it; what leaves is shown first."""
    if state().json and not (contribution.dry_run or sure):
        raise click.UsageError("With --json there is nobody to ask: pass --yes, or --dry-run to look first.")
    with open_client() as client, waits_shown():
        name = client.remotes.get(remote).name
        result = client.traces.contribute(contribution)
        report = _previewed(client, name, result) if contribution.dry_run else _pushed(client, name, result, sure=sure)
    if state().json:
        click.echo(document({**result.model_dump(mode="json"), "push": report.model_dump(mode="json")}))
    else:
        _draw_both(Screen(), result, report, shown=not (sure or contribution.dry_run))
    if report.count("failed"):
        context.exit(FAILED)


def _pushed(client: "Client", remote: str, result: ContributionResult, *, sure: bool) -> TransferReport:
    if not sure:
        screen = Screen()
        _draw(screen, result)
        screen.quote(document(result.content.model_dump(mode="json", exclude_defaults=True)), "word for word")
        agree(f"It is stored here. Send this to {remote}, for {result.visibility}?", "Not sent.")
    trace_id = result.trace_id or ""  # what is stored has one
    try:
        return client.remotes.push(remote, [trace_id], later=True)
    except CommonTraceError:
        note((f"{short(trace_id)} is stored here, and not sent.", "yellow"))
        raise


def _previewed(client: "Client", remote: str, result: ContributionResult) -> TransferReport:
    try:
        if result.trace_id:
            return client.remotes.push(remote, [result.trace_id], dry_run=True)
        return client.remotes.preview(remote, result)
    except UnavailableError as error:
        return TransferReport(remote=remote, direction="push", dry_run=True, problem=error.detail)


def _draw_both(screen: Screen, result: ContributionResult, report: TransferReport, *, shown: bool) -> None:
    if not shown:
        _draw(screen, result)
    screen.line((report.remote, "bold"))
    if report.dry_run and not report.problem:
        draw_preview(screen, report)
    else:
        draw_report(screen, report)


def _fields(options: Options) -> dict[str, Any]:
    error = error_text(options["error"])
    return {
        "title": options["title"],
        "problem": options["problem"],
        "solution": options["solution"],
        "tags": list(options["tag"]),
        "errors": [error] if error else [],
        "visibility": options["visibility"],
        "supersedes": options["supersedes"],
        "idempotency_key": options["idempotency_key"],
        "insist": options["insist"],
        "dry_run": options["dry_run"],
    }


def _draw(screen: Screen, result: ContributionResult) -> None:
    if result.trace_id:
        said = "stored" if result.stored else "known already, nothing was added:"
        screen.line(f"{said} ", (short(result.trace_id), "bold cyan"), f"  {result.tier}, {result.visibility}")
    else:
        screen.line(("would be stored", "bold"), f" as {result.tier}, {result.visibility}:")
        screen.line()
        screen.line((result.content.title, "bold"))
        draw_content(screen, result.content)
        screen.line()
    for redaction in result.redactions:
        screen.line(("redacted ", "yellow"), f"{redaction.field}: {redaction.type} ×{redaction.count}")
    for hidden in result.hidden:
        screen.line(("taken out ", "yellow"), hidden)
    for label in result.labels:
        screen.line(("labelled ", "yellow"), f"{label.label}: {label.reason}")
    screen.line(("lint ", "dim"), f"{result.lint.score}/100", *(f"; {reason}" for reason in result.lint.reasons))


@command("publish")
@click.argument("trace_id", metavar="ID", type=TRACE_ID)
@click.option("--to", type=click.Choice(["team", "public"]), default="public", show_default=True)
@click.option("--dry-run", is_flag=True, help="Show what everybody would see; publish nothing.")
@click.option("--yes", is_flag=True, help="Publish without asking.")
def publish(trace_id: str, to: Literal["team", "public"], dry_run: bool, yes: bool) -> None:
    """Widen the audience of a trace of yours, after a preview of every word that others would see."""
    if state().json and not (dry_run or yes):
        raise click.UsageError("With --json there is nobody to ask: pass --yes, or --dry-run to look first.")
    with open_client() as client:
        preview = client.traces.publish(trace_id, to, dry_run=True)
        if not dry_run and not yes:
            _preview(Screen(), preview)
            agree(f"Publish this to {_AUDIENCE[to]}?", "Not published.")
        result = preview if dry_run else client.traces.publish(trace_id, to)
    answer(result, lambda screen: _published(screen, result, shown=not dry_run and not yes))


_AUDIENCE = {"team": "your organization", "public": "everybody"}


def _preview(screen: Screen, preview: PublicationResult) -> None:
    screen.line((preview.content.title, "bold"))
    draw_content(screen, preview.content)
    screen.line()


def _published(screen: Screen, result: PublicationResult, *, shown: bool) -> None:
    if not shown:
        _preview(screen, result)
    verb = "is now visible to" if result.published else "would be visible to"
    screen.line((short(result.trace_id), "bold cyan"), f" {verb} {_AUDIENCE[result.visibility]}.")
