"""`commontrace review`: what awaits a decision, and deciding it."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final, TypedDict, Unpack

import click

from commontrace.cli.command import Lazy, LazyGroup, command
from commontrace.cli.drawing import short
from commontrace.cli.listing import LIMIT, first
from commontrace.cli.output import Screen, answer, counted, joined
from commontrace.cli.state import open_client
from commontrace.models.reviews import ReviewDecision, ReviewItem
from commontrace.moments import parse_moment

if TYPE_CHECKING:
    from commontrace import Client

review: Final = LazyGroup(
    "review",
    {
        "Review": {
            "list": Lazy(__name__, "list_waiting", "What awaits a decision"),
            "approve": Lazy(__name__, "approve", "Serve it, publish it, accept it"),
            "reject": Lazy(__name__, "reject", "Withdraw it, or turn it down"),
            "restore": Lazy(__name__, "restore", "Bring a trace back, or undo a decision"),
            "reverse": Lazy(__name__, "reverse", "Take a burst back: traces, outcomes, flags"),
            "decisions": Lazy(__name__, "decisions", "Who decided what, when and why"),
        }
    },
    help="What awaits a decision. Needs a key with the scope admin.",
)


@command("list")
@LIMIT
def list_waiting(limit: int) -> None:
    """What awaits a decision, longest unchanged first."""
    with open_client() as client:
        found = first(client.reviews.waiting, limit)
    answer(found, lambda screen: _waiting(screen, found))


def _waiting(screen: Screen, found: list[ReviewItem]) -> None:
    if not found:
        screen.line("Nothing awaits a decision.")
    for item in found:
        screen.line((item.subject, "bold cyan"), "  ", (", ".join(item.causes), "yellow"), "  ", item.title)
        by = f"by {item.contributor.name} of {item.organization_name}"
        screen.line((joined([by, item.visibility, item.state, item.tier]), "dim"), indent=2)
        for said in item.notes:
            screen.line(said, indent=2)


def _decider(name: str, method: str, text: str) -> click.Command:
    @command(name)
    @click.argument("subject", metavar="ID")
    @click.option("--reason", required=True, help="Why; it stays on record.")
    def decide(subject: str, reason: str) -> None:
        _told(lambda client: getattr(client.reviews, method)(subject.lower(), reason))

    decide.help = text
    return decide


approve: Final = _decider("approve", "approve", "Serve a trace again, publish what is pending, or accept an amendment.")
reject: Final = _decider(
    "reject",
    "reject",
    "Withdraw a trace, or turn an amendment down. A proven trace of somebody else's takes a second reviewer.",
)
restore: Final = _decider("restore", "restore", "Bring a withdrawn trace back, or undo a decision by its id.")


def _told(ask: Callable[["Client"], ReviewDecision]) -> None:
    with open_client() as client:
        decision = ask(client)
    answer(decision, lambda screen: _decision(screen, decision))


def _decision(screen: Screen, decision: ReviewDecision) -> None:
    screen.line((decision.decision_id or "would be", "bold cyan"), f"  {decision.action} {short(decision.subject)}")
    changed = [
        counted(len(decision.traces), "trace") + " withdrawn" if decision.traces else "",
        counted(decision.outcomes, "outcome") + " left out" if decision.outcomes else "",
        counted(decision.flags, "flag") + " undone" if decision.flags else "",
        "" if decision.complete or not decision.decision_id else "waits for a second reviewer",
        f"undone {decision.undone_at:%Y-%m-%d}" if decision.undone_at else "",
    ]
    screen.line((joined([f"{decision.created_at:%Y-%m-%d}", decision.contributor.name, *changed]), "dim"), indent=2)
    screen.line(decision.reason, indent=2)


class Options(TypedDict):
    """Whose acts, since when."""

    contributor: str | None
    organization: str | None
    lineage: str | None
    since: str
    reason: str
    dry_run: bool


@command("reverse")
@click.option("--contributor", help="A contributor's id, or their name in your organization.")
@click.option("--organization", help="An organization's name.")
@click.option("--lineage", help="Everybody whose invitations lead to this contributor's id.")
@click.option("--since", required=True, help="As in 2026-05-01, 2026-05-01T12:00 or '2 hours ago'.")
@click.option("--reason", required=True, help="Why; it stays on record.")
@click.option("--dry-run", is_flag=True, help="Say what would be reversed.")
def reverse(**options: Unpack[Options]) -> None:
    """Take back what somebody published, reported and flagged since a moment.

    Traces are withdrawn, outcomes count for nothing, flags are undone. `commontrace review restore` undoes all of it.
    """
    given: dict[str, Any] = {**options, "since": parse_moment(options["since"], datetime.now(UTC))}
    _told(lambda client: client.reviews.reverse(**given))


@command("decisions")
@LIMIT
def decisions(limit: int) -> None:
    """What the reviewers of your organization decided, newest first."""
    with open_client() as client:
        found = first(client.reviews.decisions, limit)
    answer(found, lambda screen: _decided(screen, found))


def _decided(screen: Screen, found: list[ReviewDecision]) -> None:
    if not found:
        screen.line("Nothing was decided yet.")
    for decision in found:
        _decision(screen, decision)
