"""`trace diff`: what changes between two windows, message by message and line by line."""

from collections.abc import Iterable
from difflib import SequenceMatcher, unified_diff
from typing import Final

import click

from commontrace.cli.contexts.command import REF, context_command, delta, open_repository
from commontrace.cli.contexts.show import PRIORITIES, SLOT
from commontrace.cli.output import Part, Screen, answer
from commontrace.models.contexts import ContextDiff, DiffMessage

_SIGNS: Final = {
    "added": ("+", "green"),
    "removed": ("-", "red"),
    "edited": ("~", "yellow"),
    "moved": (">", "cyan"),
    "priority": ("!", "magenta"),
}
_LONG: Final = 4  # lines from which an edit is shown line by line


@context_command("diff")
@click.argument("refs", type=REF, nargs=-1, metavar="[A [B] | A..B]")
@click.option("--stat", is_flag=True, help="A line for each message, and the sums.")
def diff(refs: tuple[str, ...], stat: bool) -> None:
    """What has to change in the window at A (HEAD~1, unless you say) to get the one at B (HEAD)."""
    a, b = two_refs(refs)
    with open_repository() as repo:
        found = repo.diff(a, b)
    answer(found, lambda screen: _diff(screen, found, stat=stat))


def two_refs(refs: Iterable[str]) -> tuple[str, str]:
    """The two ends of `A`, `A B` or `A..B`."""
    given = list(refs) or ["HEAD~1"]
    if len(given) == 1:
        a, _, b = given[0].partition("..")
        return a or "HEAD", b or "HEAD"
    if len(given) > 2:  # noqa: PLR2004 - a window before and a window after
        raise click.UsageError("Give two refs, as A B or A..B.")
    return given[0], given[1]


def _diff(screen: Screen, found: ContextDiff, *, stat: bool) -> None:
    screen.line((f"--- {found.a}", "bold"))
    screen.line((f"+++ {found.b}", "bold"))
    if stat:
        screen.table([_row(change) for change in found.changes], fit=True)
    for change in found.changes if not stat else []:
        _change(screen, change)
    if not found.changes:
        screen.line(("The same window.", "dim"))
        return
    kinds = {kind: sum(change.change == kind for change in found.changes) for kind in _SIGNS}
    said = ", ".join(f"{number} {kind}" for kind, number in kinds.items() if number)
    tokens = f"{found.token_delta:+,} token{'' if abs(found.token_delta) == 1 else 's'}"
    screen.line(
        (f"{said.replace(' priority', ' with another priority')} · ", "dim"), (tokens, delta(found.token_delta)[1])
    )


def _row(change: DiffMessage) -> tuple[Part, ...]:
    sign, style = _SIGNS[change.change]
    return (
        (sign, style),
        (change.slot_id[:SLOT], "yellow"),
        _role(change),
        (f"{change.tokens:,}".rjust(7), "dim"),
        (" ".join(change.text[:200].split()), style if change.change in {"added", "removed"} else ""),
    )


def _role(change: DiffMessage) -> str:
    if change.role_before not in {None, change.role}:
        return f"{change.role_before} → {change.role}"
    return change.role


def _change(screen: Screen, change: DiffMessage) -> None:
    sign, style = _SIGNS[change.change]
    if change.change in {"added", "removed"}:
        for number, line in enumerate(change.text.split("\n")):
            screen.line((f"{sign} {f'{change.role}: ' if number == 0 else '  '}{line}", style))
        return
    slot: Part = (f" {change.slot_id[:SLOT]}", "yellow")
    if change.change == "edited":
        screen.line((f"{sign} {_role(change)}", style), slot, (" edited", style))
        _edit(screen, change.text_before or "", change.text)
        return
    said: Part = (" moved", style) if change.change == "moved" else (f" {change.priority}", PRIORITIES[change.priority])
    screen.line((f"{sign} {change.role}", style), slot, said, (f"  {' '.join(change.text[:60].split())}", "dim"))


def _edit(screen: Screen, before: str, after: str) -> None:
    """Words within a few lines, else lines."""
    if max(before.count("\n"), after.count("\n")) < _LONG:
        screen.line(*_words(before, after), indent=4)
        return
    for line in list(unified_diff(before.split("\n"), after.split("\n"), lineterm="", n=2))[2:]:
        screen.line((line, {"+": "green", "-": "red", "@": "cyan"}.get(line[:1], "")), indent=4)


def _words(before: str, after: str) -> list[Part]:
    """Both texts in one: what went in `[-…-]`, what came in `{+…+}`."""
    old, new = before.split(), after.split()
    parts: list[Part] = []
    for kind, a, b, c, d in SequenceMatcher(None, old, new, autojunk=False).get_opcodes():
        if kind == "equal":
            parts += [" ".join(old[a:b]), " "]
            continue
        if a < b:
            parts += [(f"[-{' '.join(old[a:b])}-]", "red"), " "]
        if c < d:
            parts += [(f"{{+{' '.join(new[c:d])}+}}", "green"), " "]
    return parts[:-1]
