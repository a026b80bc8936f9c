"""What need not be said twice: near-duplicates behind their best, and one lineage's public traces apart. Pure."""

from collections.abc import Mapping, Sequence
from typing import Final

from commontrace_backend.search.ranking import Candidate

ALIKE: Final = 0.9
"""Share of stems in common (Jaccard) from which two hits say the same."""

FIRST: Final = 5
"""How many hits a public lineage can open only once."""


def folded(ranking: Sequence[Candidate], stems: Mapping[int, frozenset[str]]) -> list[tuple[Candidate, list[int]]]:
    """The ranking without near-duplicates; each hit with the row numbers of those that it stands for.

    Two that fit the caller's versions differently are not the same, however alike their words.
    """
    kept: list[tuple[Candidate, list[int]]] = []
    for candidate in ranking:
        for better, behind in kept:
            if better.fit == candidate.fit and _alike(stems.get(better.number), stems.get(candidate.number)):
                behind.append(candidate.number)
                break
        else:
            kept.append((candidate, []))
    return kept


def _alike(one: frozenset[str] | None, other: frozenset[str] | None) -> bool:
    if not one or not other or min(len(one), len(other)) < ALIKE * max(len(one), len(other)):
        return False
    common = len(one & other)
    return common >= ALIKE * (len(one) + len(other) - common)


def spread(ranking: Sequence[Candidate]) -> list[Candidate]:
    """At most one public hit a lineage among the first five; the others follow after these, in order."""
    first: list[Candidate] = []
    later: list[Candidate] = []
    seen: set[str] = set()
    for candidate in ranking:
        public = candidate.visibility == "public"
        if len(first) < FIRST and not (public and candidate.lineage_id in seen):
            first.append(candidate)
            if public:
                seen.add(candidate.lineage_id)
        else:
            later.append(candidate)
    return [*first, *later]
