"""`commontrace push`, `pull`, `sync`: traces to remotes and back."""

import re
from typing import TYPE_CHECKING, Literal, TypedDict, Unpack

import click

from commontrace.cli.command import FAILED, command
from commontrace.cli.drawing import short
from commontrace.cli.output import Screen, agree, answer, counted, document, waits_shown
from commontrace.cli.remotes import draw_outbox
from commontrace.cli.state import open_client, state
from commontrace.models.syncing import SyncReport, TransferReport
from commontrace.models.traces import Visibility

if TYPE_CHECKING:
    from commontrace import Client

_ID = re.compile(r"[0-9a-f]{6,32}\Z")
_STYLES = {"failed": "bold red", "diverged": "yellow", "proposed": "yellow", "left": "yellow", "gone": "yellow"}


class Options(TypedDict):
    """What a push can be told."""

    everything: bool
    visibility: Visibility | None
    insist: bool
    dry_run: bool
    yes: bool
    later: bool


class Asked(TypedDict):
    """What of it the SDK is told, looking and sending alike."""

    visibility: Visibility | None
    insist: bool


@command("push")
@click.argument("names", nargs=-1, metavar="[REMOTE] [ID]...")
@click.option("--all", "everything", is_flag=True, help="Your own that others may see here and that are new there.")
@click.option(
    "--as",
    "visibility",
    type=click.Choice(["private", "team", "public"]),
    help="Who may see them there. Default: as here.",
)
@click.option("--insist", is_flag=True, help="Also what is much like something that is there.")
@click.option("--dry-run", is_flag=True, help="Show what would go, word for word; send nothing.")
@click.option("--yes", is_flag=True, help="Send without asking.")
@click.option("--later", is_flag=True, help="Keep it in the outbox where the remote does not answer.")
@click.pass_context
def push(context: click.Context, names: tuple[str, ...], **options: Unpack[Options]) -> None:
    """Send traces to REMOTE (origin, or the only one), after a preview of every word that leaves.

    A private trace goes only where it is named. What you edited goes as the next version; of somebody else's trace it
    goes as an amendment. Nothing is there twice, however often it is sent.
    """
    if state().json and not (options["dry_run"] or options["yes"]):
        raise click.UsageError("With --json there is nobody to ask: pass --yes, or --dry-run to look first.")
    with open_client() as client, waits_shown():
        remote, ids = _named(client, names)
        if bool(ids) == options["everything"]:
            raise click.UsageError("Give the ids of traces, or --all.")
        asked: Asked = {"visibility": options["visibility"], "insist": options["insist"]}
        if options["dry_run"]:
            report = client.remotes.push(remote, ids, dry_run=True, **asked)
        else:
            shown = None if options["yes"] else _ask(client, remote, ids, asked)
            report = client.remotes.push(remote, ids, later=options["later"], shown=shown, **asked)
    answer(report, lambda screen: _told(screen, report))
    if report.count("failed"):
        context.exit(FAILED)


def _ask(client: "Client", remote: str, ids: list[str], asked: Asked) -> frozenset[str]:
    """Show every word that would leave, and ask; returns the versions that were shown."""
    looked = client.remotes.push(remote, ids, dry_run=True, **asked)
    if looked.items:
        draw_preview(Screen(), looked)
        agree(f"Send this to {looked.remote}?", "Not sent.")
    return frozenset(version.version_id for item in looked.items for version in item.versions)


def _named(client: "Client", names: tuple[str, ...]) -> tuple[str, list[str]]:
    """A remote, if the first name is one, and ids."""
    known = {one.name for one in client.remotes.all()}
    if names and (names[0] in known or not _ID.match(names[0])):
        return names[0], list(names[1:])
    return "", list(names)


def _told(screen: Screen, report: TransferReport) -> None:
    if report.dry_run:
        draw_preview(screen, report)
    else:
        draw_report(screen, report)


def draw_preview(screen: Screen, report: TransferReport) -> None:
    """Every word that would leave, and what would come of it."""
    for item in report.items:
        if not item.versions:
            continue
        seen = f" · for {item.visibility}" if item.visibility else ""
        about = f" to {report.remote}{seen} · {counted(item.bytes, 'byte')}"
        screen.line((short(item.trace_id) or "new", "bold cyan"), f"  {item.title}", (about, "dim"))
        for version in item.versions:
            if version.content is not None:
                said = document(version.content.model_dump(mode="json", exclude_defaults=True))
                screen.quote(said, f"version {short(version.version_id)}, word for word")
    draw_report(screen, report)


def draw_report(screen: Screen, report: TransferReport) -> None:
    """What came, or would come, of each trace, and of how many nothing."""
    would = "would be " if report.dry_run else ""
    for item in report.items:
        action = item.action if item.action in {"failed", "left", "gone"} else f"{would}{item.action}"
        screen.line(
            (short(item.trace_id) or "new", "bold cyan"),
            "  ",
            (action, _STYLES.get(item.action, "green")),
            f"  {item.title}",
        )
        if item.detail or item.hint:
            screen.line((f"{item.detail} {item.hint}".strip(), "dim"), indent=12)
    if report.problem:
        screen.line((f"{report.problem} It waits in the outbox: commontrace sync delivers it.", "yellow"))
    elif not report.items:
        screen.line(f"{report.remote}: nothing new" + (f", {report.kept} alike" if report.kept else ""))
    if report.held_back:
        many = counted(report.held_back, "trace")
        screen.line((f"{many} of yours never went there; to send them: commontrace push --all", "dim"))


@command("pull")
@click.argument("remote", default="")
@click.option("--dry-run", is_flag=True, help="Say what would come; change nothing.")
@click.pass_context
def pull(context: click.Context, remote: str, dry_run: bool) -> None:
    """Bring in what changed at REMOTE since the last pull: new traces and versions, and what was removed there.

    Traces come as imports, unproven here: outcomes are not copied. What was edited on both sides is kept side by side,
    with an amendment that waits for your decision.
    """
    with open_client() as client, waits_shown():
        report = client.remotes.pull(remote, dry_run=dry_run)
    answer(report, lambda screen: draw_report(screen, report))
    if report.count("failed"):
        context.exit(FAILED)


@command("sync")
@click.argument("remote", default="")
@click.pass_context
def sync(context: click.Context, remote: str) -> None:
    """Deliver what waits for REMOTE, pull, and push what changed of the traces that are there already.

    A trace that never went there is not sent. Run it as often as you like; where the remote does not answer, what waits
    goes on waiting. What the remote refuses for good is put aside, and named until you decide on it.
    """
    with open_client() as client, waits_shown():
        report = client.remotes.sync(remote)
    answer(report, lambda screen: _synced(screen, report))
    failed = any(one is not None and one.count("failed") for one in (report.pull, report.push))
    if report.problem or report.waiting or report.refused or failed:
        context.exit(FAILED)


def _synced(screen: Screen, report: SyncReport) -> None:
    if report.delivered:
        screen.line((f"{counted(report.delivered, 'thing')} of the outbox delivered", "green"))
    ways: tuple[tuple[Literal["pull", "push"], TransferReport | None], ...] = (
        ("pull", report.pull),
        ("push", report.push),
    )
    for way, one in ways:
        if one is not None:
            screen.line((way, "bold"))
            draw_report(screen, one)
    if report.problem:
        screen.line((report.problem, "bold red"))
    draw_outbox(screen, [*report.waiting, *report.refused])
