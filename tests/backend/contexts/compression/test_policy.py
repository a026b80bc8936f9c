"""Whether a window still fits what a policy allows."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from commontrace.models.contexts.compression import BudgetPolicy
from commontrace_backend.contexts.compression.policy import verdict


def said(tokens: int, when_full: str, *, compressing: bool = False) -> tuple[str, int | None]:
    policy = BudgetPolicy.model_validate({"limit": 1_200, "reserve": 200, "when_full": when_full})
    found = verdict(tokens, policy, compressing=compressing)
    assert (found.tokens, found.room) == (tokens, 1_000)
    assert str(tokens) in found.reason
    return found.verdict, found.target


@pytest.mark.parametrize(
    ("tokens", "warn", "reject", "compress"),
    [(0, "ok", "ok", "ok"), (900, "ok", "ok", "ok"), (901, "warn", "warn", "compress"),
     (1_000, "warn", "warn", "compress"), (1_001, "warn", "reject", "compress")],
)  # fmt: skip
def test_each_policy_says_its_own_as_a_window_fills(tokens: int, warn: str, reject: str, compress: str) -> None:
    assert said(tokens, "warn") == (warn, None)
    assert said(tokens, "reject") == (reject, None)
    assert said(tokens, "compress") == (compress, 600 if compress == "compress" else None)


def test_compressing_goes_on_down_to_the_lower_mark_and_does_not_begin_there() -> None:
    assert said(700, "compress") == ("ok", None)
    assert said(700, "compress", compressing=True) == ("compress", 600)
    assert said(600, "compress", compressing=True) == ("ok", None)


@given(st.lists(st.integers(1, 300), min_size=1, max_size=60))
def test_between_two_compressions_the_window_grows_by_at_least_the_distance_of_the_marks(added: list[int]) -> None:
    policy = BudgetPolicy(limit=1_000, when_full="compress")
    tokens, grown = 0, 0
    for more in added:
        tokens, grown = tokens + more, grown + more
        found = verdict(tokens, policy)
        if found.target is not None:
            assert grown > 300
            tokens, grown = found.target, 0


@pytest.mark.parametrize(
    "fields",
    [{"limit": 0}, {"limit": 10, "reserve": 10}, {"limit": 10, "low": 0.9}, {"limit": 10, "high": 1.1},
     {"limit": 10, "high": float("nan")}, {"limit": 10, "when_full": "panic"}],
)  # fmt: skip
def test_a_policy_that_cannot_hold_is_refused(fields: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        BudgetPolicy.model_validate(fields)
