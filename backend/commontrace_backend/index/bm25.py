"""Okapi BM25 over a handful of candidates, the same for every database. Pure.

Robertson and Zaragoza, "The Probabilistic Relevance Framework: BM25 and Beyond" (2009), with fields weighted before
saturation (BM25F) and the inverse document frequency that cannot become negative (Lucene's).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import log
from typing import Final

from commontrace_backend.index.protocol import Match

K1: Final = 1.2
B: Final = 0.75

WEIGHTS: Final = {"title": 4.0, "problem": 1.0, "solution": 1.0, "tags": 2.0, "errors": 2.0}
"""How much a word counts in each field: a title says most."""


@dataclass(frozen=True, slots=True)
class Term:
    """A word of a query with its stem; `weight` is its inverse document frequency times how much the asker leans on it.

    `shown` is how it is named in explanations, `documents` how many hold it, `added` says that it is another name
    and not the asker's own word.
    """

    shown: str
    stem: str
    weight: float
    documents: int
    added: bool = False


@dataclass(frozen=True, slots=True)
class Totals:
    """How many documents there are, and how many words they hold together."""

    documents: int
    words: int


def idf(frequency: int, documents: int) -> float:
    """Inverse document frequency, always positive; a word that no document holds weighs most."""
    return log(1 + max(0.0, documents - frequency + 0.5) / (frequency + 0.5)) or 1e-6


class Scorer:
    """Scores documents for one query; what only the query decides is counted once."""

    def __init__(self, terms: Sequence[Term], totals: Totals) -> None:
        asked = [term for term in terms if not term.added]
        self._terms = terms
        self._asked = len(asked)
        self._bound = (K1 + 1) * sum(term.weight for term in asked) or 1.0
        self._known = (K1 + 1) * sum(term.weight for term in asked if term.documents) or self._bound
        self._average = totals.words / max(totals.documents, 1) or 1.0

    def match(self, number: int, counts: Mapping[str, float], length: int) -> Match:
        """The score of a document with these weighted counts of stems and this many words."""
        norm = K1 * (1 - B + B * length / self._average)
        found = [(term, count) for term in self._terms if (count := counts.get(term.stem, 0.0))]
        score = sum([term.weight * count * (K1 + 1) / (count + norm) for term, count in found])
        return Match(
            number=number,
            score=score,
            share=score / self._known,
            coverage=score / self._bound,
            asked=self._asked,
            terms=tuple([term.shown for term, _ in found]),
            stems=frozenset(counts),
        )
