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

    Commits stand in chains, each the only child in its chain of the one before it. Of every commit is known how far up
    each chain lead there (a vector clock), which is shared along a chain until it merges: so the answer takes no walk.

    Args:
        parents: the parents of each known commit, parents first.
        root: a commit before them that all unknown commits lead to.
    """

    def __init__(self, parents: Mapping[str, Sequence[str]], root: str) -> None:
        self._parents = parents
        self._root = root
        chain = [root, *parents]
        self._line = all([*parents[after]] in ([before], []) for before, after in pairwise(chain))
        self._seats: dict[str, tuple[int, int]] = {}
        self._clocks: dict[str, Mapping[int, int]] = {}
        self._ends: list[str] = []

    def _seat_all(self) -> None:
        self._seat(self._root, ())
        for commit, its_parents in self._parents.items():
            for unknown in its_parents:
                if unknown not in self._seats:
                    self._seat(unknown, ())
            self._seat(commit, its_parents)

    def _seat(self, commit: str, parents: Sequence[str]) -> None:
        before = next((one for one in parents if self._ends[self._seats[one][0]] == one), None)
        if before is None:
            self._ends.append(commit)
            self._seats[commit] = len(self._ends) - 1, 0
        else:
            chain, place = self._seats[before]
            self._ends[chain] = commit
            self._seats[commit] = chain, place + 1
        self._clocks[commit] = self._clocks[before] if before and len(parents) == 1 else self._clock(parents)

    def _clock(self, parents: Sequence[str]) -> dict[int, int]:
        found: dict[int, int] = {}
        for parent in parents:
            for chain, place in (*self._clocks[parent].items(), self._seats[parent]):
                found[chain] = max(place, found.get(chain, -1))
        return found

    def leads(self, ancestor: str, commit: str) -> bool:
        """Whether a commit is the other one, or leads to it; raises IncompleteHistory."""
        if self._line or ancestor == commit:
            return True
        if not self._seats:
            self._seat_all()
        if self._before(ancestor, commit):
            return True
        if ancestor in self._parents:
            return False
        if self._before(self._root, commit):
            return True
        raise IncompleteHistory

    def _before(self, ancestor: str, commit: str) -> bool:
        chain, place = self._seats.get(ancestor, (-1, 0))
        own, own_place = self._seats[commit]
        return place < own_place if chain == own else self._clocks[commit].get(chain, -1) >= place
