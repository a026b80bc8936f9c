"""The order in which histories show what they hold."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from commontrace.errors import InvalidInputError
from commontrace.objects import Commit, appends
from commontrace_backend.contexts.conflicts import conflicts
from commontrace_backend.contexts.patch import difference, operations
from commontrace_backend.contexts.resolving import Decision, Side, settle_all, settle_further
from commontrace_backend.contexts.state import extended, replay
from commontrace_backend.contexts.view import View
from graphs import History, faces


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


def summaries_of_each_other() -> History:
    """Two summaries; on one branch the first stands for the second too, on the other one the second for the first."""
    found = History()
    found.add("start", [], [{"op": "append", "slot": name, "blob": name} for name in "abc"])
    covers = [("S", ["a"]), ("T", ["b"])]
    found.add("both", ["start"], [{"op": "cover", "slot": one, "blob": one, "covers": of} for one, of in covers])
    found.add("ours", ["both"], [{"op": "cover", "slot": "S", "blob": "S", "covers": ["a", "T"]}])
    found.add("theirs", ["both"], [{"op": "cover", "slot": "T", "blob": "T", "covers": ["b", "S"]}])
    return found


def test_summaries_that_branches_let_stand_for_each_other_cross_and_one_of_them_is_shown() -> None:
    found = summaries_of_each_other()
    for parents in (["ours", "theirs"], ["theirs", "ours"]):
        merged = found.merged(*parents)
        assert [one[0] for one in faces(merged)] == ["S", "c"]
        [conflict] = conflicts(merged)
        assert (conflict.kind, conflict.slot_id, conflict.other) == ("crossing", "S", "T")
    for use, shown in (("ours", ["S", "b", "c"]), ("theirs", ["a", "T", "c"])):
        side: Side = "ours" if use == "ours" else "theirs"
        made = settle_further(merged, settle_all([(conflict, Decision(side))]), side)
        assert not conflicts(extended(merged, made))
        assert [one[0] for one in faces(extended(merged, made))] == shown


def test_on_one_line_of_history_no_summary_stands_for_itself() -> None:
    state = summaries_of_each_other().states["ours"]
    with pytest.raises(InvalidInputError, match="would stand for itself"):
        extended(state, [{"op": "cover", "slot": "T", "blob": "T", "covers": ["b", "S"]}])


def test_a_strategy_settles_also_what_crosses_only_because_of_it() -> None:
    """The outer summary holds the inner one, and by it all of the third; without the inner one they cross."""
    found = History()
    found.add("start", [], [{"op": "append", "slot": name, "blob": name} for name in "abcd"])
    inner = {"op": "cover", "slot": "inner", "blob": "i", "covers": ["b", "c"]}
    outer = {"op": "cover", "slot": "outer", "blob": "o", "covers": ["a", "inner"]}
    found.add("ours", ["start"], [inner, outer])
    found.add("theirs", ["start"], [{"op": "cover", "slot": "third", "blob": "t", "covers": ["a", "b"]}])
    merged = found.merged("theirs", "ours")
    first = settle_all([(conflict, Decision("ours")) for conflict in conflicts(merged)])
    assert {one.kind for one in conflicts(extended(merged, first))} == {"crossing"}
    further = settle_further(merged, first, "ours")
    assert conflicts(extended(merged, further)) == []


def test_a_patch_brings_a_newer_summary_before_the_older_one_that_stands_for_it() -> None:
    found = History()
    found.add("start", [], [{"op": "append", "slot": name, "blob": name} for name in "abc"])
    older = {"op": "cover", "slot": "older", "blob": "o", "covers": ["a"]}
    newer = {"op": "cover", "slot": "newer", "blob": "n", "covers": ["b"]}
    found.add("wide", ["start"], [older, newer, {**older, "covers": ["a", "newer"]}])
    before, after = found.states["start"], found.states["wide"]
    assert faces(extended(before, operations(difference(before, after), before, after))) == faces(after)


def test_of_two_moves_of_a_message_ours_is_displayed_and_theirs_kept() -> None:
    found = History()
    found.add("start", [], [{"op": "append", "slot": name, "blob": name} for name in "abcd"])
    found.add("first", ["start"], [{"op": "move", "slot": "a", "after": "b"}])
    found.add("last", ["start"], [{"op": "move", "slot": "a", "after": "d"}])
    for parents, order in ((["first", "last"], "bacd"), (["last", "first"], "bcda")):
        merged = found.merged(*parents)
        assert "".join(merged.order) == order
        assert [(one.kind, one.slot_id) for one in conflicts(merged)] == [("position", "a")]


@pytest.mark.parametrize("place", [0, 1, 999, 1000, 1001, 1999, 2000, 2499])
def test_a_summary_stands_in_front_of_the_first_that_it_covers_however_long_the_window(place: int) -> None:
    found = History()
    found.add("start", [], [{"op": "append", "slot": f"{number}", "blob": "b"} for number in range(2500)])
    covers = [f"{number}" for number in (2499, place)]
    cover = {"op": "cover", "slot": "summary", "blob": "s", "covers": covers}
    assert extended(found.states["start"], [cover]).order.index("summary") == place
