"""How what two branches said at once looks in a terminal."""

from collections.abc import Sequence

from commontrace.cli.contexts.command import fitted, short
from commontrace.cli.contexts.show import SLOT
from commontrace.cli.output import Screen, document
from commontrace.models.contexts import ConflictInfo, ConflictValue


def draw_conflicts(screen: Screen, conflicts: Sequence[ConflictInfo]) -> None:
    """Each with both sides, ours first; and how to settle it."""
    for conflict in conflicts:
        kind = (f" {conflict.register_name}", "dim")
        screen.line(("! ", "red"), (conflict.slot_id[:SLOT], "yellow"), f" {conflict.kind}", kind)
        for number, value in enumerate(conflict.values):
            side, style = ("ours  ", "green") if number == 0 else ("theirs", "blue")
            screen.line((side, style), " ", short(value.commit_id), f"  {fitted(_said(value), 200)}", indent=4)
    if conflicts:
        one = conflicts[0].slot_id[:SLOT]
        screen.line((f"Settle: trace resolve {one}=theirs, or trace resolve --strategy ours for all", "dim"))


def _said(value: ConflictValue) -> str:
    if value.text is not None:
        return " ".join(value.text.split())
    return document({"value": value.value}, indent=None)[len('{"value": ') : -1]
