"""Bursts: crowds of new accounts and of one lineage are found, and nobody else."""

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from commontrace_backend.traces.bursts import MANY, WINDOW, YOUNG, Act, burst

NOW = datetime(2026, 1, 1, tzinfo=UTC)
LONG_AGO = NOW - timedelta(days=900)


def acts(
    count: int, *, joined: datetime = LONG_AGO, apart: timedelta = timedelta(minutes=1), lineage: str = ""
) -> list[Act]:
    return [Act(number, number, NOW + number * apart, lineage or str(number), joined) for number in range(count)]


def test_enough_new_accounts_within_an_hour_are_a_burst() -> None:
    assert burst(acts(MANY, joined=NOW)) == set(range(MANY))
    assert burst(acts(MANY - 1, joined=NOW)) == set()


def test_enough_of_one_lineage_within_an_hour_are_a_burst_however_old_they_are() -> None:
    assert burst(acts(MANY, lineage="eve")) == set(range(MANY))
    assert burst(acts(MANY - 1, lineage="eve")) == set()


def test_many_old_accounts_of_many_lineages_are_none() -> None:
    assert burst(acts(50)) == set()
    assert burst(acts(50, joined=NOW - YOUNG)) == set()


def test_one_account_that_reports_often_is_none() -> None:
    assert burst([Act(number, "ann", NOW, "ann", NOW) for number in range(50)]) == set()


def test_what_is_spread_over_days_is_none() -> None:
    assert burst(acts(50, joined=NOW, apart=WINDOW / (MANY - 2))) == set()


def test_who_came_long_before_a_burst_is_not_part_of_it() -> None:
    early = Act("early", "early", NOW - 2 * WINDOW, "ann", NOW - timedelta(days=1))
    assert burst([early, *acts(MANY, joined=NOW)]) == set(range(MANY))


@given(st.lists(st.builds(
    Act,
    key=st.integers(), account=st.integers(0, 20),
    at=st.integers(0, 200).map(lambda minutes: NOW + timedelta(minutes=minutes)),
    lineage_id=st.sampled_from(["ann", "bo", "cy"]),
    joined=st.sampled_from([NOW, LONG_AGO]),
), max_size=30, unique_by=lambda act: act.key), st.randoms(use_true_random=False))  # fmt: skip
def test_the_order_does_not_matter_and_more_acts_never_clear_one(found: list[Act], random: object) -> None:
    shuffled = list(found)
    random.shuffle(shuffled)  # type: ignore[attr-defined]  # Hypothesis gives a Random
    assert burst(shuffled) == burst(found)
    assert burst(found[:-1]) <= burst(found)
