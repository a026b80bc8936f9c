"""`trace show`, `slot`: the window at a ref, and everything that was done to one of its messages."""

from typing import Final, TypedDict, Unpack, get_args

import click

from commontrace.cli.contexts.command import REF, context_command, fitted, open_repository, short, slot_id, tokens
from commontrace.cli.output import Part, Screen, answer, counted, document
from commontrace.models.contexts import Explain, SlotHistory, SlotVersion, Window, WindowFormat, WindowStrategy

SLOT: Final = 8
"""Digits of a slot that are shown."""

PRIORITIES: Final = {"pinned": "bold magenta", "important": "cyan", "skip": "dim", "normal": ""}
"""The style of each priority."""

_TIERS: Final = {"whole": ("in", "green"), "shortened": ("short", "yellow"), "line": ("line", "yellow")}


class ShowOptions(TypedDict):
    """What showing a window can be told."""

    budget: int | None
    reserve: int
    strategy: WindowStrategy
    format: WindowFormat


@context_command("show")
@click.argument("ref", type=REF, default="HEAD")
@click.option("--budget", type=click.IntRange(1, 10_000_000), help="The most tokens it may have, answer included.")
@click.option("--reserve", type=click.IntRange(0), default=0, help="Tokens of those that are left for the answer.")
@click.option(
    "--strategy",
    type=click.Choice(get_args(WindowStrategy)),
    default="recent",
    show_default=True,
    help="What a budget does: refuse, leave out the oldest, or show older messages shortened or as a line.",
)
@click.option("--format", type=click.Choice(get_args(WindowFormat)), default="text", show_default=True)
@click.option("--explain", is_flag=True, help="A line for each message: place, slot, and why it is in or out.")
@click.option("--all", "hidden", is_flag=True, help="With --explain, also what is removed, skipped or summarised.")
def show(ref: str, hidden: bool, explain: bool, **options: Unpack[ShowOptions]) -> None:
    """The window at REF: as text, or as the messages that a provider takes."""
    why: Explain = "all" if explain and hidden else explain
    with open_repository() as repo:
        window = repo.window(ref, explain=why, **options)
    answer(window, lambda screen: _window(screen, window, places=not hidden))


def _window(screen: Screen, window: Window, *, places: bool) -> None:
    if window.explanation:
        _explained(screen, window, places=places)
    elif window.messages is None:
        screen.block(window.text or "")
    else:
        shaped = {"system": window.system} if window.system else {}
        click.echo(document({**shaped, "messages": window.messages}))
    if window.left_out and not window.explanation:
        left = f"{counted(window.left_out, 'message')} left out, {counted(window.included, 'message')} fit"
        Screen(stderr=True).line((f"{left} in {tokens(window.tokens)}; --explain says why.", "dim"))


def _explained(screen: Screen, window: Window, *, places: bool) -> None:
    rows: list[tuple[Part, ...]] = [
        (
            (str(place), "dim"),
            (item.slot_id[:SLOT], "yellow"),
            _TIERS.get(item.tier, ("out", "red")),
            (f"{item.tokens:,}".rjust(7), ""),
            item.role,
            ("" if item.reason == "fits" else item.reason, PRIORITIES[item.priority]),
            item.begins,
        )
        for place, item in enumerate(window.explanation)
    ]
    screen.table(rows if places else [row[1:] for row in rows], fit=True)
    said = f"{counted(window.included, 'message')} in, {window.left_out:,} out, {tokens(window.tokens)}"
    screen.line((f"{said}, state {window.state_id[:12]}", "dim"))


@context_command("slot")
@click.argument("slot")
@click.argument("ref", type=REF, default="HEAD")
def slot(slot: str, ref: str) -> None:
    """Everything that was done to a message on the way to REF, oldest first; SLOT may be its place in the window."""
    with open_repository() as repo:
        found = repo.slot(slot_id(repo, slot), ref)
    answer(found, lambda screen: _history(screen, found))


def _history(screen: Screen, found: SlotHistory) -> None:
    where: Part = ("in the window", "green") if found.shown else (_why(found.hidden_by or ""), "red")
    priority: Part = (f"  {found.priority}", PRIORITIES[found.priority])
    screen.line("slot ", (found.slot_id, "yellow"), "  ", where, priority)
    for version in found.versions:
        number = f"v{version.version}" if version.version is not None else ""
        by = version.agent or version.author[:SLOT]
        screen.line(
            short(version.commit_id), f" {number:<3} ", (version.kind, "bold"), f" {version.about}", (f" · {by}", "dim")
        )
        screen.block(_said(version), indent=4)


def _why(reason: str) -> str:
    return reason if reason in {"removed", "skipped", "expanded"} else f"summarised by {reason[:SLOT]}"


def _said(version: SlotVersion) -> str:
    if version.text is not None:
        return "\n".join(fitted(line, 500) for line in version.text.split("\n")[:20])
    return document(version.value, indent=None) if isinstance(version.value, dict) else ""
