"""`commontrace show`, `tags`, `link`, `unlink`: one trace and what it is connected with."""

from functools import partial
from typing import get_args

import click

from commontrace.cli.command import command
from commontrace.cli.drawing import draw_content, draw_trace, short, standing
from commontrace.cli.listing import LIMIT, first
from commontrace.cli.output import Screen, answer, joined
from commontrace.cli.params import LINK_TARGET, TRACE_ID
from commontrace.cli.state import open_client
from commontrace.models.search import Query
from commontrace.models.traces import Amendment, Flag, LinkKind, Trace, TraceVersion


@command("show")
@click.argument("trace_id", metavar="ID", type=TRACE_ID)
@click.option("--versions", "part", flag_value="versions", help="Every version, newest first.")
@click.option("--amendments", "part", flag_value="amendments", help="Proposed versions with what they change.")
@click.option("--flags", "part", flag_value="flags", help="Every flag with its reason.")
@LIMIT
def show(trace_id: str, part: str | None, limit: int) -> None:
    """One trace whole, or its versions, amendments or flags; of these the newest as many as --limit says."""
    with open_client() as client:
        if part == "versions":
            versions = first(partial(client.traces.history, trace_id), limit)
            answer(versions, lambda screen: _versions(screen, versions))
        elif part == "amendments":
            amendments = first(partial(client.traces.amendments, trace_id), limit)
            answer(amendments, lambda screen: _amendments(screen, amendments))
        elif part == "flags":
            flags = first(partial(client.traces.flags, trace_id), limit)
            answer(flags, lambda screen: _flags(screen, flags))
        else:
            trace = client.traces.get(trace_id)
            # Being shown a version is what entitles to vote on it.
            client.traces.query(Query(ids=[trace.trace_id], limit=1))
            answer(trace, lambda screen: draw_trace(screen, trace))


def _versions(screen: Screen, versions: list[TraceVersion]) -> None:
    for version in versions:
        by = f"  by {version.contributor.name}, {version.created_at:%Y-%m-%d %H:%M}  "
        screen.line((f"v{version.number}", "bold"), f" {version.version_id[:12]}", by, standing(version.standing))
        screen.line((version.content.title, "bold"), indent=2)
        draw_content(screen, version.content, indent=2)
        screen.line()


def _amendments(screen: Screen, amendments: list[Amendment]) -> None:
    if not amendments:
        screen.line("No amendments.")
    for amendment in amendments:
        draw_amendment(screen, amendment)


def draw_amendment(screen: Screen, amendment: Amendment) -> None:
    """A proposed version, what became of it and what it changes."""
    about = joined([f"by {amendment.proposer.name}", amendment.reason, amendment.decision_note])
    screen.line((amendment.amendment_id, "bold cyan"), "  ", (amendment.status, "bold"), f"  {about}")
    for change in amendment.changes:
        screen.line((change.field, "bold"), indent=2)
        for line in change.diff.splitlines():
            style = {"+": "green", "-": "red", "@": "cyan"}.get(line[:1], "")
            screen.line((line, style), indent=2)


def _flags(screen: Screen, flags: list[Flag]) -> None:
    if not flags:
        screen.line("No flags.")
    for flag in flags:
        state = f"taken back {flag.undone_at:%Y-%m-%d}" if flag.undone_at else f"raised {flag.created_at:%Y-%m-%d}"
        about = joined([f"by {flag.contributor.name}", state, flag.note])
        screen.line((flag.flag_id, "bold cyan"), "  ", (flag.reason, "bold"), f"  {about}")


@command("tags")
@click.argument("prefix", default="")
@click.option("--limit", type=click.IntRange(1, 1000), default=100, show_default=True, help="How many at most.")
def tags(prefix: str, limit: int) -> None:
    """The tags in use, or those that begin with PREFIX, with how many traces carry each."""
    with open_client() as client:
        found = first(partial(client.tags.list, prefix), limit)

    def draw(screen: Screen) -> None:
        screen.table([((item.tag, "cyan"), f"{item.traces:,}") for item in found])
        if not found:
            screen.line(
                "No such tags." if prefix else "No tags yet. Contribute a trace, or run: commontrace quickstart"
            )

    answer(found, draw)


@command("link")
@click.argument("trace_id", metavar="ID", type=TRACE_ID)
@click.argument("kind", type=click.Choice(get_args(LinkKind)))
@click.argument("target", type=LINK_TARGET)
def link(trace_id: str, kind: LinkKind, target: str) -> None:
    """Link a trace to another trace, or (context_used, context_produced) to a context commit."""
    with open_client() as client:
        trace = client.traces.link(trace_id, kind, target)
    answer(trace, lambda screen: _links(screen, trace))


@command("unlink")
@click.argument("trace_id", metavar="ID", type=TRACE_ID)
@click.argument("kind", type=click.Choice(get_args(LinkKind)))
@click.argument("target", type=LINK_TARGET)
def unlink(trace_id: str, kind: LinkKind, target: str) -> None:
    """Take a link away."""
    with open_client() as client:
        trace = client.traces.unlink(trace_id, kind, _whole(client.traces.get(trace_id), kind, target))
    answer(trace, lambda screen: _links(screen, trace))


def _whole(trace: Trace, kind: LinkKind, target: str) -> str:
    """The target of the one link that the given digits begin, else the digits as they are."""
    found = [link.target for link in trace.links if link.kind == kind and link.target.startswith(target)]
    return found[0] if len(found) == 1 else target


def _links(screen: Screen, trace: Trace) -> None:
    screen.line((short(trace.trace_id), "bold cyan"), f"  {trace.content.title}")
    for item in trace.links:
        screen.line(f"{item.kind} {item.target}", indent=2)
    if not trace.links:
        screen.line("no links", indent=2)
