"""How what two branches said at once looks in a terminal."""

from collections.abc import Sequence
from itertools import takewhile
from typing import Final

from commontrace.cli.contexts.command import fitted, short
from commontrace.cli.contexts.show import SLOT
from commontrace.cli.output import Screen, document
from commontrace.models.contexts import ConflictInfo, ConflictValue

_LONGEST: Final = 400  # characters of a side
_BEFORE: Final = 4  # words that both sides say


def draw_conflicts(screen: Screen, conflicts: Sequence[ConflictInfo]) -> None:
    """Each with both sides, ours first; and how to settle it."""
    for conflict in conflicts:
        register = "" if conflict.register_name == conflict.kind else f" {conflict.register_name}"
        screen.line(("! ", "red"), (conflict.slot_id[:SLOT], "yellow"), f" {conflict.kind}", (register, "dim"))
        said = [_said(value) for value in conflict.values]
        for number, (value, words) in enumerate(zip(conflict.values, apart(said), strict=True)):
            side, style = ("ours  ", "green") if number == 0 else ("theirs", "blue")
            screen.table([((side, style), short(value.commit_id), fitted(words, _LONGEST))], indent=4, fit=True)
    if conflicts:
        one = conflicts[0].slot_id[:SLOT]
        screen.line((f"Settle: trace resolve {one}=theirs, or trace resolve --strategy ours for all", "dim"))


def apart(texts: Sequence[str]) -> list[str]:
    """Texts from a little before the word at which they part."""
    split = [text.split() for text in texts]
    same = takewhile(lambda words: len({*words}) == 1, zip(*split, strict=False))
    start = max(0, len(list(same)) - _BEFORE)
    return [f"{'… ' if start else ''}{' '.join(words[start:])}" for words in split]


def _said(value: ConflictValue) -> str:
    if value.text is not None:
        return " ".join(value.text.split())
    return document({"value": value.value}, indent=None)[len('{"value": ') : -1]
