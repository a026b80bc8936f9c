"""The order of commits, and where two histories part. Pure: commits are ids, and whoever calls knows their parents."""

from collections.abc import Callable, Iterable, Sequence
from typing import Final

ParentsOf = Callable[[str], Sequence[str]]

_OURS: Final = 1
_THEIRS: Final = 2
_BELOW_A_BASE: Final = 4


def parents_first(tips: Sequence[str], parents_of: ParentsOf) -> list[str]:
    """Every commit that leads to the tips, each once and after its parents, which keep their order."""
    done: dict[str, None] = {}
    waiting = [*reversed(tips)]
    while waiting:
        commit = waiting[-1]
        missing = [] if commit in done else [parent for parent in parents_of(commit) if parent not in done]
        if missing:
            waiting.extend(reversed(missing))
        else:
            done[waiting.pop()] = None
    return list(done)


class Divergence:
    """Which commits lead to one of two tips alone, and the best that lead to both.

    Feed it commits with `take`, children before parents, until it is `settled`; it asks for no more of the common
    history than it needs.

    Attributes:
        ours: what leads to our tip alone.
        theirs: what leads to their tip alone.
        bases: common ancestors that no other common ancestor descends from.
    """

    def __init__(self, ours: str, theirs: str) -> None:
        self.ours: list[str] = []
        self.theirs: list[str] = []
        self.bases: list[str] = []
        self._open = {ours: _OURS}
        self._mark(theirs, _THEIRS)

    def take(self, commit: str, parents: Iterable[str]) -> None:
        """Learn the parents of a commit; all of its children were taken before."""
        sides = self._open.pop(commit)
        if sides == _OURS:
            self.ours.append(commit)
        elif sides == _THEIRS:
            self.theirs.append(commit)
        elif sides == _OURS | _THEIRS:
            self.bases.append(commit)
            sides |= _BELOW_A_BASE
        for parent in parents:
            self._mark(parent, sides)

    def _mark(self, commit: str, sides: int) -> None:
        self._open[commit] = self._open.get(commit, 0) | sides

    @property
    def settled(self) -> bool:
        """Whether all that is still to come is common to both and lies below a base."""
        return all(sides & _BELOW_A_BASE for sides in self._open.values())
