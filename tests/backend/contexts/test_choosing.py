"""What of a window fits a budget, and how: what must hold for any window and any budget."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from commontrace.errors import InvalidInputError
from commontrace.models.contexts import Priority
from commontrace.objects import PRIORITIES
from commontrace_backend.contexts.contents import Content
from commontrace_backend.contexts.tiers import tiered
from commontrace_backend.contexts.view import Shown
from commontrace_backend.contexts.window import Sized, choose

LEVELS: list[Priority] = [level for level in PRIORITIES if level != "skip"]


@st.composite
def windows(draw: st.DrawFn) -> Sized:
    """Messages of some tokens, in groups of one or two in a row; some instruct, some have a priority."""
    tokens = draw(st.lists(st.integers(1, 9), min_size=1, max_size=10))
    starts = [0, *draw(st.lists(st.integers(1, len(tokens)), unique=True)), len(tokens)]
    groups = [list(range(start, stop)) for start, stop in pairwise(sorted({*starts}))]
    levels = draw(st.dictionaries(st.integers(0, len(tokens) - 1), st.sampled_from(LEVELS)))
    system = draw(st.sets(st.integers(0, len(tokens) - 1), max_size=2))
    levels = {place: level for place, level in levels.items() if level != "normal"}
    return Sized.of(tokens, groups, system, levels)


@given(windows(), st.integers(0, 60))
def test_what_must_be_in_is_then_what_is_important_and_then_the_newest_without_holes(sized: Sized, budget: int) -> None:
    must = [*sized.fixed, *(place for group in sized.newest[:1] for place in group)]
    if sized.cost(must) > budget:
        with pytest.raises(InvalidInputError, match=f"need {sized.cost(must)} tokens"):
            choose(sized, budget)
        return
    found = {*choose(sized, budget).included}
    assert sized.cost(found) <= budget
    assert {*must} <= found
    left = budget - sized.cost(must)
    older = sized.newest[1:]
    important = [group for group in older if group[-1] in sized.important]
    for group in important:
        assert found.issuperset(group) == (sized.cost(group) <= left)
        left -= sized.cost(group) if found.issuperset(group) else 0
    ordinary = [group for group in older if group not in important]
    out = next((number for number, group in enumerate(ordinary) if not found.issuperset(group)), len(ordinary))
    assert all(found.isdisjoint(group) for group in ordinary[out:])
    left -= sum(sized.cost(group) for group in ordinary[:out])
    assert out == len(ordinary) or sized.cost(ordinary[out]) > left


@given(windows())
def test_without_a_budget_everything_is_in(sized: Sized) -> None:
    assert [*choose(sized, None).included] == [*range(len(sized.tokens))]


def test_what_instructs_and_what_is_pinned_is_in_with_all_that_belongs_to_it() -> None:
    sized = Sized.of([5, 5, 5, 5, 5], [[0], [1, 2], [3], [4]], {0}, {2: "pinned"})
    found = choose(sized, 20)
    assert [*found.included] == [0, 1, 2, 4]
    assert found.reasons == {0: "instructs the model", 1: "stays with what must be in", 2: "pinned"}


def words(message: object) -> int:
    return len(str(message).split())


def content(number: int, text: str) -> Content:
    message = {"role": "user", "parts": [{"type": "text", "text": text}]}
    return Content(Shown(f"slot {number}", f"blob {number}", "commit"), message, words(message))


@given(st.lists(st.sampled_from(["yes", "go on with it", "line of it\n" * 200, "word " * 40]), min_size=1), st.data())
def test_tiers_cost_what_they_say_keep_the_newest_and_never_tell_at_length_what_is_short(
    texts: list[str], data: st.DataObject
) -> None:
    found = [content(number, text) for number, text in enumerate(texts)]
    whole = sum(one.tokens for one in found)
    budget = data.draw(st.integers(found[-1].tokens, whole))
    shown = tiered(found, budget, words)
    assert shown.tokens == sum(words(message) for message in shown.messages) <= budget
    assert shown.tiers[-1] == "whole"
    out = shown.tiers.count("out")
    assert shown.tiers[:out] == ["out"] * out  # the oldest
    for one, tier in zip(found, shown.tiers, strict=True):
        assert tier in {"whole", "out"} or one.message["parts"][0]["text"] not in {"yes", "go on with it"}
    assert tiered(found, whole, words).tiers == ["whole"] * len(found)


def test_of_equal_messages_the_newer_one_is_shown_at_the_higher_resolution() -> None:
    found = [content(number, "line of it\n" * 200) for number in range(6)]
    ranks = {"out": 0, "line": 1, "shortened": 2, "whole": 3}
    whole = sum(one.tokens for one in found)
    for budget in range(found[-1].tokens, whole, 10):
        shown = [ranks[tier] for tier in tiered(found, budget, words).tiers]
        assert shown == sorted(shown)
