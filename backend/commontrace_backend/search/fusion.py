"""Words and vectors as one relevance. Pure.

A convex combination of scores beats ranks alone (Bruch, Gai and Ingber, "An Analysis of Fusion Functions for Hybrid
Retrieval", 2023). Here the cosine counts as it is, and words add to it by how far a document stands out from the
others: a word that ten documents share decides nothing.
"""

from collections.abc import Mapping, Sequence
from typing import Final

from commontrace_backend.index.protocol import Match

WORDS: Final = 0.55
"""What a document can gain by its words, against the cosine's 1."""

BACKGROUND: Final = 7
"""The document whose words count as the background: the seventh best."""


def fuse(matches: Sequence[Match], cosines: Mapping[int, float]) -> dict[int, float]:
    """The relevance of each document, about 0 to 1.5; `matches` best first.

    For a document that has no vector yet, what its words cover stands for the cosine.
    """
    background = matches[BACKGROUND - 1].share if len(matches) >= BACKGROUND else 0.0
    shares = {match.number: match.share for match in matches}
    words = {match.number: max(0.0, match.share - background) for match in matches}
    return {
        number: max(0.0, cosines.get(number, shares.get(number, 0.0))) + WORDS * words.get(number, 0.0)
        for number in [*words, *(number for number in cosines if number not in words)]
    }
