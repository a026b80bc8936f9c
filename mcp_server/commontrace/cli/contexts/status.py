"""`trace status`: where writing goes on, and what the window there is made of."""

from typing import Final

import click

from commontrace.cli.contexts.command import context_command, open_repository, short, tokens
from commontrace.cli.contexts.conflicts import draw_conflicts
from commontrace.cli.output import Part, Screen, answer, counted
from commontrace.models.contexts import ContextStatus

_BAR: Final = 24  # cells


@context_command("status")
@click.option("--budget", type=click.IntRange(1), metavar="TOKENS", help="Say how much of this is left.")
def status(budget: int | None) -> None:
    """Where writing goes on: tokens by kind, what is hidden, what stands in conflict, what is left of a budget."""
    with open_repository() as repo:
        found = repo.status(budget)
    answer(found, lambda screen: _status(screen, found))


def _status(screen: Screen, found: ContextStatus) -> None:
    screen.line("On branch ", (found.branch, "bold green"), f" of {found.repository}")
    if found.claim:
        who = "you" if found.claim.yours else found.claim.contributor
        screen.line((f"Claimed by {who} until {found.claim.expires_at:%H:%M} UTC", "magenta"))
    if found.commit_id is None:
        screen.line("No commits yet: trace commit -m … --text …")
        return
    screen.line("at ", short(found.commit_id), f", {counted(found.messages, 'message')}, {tokens(found.tokens)}")
    screen.line()
    _shares(screen, "by role", found.by_role, found.tokens.tokens)
    kinds = found.by_type | ({f"{counted(found.tools, 'tool schema')}": found.tool_tokens} if found.tools else {})
    _shares(screen, "by type", kinds, found.tokens.tokens + found.tool_tokens)
    if found.hidden:
        said = ", ".join(f"{number:,} {why}" for why, number in found.hidden.items())
        screen.line((f"Not in the window: {said}", "dim"))
    if found.left is not None and found.budget is not None:
        _budget(screen, found.left, found.budget)
    if found.conflicts:
        screen.line((f"{counted(len(found.conflicts), 'conflict')} to settle with trace resolve:", "bold red"))
        draw_conflicts(screen, found.conflicts)


def _shares(screen: Screen, title: str, shares: dict[str, int], whole: int) -> None:
    screen.line((title, "bold"))
    rows: list[tuple[Part, ...]] = []
    for name, number in sorted(shares.items(), key=lambda item: -item[1]):
        part = number / whole if whole else 0
        rows.append((name, f"{number:,}".rjust(9), f"{part:4.0%}", (_bar(part), "cyan")))
    screen.table(rows, indent=2)


def _bar(part: float) -> str:
    return "█" * round(part * _BAR) or "▏"


def _budget(screen: Screen, left: int, budget: int) -> None:
    used = min(1.0, (budget - left) / budget)
    style = "red" if left < 0 else "green"
    said = f"{left:,} of {budget:,} tokens left" if left >= 0 else f"{-left:,} tokens over the budget of {budget:,}"
    screen.line("Budget ", ("█" * round(used * _BAR), style), ("░" * (_BAR - round(used * _BAR)), "dim"), f" {said}")
