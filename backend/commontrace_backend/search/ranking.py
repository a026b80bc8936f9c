"""The order of hits: an exact error first, then relevance with small bounded priors. Pure."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from commontrace.models.search import Factor
from commontrace.models.traces import Standing, Visibility
from commontrace_backend.search.fit import Fit

SILENCE: Final = ((4, 0.50), (16, 0.13))
"""Share of the query's weight that a hit must cover, by the number of words asked; between the two, in proportion.

A short question names its subject; a long account of a problem has many words that no answer repeats.
"""

STANDING_PRIOR: Final = 0.10
"""How far outcomes can move a hit, up or down; no outcomes leave it where relevance put it."""

FIT_PRIOR: Final = 0.05
"""How far versions that fit, or do not, can move a hit."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """A trace that may answer a query, with all that its place depends on."""

    number: int
    exact: bool
    relevance: float  # BM25 over the best BM25 of this query: 0 to 1
    coverage: float
    asked: int
    standing: Standing
    visibility: Visibility
    fit: Fit
    updated_at: datetime

    @property
    def unproven_public(self) -> bool:
        """Nobody independent has confirmed it, and anybody could have written it."""
        return self.visibility == "public" and self.standing.tier in {"unproven", "quarantined"}

    def factors(self) -> list[Factor]:
        """Every part of the score with its size; the score is their product."""
        return [
            Factor(
                name="relevance",
                value=self.relevance,
                reason=f"covers {self.coverage:.0%} of the query's weight",
            ),
            Factor(
                name="standing",
                value=1 + STANDING_PRIOR * _track_record(self.standing),
                reason=self.standing.tier,
            ),
            Factor(name="fit", value=1 + FIT_PRIOR * self.fit.value, reason=self.fit.reason),
        ]

    @property
    def score(self) -> float:
        """0 to 1.155."""
        product = 1.0
        for factor in self.factors():
            product *= factor.value
        return product


def _track_record(standing: Standing) -> float:
    """-1 to 1: the Wilson lower bound where it mostly worked, the share of failures where it mostly did not."""
    good = standing.worked + standing.worked_with_changes
    bad = standing.did_not_work + standing.outdated + standing.unsafe
    return -bad / (good + bad + 1) if bad > good else standing.score


def ranked(candidates: Iterable[Candidate]) -> list[Candidate]:
    """Unproven public ones last; in each class exact errors first, then score, then the newer, then a fixed order."""
    return sorted(
        candidates,
        key=lambda item: (
            item.unproven_public,
            not item.exact,
            -item.score,
            -item.updated_at.timestamp(),
            item.number,
        ),
    )


def good_enough(candidate: Candidate) -> bool:
    """Whether a hit says enough about the query to be shown at all."""
    return candidate.exact or candidate.coverage >= threshold(candidate.asked)


def threshold(asked: int) -> float:
    """The share that a hit must cover for a query of so many words."""
    (few, high), (many, low) = SILENCE
    position = min(max(asked, few), many)
    return high + (low - high) * (position - few) / (many - few)
