"""Whom an organization has reason to believe: a random walk with restart over who vouched for and confirmed whom. Pure.

Personalised PageRank (L. Page, S. Brin, R. Motwani, T. Winograd: The PageRank Citation Ranking, 1999; H. Tong,
C. Faloutsos, J.-Y. Pan: Fast Random Walk with Restart, ICDM 2006) from the viewer's organization and the pinned seeds,
with two changes that bound what invented organizations can win, however many there are:

- No edge carries more than `EDGE` (as in Advogato's capacities: R. Levien, Attack-resistant trust metrics, 2004). A
  group into which the others have g edges holds at most g × EDGE / (1 - DAMPING) of the walk, and a full voice takes
  EDGE of it: at most two voices an edge.
- Those who are reached through one organization only share its voice (as MeritRank discounts what arrives through one
  connection: B. Nasrulin, G. Ishmaev, J. Pouwelse, 2022). One edge into a group wins it no voice beside the one that
  let it in.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Final

DAMPING: Final = 0.5
"""Share of the walk that goes on at each step; the rest begins anew."""

EDGE: Final = 0.001
"""What an edge carries at most, where each root holds 1: five hundred organizations have room around a root."""

_FAINT: Final = 0.02
"""A voice below this is none."""

_SPENT: Final = 1e-4 * EDGE
"""Who holds less passes nothing on."""

_STEPS: Final = 40  # halving each time, the rest is nothing

Edges = Mapping[str, Mapping[str, float]]
"""Organization to the organizations that it vouches for or has confirmed, with positive weights."""


@dataclass(frozen=True, slots=True, eq=False)
class Trust:
    """How loud each organization's voice is to one viewer; two are the same only if they are one object.

    Attributes:
        voices: organization to 0…1; who is missing has none.
        branches: organization to the one through which alone it is known, or itself where several lead to it.
        viewer: whose it is; None for what everybody may assume: the seeds' own.
        everybody: whether an organization that is missing counts in full: where nothing is known about anyone.
    """

    voices: Mapping[str, float] = field(default_factory=dict)
    branches: Mapping[str, str] = field(default_factory=dict)
    viewer: str | None = None
    everybody: bool = False

    def voice(self, organization: str) -> float:
        """0 to 1."""
        return self.voices.get(organization, 1.0 if self.everybody else 0.0)

    def branch(self, organization: str) -> str:
        """Whose voice it shares; its own where it is known by several."""
        return self.branches.get(organization, organization)


EVERYBODY: Final = Trust(everybody=True)
"""Where nothing is known about organizations: each is a voice."""


def trust_of(edges: Edges, roots: Iterable[str], viewer: str | None = None) -> Trust:
    """Walk from the roots; the same edges and roots give the same trust, in whatever order they come."""
    start = sorted(set(roots))
    held = _walk(edges, start)
    voices = {name: min(1.0, mass / EDGE) for name, mass in held.items() if mass >= _FAINT * EDGE}
    return Trust(voices, _branches(edges, start, voices), viewer)


def _walk(edges: Edges, start: list[str]) -> dict[str, float]:
    """What each organization holds of the walk in the end."""
    shares = {source: _shares(targets) for source, targets in sorted(edges.items())}
    held = dict.fromkeys(start, 1.0)
    for _ in range(_STEPS):
        after = dict.fromkeys(start, 1.0)
        for source in sorted(name for name, mass in held.items() if mass > _SPENT):
            for target, share in shares.get(source, ()):
                flow = min(DAMPING * held[source] * share, EDGE)
                after[target] = after.get(target, 0.0) + flow
        if after == held:
            break
        held = after
    return held


def _shares(targets: Mapping[str, float]) -> list[tuple[str, float]]:
    total = sum(targets[target] for target in sorted(targets))
    return [(target, targets[target] / total) for target in sorted(targets) if targets[target] > 0]


def _branches(edges: Edges, start: list[str], voices: Mapping[str, float]) -> dict[str, str]:
    """For each organization the first one that every way to it passes: the start's child in the dominator tree.

    Immediate dominators after K. D. Cooper, T. J. Harvey, K. Kennedy: A Simple, Fast Dominance Algorithm, 2001. The
    roots are one here: number 0.
    """
    order = _ordered(edges, start, voices)
    number = dict.fromkeys(start, 0) | {name: place for place, name in enumerate(order, 1)}
    before: list[list[int]] = [[] for _ in range(len(order) + 1)]
    for source in number:
        for target in edges.get(source, ()):
            if number.get(target, 0):
                before[number[target]].append(number[source])
    above: dict[int, int] = {0: 0}
    changed = True
    while changed:
        changed = False
        for place in range(1, len(order) + 1):
            found = _common([one for one in before[place] if one in above], above)
            changed = changed or above.get(place) != found
            above[place] = found
    top = {0: 0}
    for place in range(1, len(order) + 1):  # whoever is above has the smaller number
        top[place] = top[above[place]] or place
    return {name: order[top[place] - 1] if place else name for name, place in number.items() if name in voices}


def _common(places: list[int], above: Mapping[int, int]) -> int:
    """The nearest one that all ways through these pass."""
    one, *others = places
    for other in others:
        while one != other:
            if one > other:
                one = above[one]
            else:
                other = above[other]  # noqa: PLW2901 - both climb until they meet
    return one


def _ordered(edges: Edges, start: list[str], voices: Mapping[str, float]) -> list[str]:
    """Those with a voice, without the roots, in the reverse of the order in which a search from these leaves them."""
    seen, left = set(start), []
    for root in start:
        path = [(root, iter(sorted(edges.get(root, ()))))]
        while path:
            name, targets = path[-1]
            after = next((target for target in targets if target in voices and target not in seen), None)
            if after is None:
                left.append(name)
                path.pop()
            else:
                seen.add(after)
                path.append((after, iter(sorted(edges.get(after, ())))))
    return [name for name in reversed(left) if name not in start]
