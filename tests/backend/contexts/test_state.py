"""The order in which histories show what they hold."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from commontrace.errors import InvalidInputError
from commontrace.objects import Commit, appends
from commontrace_backend.contexts.state import replay
from commontrace_backend.contexts.view import View


def commit(name: str, *parents: str, messages: int = 1) -> Commit:
    operations = appends([name] * messages, origin=[name])
    return Commit(parents=parents, operations=operations, author="", agent="", time="", message=name)


@st.composite
def histories(draw: st.DrawFn) -> dict[str, Commit]:
    """Commits that append up to two messages, and merges that append none."""
    commits = {"c0": commit("c0")}
    for number in range(1, draw(st.integers(1, 10))):
        parents = draw(st.lists(st.sampled_from(list(commits)), unique=True, min_size=1, max_size=2))
        messages = 0 if len(parents) > 1 else draw(st.integers(1, 2))
        commits[f"c{number}"] = commit(f"c{number}", *parents, messages=messages)
    return commits


def shown(commits: dict[str, Commit], *tips: str) -> list[str]:
    [tip] = tips
    return [slot.slot_id for slot in View(replay(tip, commits)).shown]


def merged(commits: dict[str, Commit], ours: str, theirs: str) -> list[str]:
    return shown(commits | {"merge": commit("merge", ours, theirs, messages=0)}, "merge")


@given(histories(), st.data())
def test_a_merge_begins_with_ours_and_holds_every_slot_of_both_once(
    commits: dict[str, Commit], data: st.DataObject
) -> None:
    ours, theirs = (data.draw(st.sampled_from(list(commits))) for _ in range(2))
    mine, yours, both = shown(commits, ours), shown(commits, theirs), merged(commits, ours, theirs)
    assert both[: len(mine)] == mine
    assert sorted(both) == sorted({*mine, *yours})
    assert [slot for slot in both if slot not in mine] == [slot for slot in yours if slot not in mine]


@given(histories(), st.data())
def test_a_merge_in_either_direction_shows_the_same_slots(commits: dict[str, Commit], data: st.DataObject) -> None:
    ours, theirs = (data.draw(st.sampled_from(list(commits))) for _ in range(2))
    assert sorted(merged(commits, ours, theirs)) == sorted(merged(commits, theirs, ours))


@given(histories())
def test_a_window_begins_with_that_of_the_first_parent(commits: dict[str, Commit]) -> None:
    for name, made in commits.items():
        for parent in made.parents[:1]:
            before = shown(commits, parent)
            assert shown(commits, name)[: len(before)] == before


def test_an_operation_that_comes_along_two_ways_is_shown_once() -> None:
    base, one = commit("base"), commit("one", "base")
    again = replace(one, parents=("base", "base"), message="the same operations, rebased")
    both = commit("both", "one", "again", messages=0)
    commits = {"base": base, "one": one, "again": again, "both": both}
    assert shown(commits, "both") == shown(commits, "one") == shown(commits, "again")


@pytest.mark.parametrize(
    ("operation", "said"),
    [
        ({"op": "remove", "slot": "s"}, "not in the history"),
        ({"op": "fly", "slot": "s"}, "not an operation"),
        ({"op": "annotate", "slot": "", "key": "live", "value": 1}, "a field that it cannot have"),
        ({"op": "annotate", "slot": "", "key": "priority", "value": {"level": "high"}}, "a field that it cannot have"),
    ],
)
def test_an_operation_that_means_nothing_is_refused_and_not_guessed(operation: dict[str, str], said: str) -> None:
    made = replace(commit("later"), operations=(operation,))
    with pytest.raises(InvalidInputError, match=said):
        replay("later", {"later": made})
