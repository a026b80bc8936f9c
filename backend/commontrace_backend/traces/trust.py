"""Outcomes to a standing: how far a version is proven, for the audience that asks. Pure.

In a team people count, in public organizations: one voice each, one for all that one lineage of invitations holds, one
for all that are known through a single other one; and each only as loud as whoever asks trusts it (`walk`). What cannot
be trusted that far moves nothing: it is counted apart, so that somebody may look.

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
from commontrace_backend.traces.walk import EVERYBODY, Trust

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

EVIDENCE_WEIGHT: Final[dict[Visibility, float]] = {"private": 1.5, "team": 1.5, "public": 1.15}
"""What a machine saw, against a claim's 1: among strangers, who may write what they like, no more than that five such
voices weigh less than six without."""


@dataclass(frozen=True, slots=True)
class Thresholds:
    """Scores from which a tier is reached, and how many full voices saying unsafe quarantine a version."""

    corroborated: float
    verified: float
    quarantine: int


DOUBT: Final = 0.5
"""How much of a voice must say unsafe to end a tier."""

THRESHOLDS: Final[dict[Visibility, Thresholds]] = {
    # One other person 0.21, three of three 0.44.
    "private": Thresholds(corroborated=0.20, verified=0.43, quarantine=2),
    "team": Thresholds(corroborated=0.20, verified=0.43, quarantine=2),
    # Two organizations of two 0.34, five of five 0.57.
    "public": Thresholds(corroborated=0.34, verified=0.56, quarantine=3),
}


@dataclass(frozen=True, slots=True)
class Outcome:
    """What happened to one contributor who used a version.

    Attributes:
        self_report: on one's own version.
        insider: by the organization or the lineage of whoever wrote the version or the trace.
        discounted: marked as part of a burst, or by a reviewer.
    """

    contributor_id: str
    tenant_id: str
    lineage_id: str
    kind: OutcomeKind
    self_report: bool
    evidence: bool
    insider: bool = False
    discounted: bool = False


def wilson_lower_bound(positive: float, total: float) -> float:
    """The lower bound for `positive` of `total`, 0 for no evidence; both may be weighted sums."""
    if total <= 0:
        return 0.0
    share, z2 = positive / total, Z * Z
    spread = Z * sqrt((share * (1 - share) + z2 / (4 * total)) / total)
    # Rounding must not lift the bound above the share, nor put it below nothing.
    return min(share, max(0.0, (share + z2 / (2 * total) - spread) / (1 + z2 / total)))


def standing_of(
    outcomes: Iterable[Outcome], audience: Visibility, *, inherited: bool = False, trust: Trust = EVERYBODY
) -> Standing:
    """The standing of one version before an audience: people count in a team, organizations in public.

    What the viewer's own people report on a public version counts for them as in a team, where that says more.
    """
    known = list(outcomes)
    standing = _standing(known, audience, trust, inherited=inherited)
    own = [outcome for outcome in known if outcome.tenant_id == trust.viewer and not outcome.insider]
    if audience != "public" or not own or standing.tier == "quarantined":
        return standing
    ours = _standing(own, "team", trust, inherited=inherited)
    if ours.tier == "quarantined" or (
        _PROVEN.get(ours.tier, 0) > _PROVEN.get(standing.tier, 0) and not standing.unsafe
    ):
        return standing.model_copy(update={"tier": ours.tier, "score": ours.score})
    return standing


_PROVEN: Final[dict[Tier, int]] = {"corroborated": 1, "verified": 2}


def _standing(known: list[Outcome], audience: Visibility, trust: Trust, *, inherited: bool) -> Standing:
    counted = [outcome for outcome in known if _counts(outcome, audience, trust)]
    quiet = [outcome for outcome in known if not outcome.self_report and outcome not in counted]
    voices = {voice: _loudness(voice, audience, trust) for voice in _voices(counted, audience, trust)}
    weights = {voice: loud * (EVIDENCE_WEIGHT[audience] if voice.evidence else 1.0) for voice, loud in voices.items()}
    score = wilson_lower_bound(_sum(weights, POSITIVE), sum(sorted(weights.values())))
    return Standing(
        tier=_tier(score, _sum(voices, {"unsafe"}), THRESHOLDS[audience]),
        score=round(score, 4),
        people=len({outcome.contributor_id for outcome in counted}),
        organizations=len({outcome.tenant_id for outcome in counted}),
        self_reports=sum(outcome.self_report for outcome in known),
        uncounted=len(quiet),
        disputed=sum(outcome.kind not in POSITIVE for outcome in quiet),
        inherited=inherited,
        **{kind: sum(1 for voice in voices if voice.kind == kind) for kind in _GRAVITY},
    )


def _sum(weights: dict[Outcome, float], kinds: Iterable[OutcomeKind]) -> float:
    # In one order, whatever order the rows came in: floating-point sums depend on it.
    return sum(sorted(weight for voice, weight in weights.items() if voice.kind in kinds))


def _counts(outcome: Outcome, audience: Visibility, trust: Trust) -> bool:
    """Whether an outcome may move a standing: in public by whom the viewer knows, and praise by outsiders only."""
    if outcome.self_report or outcome.discounted:
        return False
    praised_at_home = outcome.insider and outcome.kind in POSITIVE
    return audience != "public" or (trust.voice(outcome.tenant_id) > 0 and not praised_at_home)


def _loudness(voice: Outcome, audience: Visibility, trust: Trust) -> float:
    return trust.voice(voice.tenant_id) if audience == "public" else 1.0


def _tier(score: float, unsafe: float, thresholds: Thresholds) -> Tier:
    if unsafe >= thresholds.quarantine:
        return "quarantined"
    if unsafe >= DOUBT or score < thresholds.corroborated:
        return "unproven"
    return "verified" if score >= thresholds.verified else "corroborated"


def _voices(outcomes: list[Outcome], audience: Visibility, trust: Trust) -> list[Outcome]:
    """One outcome a voice: each person in a team; in public one an organization, a lineage and a branch of trust."""
    if audience != "public":
        return outcomes
    # The best known speaks, of an organization the gravest; among equals in a fixed order, so that no standing
    # depends on the order rows are read in.
    voices = sorted(
        outcomes,
        key=lambda one: (
            -trust.voice(one.tenant_id),
            -_GRAVITY[one.kind],
            not one.evidence,
            one.lineage_id,
            one.contributor_id,
        ),
    )
    for shared in (_organization, _lineage, lambda one: trust.branch(one.tenant_id)):
        first: dict[str, Outcome] = {}
        for voice in voices:
            first.setdefault(shared(voice), voice)
        voices = list(first.values())
    return voices


def independent(accounts: Iterable[tuple[str, str]], trust: Trust) -> int:
    """How many of these (organization, lineage) are known well and not through one another."""
    known = sorted(
        (-trust.voice(tenant), tenant, lineage, trust.branch(tenant))
        for tenant, lineage in set(accounts)
        if trust.voice(tenant) >= DOUBT
    )
    for part in (1, 2, 3):
        first: dict[str, tuple[float, str, str, str]] = {}
        for account in known:
            first.setdefault(str(account[part]), account)
        known = list(first.values())
    return len(known)


def _organization(voice: Outcome) -> str:
    return voice.tenant_id


def _lineage(voice: Outcome) -> str:
    return voice.lineage_id
