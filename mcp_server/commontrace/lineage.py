"""Which of two versions is the newer one, by what came after what. Pure."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Literal

Relation = Literal["same", "ahead", "behind", "diverged"]


def relation(after: Mapping[str, Iterable[str]], theirs: str, ours: str) -> Relation:
    """How their version stands to ours: ahead of it, behind it, the same, or neither.

    Args:
        after: for each version those that it came after: its parent, and what it was decided for against.
        theirs: a version.
        ours: another one.
    """
    if theirs == ours:
        return "same"
    ahead, behind = ours in ancestors(after, theirs), theirs in ancestors(after, ours)
    if ahead == behind:  # neither, or each was decided for against the other
        return "diverged"
    return "ahead" if ahead else "behind"


def in_order(after: Mapping[str, Iterable[str]]) -> list[str]:
    """The versions, each behind those that it came after, as far as they do not go round in a circle."""
    placed: list[str] = []
    left = {one: {*olders} & after.keys() - {one} for one, olders in after.items()}
    while left:
        ready = [one for one, olders in left.items() if not olders] or [next(iter(left))]
        for one in ready:
            del left[one]
        for olders in left.values():
            olders.difference_update(ready)
        placed += ready
    return placed


def newest(versions: Sequence[str], most: int, served: str) -> list[str]:
    """The last of some versions that stand oldest first, as many as may travel; the one that is served among them."""
    chosen = versions[-most:]
    return [*chosen] if served in chosen else [served, *chosen[1:]]


def ancestors(after: Mapping[str, Iterable[str]], newest: str) -> set[str]:
    """A version with all that it came after."""
    seen, waiting = set[str](), [newest]
    while waiting:
        one = waiting.pop()
        if one not in seen:
            seen.add(one)
            waiting.extend(after.get(one, ()))
    return seen
