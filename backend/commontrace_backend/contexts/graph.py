"""The order of commits, and where two histories part. Pure: commits are ids, and whoever calls knows their parents."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import pairwise
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


class IncompleteHistory(Exception):  # noqa: N818 - not an error: more has to be read
    """What was asked cannot be told from the commits that are known."""


class Ancestry:
    """Which commit leads to which.

    Args:
        parents: the parents of each known commit, parents first.
        root: a commit before them that all unknown commits lead to.
    """

    def __init__(self, parents: Mapping[str, Sequence[str]], root: str) -> None:
        self._parents = parents
        self._root = root
        chain = [root, *parents]
        self._line = all([*parents[after]] in ([before], []) for before, after in pairwise(chain))
        self._last = ("", set[str]())

    def leads(self, ancestor: str, commit: str) -> bool:
        """Whether a commit is the other one, or leads to it; raises IncompleteHistory."""
        if self._line or ancestor == commit:
            return True
        if self._last[0] != commit:
            self._last = commit, self._before(commit)
        found = self._last[1]
        if ancestor in found or ancestor in self._parents:
            return ancestor in found
        if self._root in found:
            return True
        raise IncompleteHistory

    def _before(self, commit: str) -> set[str]:
        found, waiting = set[str](), [commit]
        while waiting:
            for parent in self._parents.get(waiting.pop(), ()):
                if parent not in found:
                    found.add(parent)
                    waiting.append(parent)
        return found
