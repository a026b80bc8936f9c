"""Whether two contributions say the same. Pure."""

import re
from typing import Final

from commontrace.models.traces import TraceContent

NEAR_DUPLICATE: Final = 0.5
"""Share of three-word sequences in common from which two texts count as near-duplicates."""

_WORD: Final = re.compile(r"[^\W_]+")


def shingles(content: TraceContent) -> frozenset[tuple[str, ...]]:
    """The three-word sequences of title, problem and solution."""
    words = _WORD.findall(f"{content.title}\n{content.problem}\n{content.solution}".lower())
    return frozenset(zip(words, words[1:], words[2:], strict=False))


def similarity(one: TraceContent, other: TraceContent) -> float:
    """Jaccard's coefficient of the two sets of shingles, 0 to 1."""
    mine, theirs = shingles(one), shingles(other)
    union = len(mine | theirs)
    return len(mine & theirs) / union if union else 0.0
