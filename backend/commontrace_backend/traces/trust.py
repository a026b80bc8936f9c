"""Outcomes to a standing: how far a version is proven, for the audience that asks. Pure.

The score is the lower bound of Wilson's score interval (E. B. Wilson, JASA 22, 1927) with z = 1.96: the share of
users it worked for that the evidence supports with 97.5 % confidence. It encodes the number of outcomes, so the
tiers are thresholds on it alone.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from math import sqrt
from typing import Final

from commontrace.models.traces import Standing, Tier, Visibility
from commontrace.models.votes import OutcomeKind

Z: Final = 1.96

POSITIVE: Final[frozenset[OutcomeKind]] = frozenset({"worked", "worked_with_changes"})

# Within one voice (a person, or in public an organization) the gravest outcome speaks.
_GRAVITY: Final[dict[OutcomeKind, int]] = {
    "unsafe": 4,
    "did_not_work": 3,
    "outdated": 2,
    "worked_with_changes": 1,
    "worked": 0,
}

EVIDENCE_WEIGHT: Final = 1.5
"""What a machine saw, against a claim's 1."""


@dataclass(frozen=True, slots=True)
class Thresholds:
    """Scores from which a tier is reached, and how many voices saying unsafe quarantine a version."""

    corroborated: float
    verified: float
    quarantine: int


THRESHOLDS: Final[dict[Visibility, Thresholds]] = {
    # One other person 0.21, three of three 0.44.
    "private": Thresholds(corroborated=0.20, verified=0.43, quarantine=2),
    "team": Thresholds(corroborated=0.20, verified=0.43, quarantine=2),
    # Two organizations of two 0.34, five of five 0.57.
    "public": Thresholds(corroborated=0.34, verified=0.56, quarantine=3),
}


@dataclass(frozen=True, slots=True)
class Outcome:
    """What happened to one contributor who used a version."""

    contributor_id: str
    tenant_id: str
    lineage_id: str
    kind: OutcomeKind
    self_report: bool
    evidence: bool


def wilson_lower_bound(positive: float, total: float) -> float:
    """The lower bound for `positive` of `total`, 0 for no evidence; both may be weighted sums."""
    if total <= 0:
        return 0.0
    share, z2 = positive / total, Z * Z
    spread = Z * sqrt((share * (1 - share) + z2 / (4 * total)) / total)
    # Rounding must not lift the bound above the share, nor put it below nothing.
    return min(share, max(0.0, (share + z2 / (2 * total) - spread) / (1 + z2 / total)))


def standing_of(outcomes: Iterable[Outcome], audience: Visibility, *, inherited: bool = False) -> Standing:
    """The standing of one version before an audience: people count in a team, organizations in public."""
    known = list(outcomes)
    counted = [outcome for outcome in known if not outcome.self_report]
    voices = _voices(counted, audience)
    weight = {voice: EVIDENCE_WEIGHT if voice.evidence else 1.0 for voice in voices}
    good = sum(weight[voice] for voice in voices if voice.kind in POSITIVE)
    score = wilson_lower_bound(good, sum(weight.values()))
    counts = {kind: sum(1 for voice in voices if voice.kind == kind) for kind in _GRAVITY}
    return Standing(
        tier=_tier(score, counts["unsafe"], THRESHOLDS[audience]),
        score=round(score, 4),
        people=len({outcome.contributor_id for outcome in counted}),
        organizations=len({outcome.tenant_id for outcome in counted}),
        self_reports=len(known) - len(counted),
        inherited=inherited,
        **counts,
    )


def _tier(score: float, unsafe: int, thresholds: Thresholds) -> Tier:
    if unsafe >= thresholds.quarantine:
        return "quarantined"
    if unsafe or score < thresholds.corroborated:
        return "unproven"
    return "verified" if score >= thresholds.verified else "corroborated"


def _voices(outcomes: list[Outcome], audience: Visibility) -> list[Outcome]:
    """One outcome a voice: each person in a team; in public one an organization, and one a lineage of invitations."""
    if audience != "public":
        return outcomes
    # The gravest speaks; among equals in a fixed order, so that no standing depends on the order rows are read in.
    ordered = sorted(
        outcomes,
        key=lambda voice: (-_GRAVITY[voice.kind], not voice.evidence, voice.lineage_id, voice.contributor_id),
    )
    organizations: dict[str, Outcome] = {}
    for voice in ordered:
        organizations.setdefault(voice.tenant_id, voice)
    lineages: dict[str, Outcome] = {}
    for voice in organizations.values():
        lineages.setdefault(voice.lineage_id, voice)
    return list(lineages.values())
