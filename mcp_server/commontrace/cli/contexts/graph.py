"""Branches and merges as lines beside a log. Pure."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Final

Line = list[tuple[str, str]]
"""Text with its style."""

_STYLES: Final = ("red", "green", "yellow", "blue", "magenta", "cyan")


@dataclass
class Graph:
    """Draws a history, children before parents.

    Attributes:
        lanes: the commits that are still to come, one for each line that is open, with their styles.
    """

    lanes: list[tuple[str, str]] = field(default_factory=list)
    _used: int = 0

    def commit(self, commit_id: str, parents: Sequence[str]) -> tuple[Line, list[Line]]:
        """What stands in front of a commit, and the lines that lead on from it."""
        if commit_id not in [waiting for waiting, _ in self.lanes]:
            self.lanes.append((commit_id, self._style()))
        place = [waiting for waiting, _ in self.lanes].index(commit_id)
        front: Line = []
        for number, (_, style) in enumerate(self.lanes):
            front += [("* ", "bold") if number == place else ("| ", style)]
        return front, [*self._fork(place, parents), *self._join()]

    def _style(self) -> str:
        self._used += 1
        return _STYLES[(self._used - 1) % len(_STYLES)]

    def _fork(self, place: int, parents: Sequence[str]) -> Iterator[Line]:
        """Let the lane of a commit go on to its parents."""
        if not parents:
            del self.lanes[place]
            if place < len(self.lanes):
                yield [*self._straight(place), (" ", ""), *self._slanted("/", place)]
            return
        self.lanes[place] = (parents[0], self.lanes[place][1])
        for parent in reversed(parents[1:]):
            line = [*self._straight(place), ("|", self.lanes[place][1])]
            self.lanes.insert(place + 1, (parent, self._style()))
            yield [*line, *self._slanted("\\", place + 1)]

    def _join(self) -> Iterator[Line]:
        """Lead lanes that wait for the same commit together."""
        while (pair := self._twice()) is not None:
            first, second = pair
            style = self.lanes[second][1]
            line = self._straight(first)
            for number in range(first, second):
                line += [("|", self.lanes[number][1]), ("/" if number == second - 1 else "_", style)]
            del self.lanes[second]
            yield [*line, *([(" ", "")] if second < len(self.lanes) else []), *self._slanted("/", second)]

    def _twice(self) -> tuple[int, int] | None:
        ids = [waiting for waiting, _ in self.lanes]
        return next(((ids.index(one), at) for at, one in enumerate(ids) if ids.index(one) < at), None)

    def _straight(self, end: int) -> Line:
        return [("| ", style) for _, style in self.lanes[:end]]

    def _slanted(self, sign: str, start: int) -> Line:
        return [part for _, style in self.lanes[start:] for part in ((" ", ""), (sign, style))][1:]
