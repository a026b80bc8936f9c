"""The order of hits: an exact error first, then relevance with small bounded priors; and when to say nothing. Pure."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from commontrace.models.search import Factor
from commontrace.models.traces import Standing, Visibility
from commontrace_backend.search.fit import Fit

ENOUGH: Final = ((6, 0.57), (20, 0.50))
"""Relevance from which a hit is shown where meaning and words were weighed together, by how many words were asked.

Between the two, in proportion: a short question names its subject; a long account of a problem has many words that no
answer repeats, and a meaning that no answer has whole.
"""

ENOUGH_WORDS: Final = ((6, 0.29), (20, 0.145))
"""The same where words alone serve: the share of the query's weight that a hit must cover."""

STANDING_PRIOR: Final = 0.10
"""How far outcomes can move a hit, up or down; no outcomes leave it where relevance put it."""

AUTHOR_PRIOR: Final = 0.05
"""How far a public hit can fall whose author's organization the viewer does not know."""

FIT_PRIOR: Final = 0.05
"""How far versions that fit, or do not, can move a hit."""

FRESHNESS_PRIOR: Final = 0.02
"""How far age can move a hit down."""

_MONTH: Final = 30
_HALF: Final = 24  # months after which half of the freshness is gone


@dataclass(frozen=True, slots=True)
class Evidence:
    """What speaks for a hit before any history is looked at.

    `relevance` is about 0 to 1.5; `coverage` the share of the query's weight that its words cover, `asked` how many
    words that were; `similarity` the cosine between query and trace, None where no vector was compared.
    """

    relevance: float
    coverage: float = 0.0
    asked: int = 0
    terms: tuple[str, ...] = ()
    similarity: float | None = None

    def said(self) -> str:
        """The evidence in words."""
        meaning = [] if self.similarity is None else [f"similarity {self.similarity:.2f}"]
        words = [f"{', '.join(self.terms[:6])} ({self.coverage:.0%} of the query's weight)"] if self.terms else []
        return "; ".join([*meaning, *words])


@dataclass(frozen=True, slots=True)
class Candidate:
    """A trace that may answer a query, with all that its place depends on."""

    number: int
    exact: bool
    evidence: Evidence
    standing: Standing
    visibility: Visibility
    lineage_id: str
    fit: Fit
    updated_at: datetime
    months: int  # since it was changed
    author: float = 1.0  # how far the viewer trusts the organization that wrote it

    @property
    def unproven_public(self) -> bool:
        """Nobody that the viewer knows has confirmed it, and anybody could have written it."""
        return self.visibility == "public" and self.standing.tier in {"unproven", "quarantined"}

    @property
    def score(self) -> float:
        """About 0 to 1.7: the product of relevance and the priors."""
        return self._relevance * self._standing * self._author * self._fit * self._freshness

    def factors(self) -> list[Factor]:
        """Every part of the score with its size; the score is their product."""
        said = "; ".join(part for part in ("exactly this error" * self.exact, self.evidence.said()) if part)
        return [
            Factor(name="relevance", value=self._relevance, reason=said),
            Factor(name="standing", value=self._standing, reason=_numbers(self.standing)),
            *self._said_of_author(),
            Factor(name="fit", value=self._fit, reason=self.fit.reason),
            Factor(name="freshness", value=self._freshness, reason=f"changed {self.updated_at:%Y-%m-%d}"),
        ]

    @property
    def _relevance(self) -> float:
        return max(1.0, self.evidence.relevance) if self.exact else self.evidence.relevance

    @property
    def _standing(self) -> float:
        return 1 + STANDING_PRIOR * _track_record(self.standing)

    @property
    def _author(self) -> float:
        return 1 - AUTHOR_PRIOR * (1 - self.author)

    def _said_of_author(self) -> list[Factor]:
        if self.visibility != "public":
            return []
        return [Factor(name="author", value=self._author, reason=f"their organization is trusted {self.author:.0%}")]

    @property
    def _fit(self) -> float:
        return 1 + FIT_PRIOR * self.fit.value

    @property
    def _freshness(self) -> float:
        kept: float = 0.5 ** (self.months / _HALF)
        return 1 - FRESHNESS_PRIOR * (1 - kept)


def months_since(changed: datetime, now: datetime) -> int:
    """Whole months of thirty days; what is younger than one is all equally fresh."""
    return max(0, (now - changed).days) // _MONTH


def _track_record(standing: Standing) -> float:
    """-1 to 1: the Wilson lower bound where it mostly worked, the share of failures where it mostly did not."""
    good = standing.worked + standing.worked_with_changes
    bad = standing.did_not_work + standing.outdated + standing.unsafe
    return -bad / (good + bad + 1) if bad > good else standing.score


def _numbers(standing: Standing) -> str:
    good = standing.worked + standing.worked_with_changes
    bad = standing.did_not_work + standing.outdated + standing.unsafe
    return f"{standing.tier}: worked {good}, failed {bad}" if good or bad else standing.tier


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
    evidence = candidate.evidence
    if candidate.exact:
        return True
    if evidence.similarity is not None:
        return evidence.relevance >= threshold(ENOUGH, evidence.asked)
    return evidence.coverage >= threshold(ENOUGH_WORDS, evidence.asked)


def threshold(between: tuple[tuple[int, float], tuple[int, float]], asked: int) -> float:
    """What a hit must reach for a query of so many words."""
    (few, high), (many, low) = between
    position = min(max(asked, few), many)
    return high + (low - high) * (position - few) / (many - few)
