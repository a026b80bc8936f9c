"""Outcomes to a standing: the Wilson bound, voices per audience, tiers."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from commontrace.models.traces import Visibility
from commontrace.models.votes import OutcomeKind
from commontrace_backend.traces.trust import THRESHOLDS, Outcome, standing_of, wilson_lower_bound

pytestmark = pytest.mark.both_databases

AUDIENCES: list[Visibility] = ["private", "team", "public"]


def outcome(
    kind: OutcomeKind = "worked",
    *,
    person: str = "ann",
    organization: str = "acme",
    lineage: str | None = None,
    own: bool = False,
    evidence: bool = False,
) -> Outcome:
    return Outcome(person, organization, lineage or person, kind, own, evidence)


@pytest.mark.parametrize(
    ("positive", "total", "bound"),
    # From the closed form of Wilson's interval with z = 1.96, worked by hand to four places.
    [
        (0, 0, 0.0), (1, 1, 0.2065), (0, 1, 0.0), (2, 2, 0.3424), (3, 3, 0.4385), (5, 5, 0.5655), (10, 10, 0.7225),
        (5, 10, 0.2366), (9, 10, 0.5958), (90, 100, 0.8256), (0, 100, 0.0), (100, 100, 0.9630),
    ],
)  # fmt: skip
def test_the_wilson_bound_has_its_known_values(positive: int, total: int, bound: float) -> None:
    assert wilson_lower_bound(positive, total) == pytest.approx(bound, abs=5e-5)


@given(st.integers(0, 10_000), st.integers(1, 10_000))
def test_the_bound_lies_between_nothing_and_the_share_itself(positive: int, more: int) -> None:
    total = positive + more
    assert 0 <= wilson_lower_bound(positive, total) <= positive / total


@given(st.integers(0, 500), st.integers(0, 500))
def test_another_success_raises_the_bound_and_another_failure_never_does(good: int, bad: int) -> None:
    now = wilson_lower_bound(good, good + bad)
    assert wilson_lower_bound(good + 1, good + bad + 1) > now
    assert wilson_lower_bound(good, good + bad + 1) <= now + 1e-12


@given(st.integers(1, 300))
def test_the_same_share_counts_for_more_with_more_evidence(number: int) -> None:
    assert wilson_lower_bound(2 * number, 2 * number) > wilson_lower_bound(number, number)


@pytest.mark.parametrize("audience", AUDIENCES)
def test_without_outcomes_a_version_is_unproven(audience: Visibility) -> None:
    standing = standing_of([], audience)
    assert (standing.tier, standing.score, standing.people) == ("unproven", 0.0, 0)


def test_in_a_team_each_person_is_a_voice() -> None:
    tiers = [standing_of([outcome(person=str(n)) for n in range(count)], "team").tier for count in range(4)]
    assert tiers == ["unproven", "corroborated", "corroborated", "verified"]


def test_in_public_each_organization_is_a_voice() -> None:
    one = [outcome(person=str(n)) for n in range(9)]
    assert standing_of(one, "public").tier == "unproven"
    many = [outcome(person=str(n), organization=str(n)) for n in range(5)]
    assert [standing_of(many[:count], "public").tier for count in (1, 2, 5)] == ["unproven", "corroborated", "verified"]


def test_in_public_a_lineage_of_invitations_is_one_voice() -> None:
    guests = [outcome(person=str(n), organization=str(n), lineage="eve") for n in range(9)]
    standing = standing_of(guests, "public")
    assert (standing.tier, standing.worked, standing.people, standing.organizations) == ("unproven", 1, 9, 9)


@pytest.mark.parametrize("audience", AUDIENCES)
def test_ones_own_outcomes_are_counted_apart_and_move_nothing(audience: Visibility) -> None:
    own = [outcome(person="me", own=True), outcome("unsafe", person="me too", own=True)]
    standing = standing_of(own, audience)
    assert (standing.tier, standing.score, standing.self_reports, standing.people) == ("unproven", 0.0, 2, 0)


def test_one_unsafe_voice_ends_a_tier_and_enough_of_them_quarantine() -> None:
    good = [outcome(person=str(n)) for n in range(9)]
    bad = [outcome("unsafe", person=f"bad {n}", organization=f"bad {n}") for n in range(3)]
    assert standing_of([*good, bad[0]], "team").tier == "unproven"
    assert standing_of([*good, *bad[:2]], "team").tier == "quarantined"
    assert standing_of(bad[:2], "public").tier == "unproven"
    assert standing_of(bad, "public").tier == "quarantined"


def test_an_organization_speaks_by_its_gravest_outcome() -> None:
    mixed = [outcome(person="a"), outcome("outdated", person="b"), outcome("did_not_work", person="c")]
    standing = standing_of(mixed, "public")
    assert (standing.worked, standing.outdated, standing.did_not_work) == (0, 0, 1)


def test_what_a_machine_saw_weighs_more_than_a_claim() -> None:
    claims = [outcome(person="a"), outcome("did_not_work", person="b")]
    seen = [outcome(person="a", evidence=True), outcome("did_not_work", person="b")]
    assert standing_of(seen, "team").score > standing_of(claims, "team").score


kinds = st.sampled_from(["worked", "worked_with_changes", "did_not_work", "outdated", "unsafe"])
outcomes = st.builds(
    Outcome,
    contributor_id=st.integers(0, 9).map(str),
    tenant_id=st.integers(0, 4).map(str),
    lineage_id=st.integers(0, 4).map(str),
    kind=kinds,
    self_report=st.booleans(),
    evidence=st.booleans(),
)


@given(st.lists(outcomes, max_size=12, unique_by=lambda item: item.contributor_id), st.sampled_from(AUDIENCES))
def test_a_tier_is_never_above_its_threshold_and_order_does_not_matter(
    found: list[Outcome], audience: Visibility
) -> None:
    standing = standing_of(found, audience)
    assert standing.score == standing_of(list(reversed(found)), audience).score
    if standing.tier == "verified":
        assert standing.score >= THRESHOLDS[audience].verified
    if standing.tier in {"verified", "corroborated"}:
        assert standing.score >= THRESHOLDS[audience].corroborated
        assert not standing.unsafe
