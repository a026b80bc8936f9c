"""The order of commits and where two histories part, against brute force."""

from hypothesis import given
from hypothesis import strategies as st

from commontrace_backend.contexts.graph import Divergence, parents_first

History = dict[str, list[str]]


@st.composite
def histories(draw: st.DrawFn) -> History:
    """Commits with up to three parents each, all of them older."""
    history: History = {}
    for number in range(draw(st.integers(1, 14))):
        older = list(history)
        parents = st.lists(st.sampled_from(older), unique=True, max_size=3) if older else st.just([])
        history[f"c{number}"] = draw(parents)
    return history


def ancestors(history: History, commit: str) -> set[str]:
    return {commit}.union(*(ancestors(history, parent) for parent in history[commit]))


def part(history: History, ours: str, theirs: str) -> Divergence:
    """Feed commits newest first, as the store does, until it is settled."""
    found = Divergence(ours, theirs)
    reached = ancestors(history, ours) | ancestors(history, theirs)
    for commit in reversed(history):
        if commit in reached and not found.settled:
            found.take(commit, history[commit])
    return found


@given(histories(), st.data())
def test_what_each_side_alone_has_and_the_bases_are_those_of_brute_force(history: History, data: st.DataObject) -> None:
    ours, theirs = data.draw(st.sampled_from(list(history))), data.draw(st.sampled_from(list(history)))
    mine, yours = ancestors(history, ours), ancestors(history, theirs)
    common = mine & yours
    best = {one for one in common if not any(one in ancestors(history, other) - {other} for other in common)}
    found = part(history, ours, theirs)
    assert set(found.ours) == mine - yours
    assert set(found.theirs) == yours - mine
    assert set(found.bases) == best
    assert len(found.bases) == len(best)


def test_a_criss_cross_has_two_bases() -> None:
    history = {"root": [], "a": ["root"], "b": ["root"], "ab": ["a", "b"], "ba": ["b", "a"]}
    found = part(history, "ab", "ba")
    assert (found.ours, found.theirs, sorted(found.bases)) == (["ab"], ["ba"], ["a", "b"])


def test_no_more_of_the_common_history_is_asked_for_than_its_end() -> None:
    history: History = {"c0": []} | {f"c{number}": [f"c{number - 1}"] for number in range(1, 1000)}
    history |= {"ours": ["c999"], "theirs": ["c999"]}
    asked = []

    found = Divergence("ours", "theirs")
    for commit in reversed(history):
        if found.settled:
            break
        asked.append(commit)
        found.take(commit, history[commit])
    assert asked == ["theirs", "ours", "c999"]
    assert found.bases == ["c999"]


@given(histories())
def test_parents_come_first_and_nothing_comes_twice(history: History) -> None:
    tip = list(history)[-1]
    order = parents_first([tip], lambda commit: history[commit])
    assert set(order) == ancestors(history, tip)
    assert len(order) == len(set(order))
    assert all(order.index(parent) < order.index(commit) for commit in order for parent in history[commit])


@given(histories())
def test_the_order_of_a_commit_begins_with_that_of_its_first_parent(history: History) -> None:
    tip = list(history)[-1]
    order = parents_first([tip], lambda commit: history[commit])
    for parent in history[tip][:1]:
        first = parents_first([parent], lambda commit: history[commit])
        assert order[: len(first)] == first


@given(histories(), st.data())
def test_bringing_three_histories_together_in_either_grouping_gives_one_order(
    history: History, data: st.DataObject
) -> None:
    a, b, c = (data.draw(st.sampled_from(list(history))) for _ in range(3))
    both = history | {"ab": [a, b], "ab.c": ["ab", c], "bc": [b, c], "a.bc": [a, "bc"]}
    left, right = (
        [commit for commit in parents_first([tip], lambda commit: both[commit]) if commit in history]
        for tip in ("ab.c", "a.bc")
    )
    assert left == right


def test_a_long_history_needs_no_deep_stack() -> None:
    history: History = {"0": []} | {str(number): [str(number - 1)] for number in range(1, 50_000)}
    assert parents_first(["49999"], lambda commit: history[commit]) == list(history)
