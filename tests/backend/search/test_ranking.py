"""The order of hits: laws, not examples only."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from commontrace.models.traces import Standing
from commontrace_backend.search.fit import Fit
from commontrace_backend.search.ranking import ENOUGH, ENOUGH_WORDS, Candidate, Evidence, good_enough, ranked, threshold

NOW = datetime(2026, 1, 1, tzinfo=UTC)

standings = st.builds(
    Standing,
    tier=st.sampled_from(["unproven", "corroborated", "verified", "quarantined"]),
    score=st.floats(0, 1),
    worked=st.integers(0, 20),
    did_not_work=st.integers(0, 20),
)
candidates = st.builds(
    Candidate,
    number=st.integers(1, 10_000),
    exact=st.booleans(),
    evidence=st.builds(
        Evidence,
        relevance=st.floats(0, 1.5),
        coverage=st.floats(0, 1),
        asked=st.integers(0, 24),
        similarity=st.none() | st.floats(-1, 1),
    ),
    standing=standings,
    visibility=st.sampled_from(["private", "team", "public"]),
    lineage_id=st.sampled_from(["ann", "bo"]),
    fit=st.builds(Fit, value=st.floats(-1, 1), reason=st.just("")),
    updated_at=st.integers(0, 1000).map(lambda days: NOW - timedelta(days=days)),
    months=st.integers(0, 100),
)
pools = st.lists(candidates, max_size=20, unique_by=lambda item: item.number)


def candidate(
    number: int = 1,
    *,
    relevance: float = 1.0,
    coverage: float = 1.0,
    asked: int = 3,
    similarity: float | None = None,
    **changes: object,
) -> Candidate:
    fields: dict[str, object] = {
        "number": number,
        "exact": False,
        "evidence": Evidence(relevance, coverage, asked, similarity=similarity),
        "standing": Standing(tier="unproven", score=0.0),
        "visibility": "private",
        "lineage_id": "ann",
        "fit": Fit(0.0, ""),
        "updated_at": NOW,
        "months": 0,
        **changes,
    }
    return Candidate(**fields)  # type: ignore[arg-type]  # the test names the fields it is about


@given(pools, st.randoms(use_true_random=False))
def test_the_order_does_not_depend_on_how_candidates_came(pool: list[Candidate], random: object) -> None:
    shuffled = list(pool)
    random.shuffle(shuffled)  # type: ignore[attr-defined]  # Hypothesis gives a Random
    assert ranked(shuffled) == ranked(pool)


@given(pools)
def test_unproven_public_ones_come_last_and_exact_errors_first_in_each_class(pool: list[Candidate]) -> None:
    order = ranked(pool)
    assert [item.unproven_public for item in order] == sorted(item.unproven_public for item in pool)
    for public in (False, True):
        exact = [item.exact for item in order if item.unproven_public is public]
        assert exact == sorted(exact, reverse=True)


@given(candidates)
def test_the_score_is_the_product_of_its_factors_and_bounded(item: Candidate) -> None:
    product = 1.0
    for factor in item.factors():
        product *= factor.value
    assert item.score == pytest.approx(product)
    relevance = max(1.0, item.evidence.relevance) if item.exact else item.evidence.relevance
    assert 0.837 * relevance - 1e-9 <= item.score <= 1.155 * relevance + 1e-9


@given(candidates, st.integers(0, 20))
def test_priors_are_small_so_that_relevance_decides_between_what_is_far_apart(item: Candidate, failures: int) -> None:
    loved = candidate(1, relevance=0.7, standing=Standing(tier="verified", score=1.0, worked=99), fit=Fit(1.0, ""))
    hated = candidate(2, relevance=1.0, standing=Standing(tier="unproven", score=0.0, did_not_work=failures))
    assert ranked([loved, hated])[0] is hated


def test_outcomes_move_a_hit_up_where_it_worked_and_down_where_it_did_not() -> None:
    good = candidate(1, standing=Standing(tier="verified", score=0.44, worked=3))
    plain = candidate(2)
    bad = candidate(3, standing=Standing(tier="unproven", score=0.0, did_not_work=2, worked=1))
    worse = candidate(4, standing=Standing(tier="unproven", score=0.0, did_not_work=9))
    assert ranked([worse, bad, plain, good]) == [good, plain, bad, worse]


def test_versions_that_fit_come_before_those_that_do_not_and_newer_before_older() -> None:
    fits, outside = candidate(1, fit=Fit(1.0, "")), candidate(2, fit=Fit(-1.0, ""))
    old = candidate(3, updated_at=NOW - timedelta(days=900))
    assert [item.number for item in ranked([outside, old, candidate(4), fits])] == [1, 4, 3, 2]


def test_a_hit_is_good_enough_by_exact_error_or_by_covering_enough_of_the_query() -> None:
    for asked in (1, 4, 10, 24):
        words, both = threshold(ENOUGH_WORDS, asked), threshold(ENOUGH, asked)
        assert good_enough(candidate(asked=asked, coverage=words))
        assert not good_enough(candidate(asked=asked, coverage=words - 0.01))
        assert good_enough(candidate(asked=asked, coverage=0.0, similarity=0.5, relevance=both))
        assert not good_enough(candidate(asked=asked, coverage=1.0, similarity=0.5, relevance=both - 0.01))
    assert good_enough(candidate(coverage=0.0, exact=True))


def test_a_short_question_must_be_covered_more_than_a_long_account() -> None:
    for between in (ENOUGH, ENOUGH_WORDS):
        shares = [threshold(between, asked) for asked in range(1, 25)]
        assert shares == sorted(shares, reverse=True)
        assert (shares[0], shares[-1]) == pytest.approx((between[0][1], between[1][1]))
