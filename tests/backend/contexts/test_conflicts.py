"""What two branches do at once to one message, on the smallest histories: what is shown, what is in conflict."""

import pytest

from commontrace.errors import InvalidInputError
from commontrace_backend.contexts.conflicts import answered_twice, conflicts
from commontrace_backend.contexts.patch import difference, operations
from commontrace_backend.contexts.resolving import Decision, Side, settle_all, settle_further
from commontrace_backend.contexts.state import extended
from commontrace_backend.contexts.view import Shown
from graphs import History, disagreements, faces


def summaries_of_each_other() -> History:
    """Two summaries; on one branch the first stands for the second too, on the other one the second for the first."""
    found = History()
    found.add("start", [], [{"op": "append", "slot": name, "blob": name} for name in "abc"])
    covers = [("S", ["a"]), ("T", ["b"])]
    found.add("both", ["start"], [{"op": "cover", "slot": one, "blob": one, "covers": of} for one, of in covers])
    found.add("ours", ["both"], [{"op": "cover", "slot": "S", "blob": "S", "covers": ["a", "T"]}])
    found.add("theirs", ["both"], [{"op": "cover", "slot": "T", "blob": "T", "covers": ["b", "S"]}])
    return found


@pytest.mark.parametrize("parents", [("ours", "theirs"), ("theirs", "ours")])
@pytest.mark.parametrize(("use", "shown"), [("ours", ["S", "b", "c"]), ("theirs", ["a", "T", "c"])])
def test_summaries_that_branches_let_stand_for_each_other_cross_and_one_of_them_is_shown(
    parents: tuple[str, str], use: Side, shown: list[str]
) -> None:
    merged = summaries_of_each_other().merged(*parents)
    assert [one[0] for one in faces(merged)] == ["S", "c"]
    [conflict] = conflicts(merged)
    assert (conflict.kind, conflict.slot_id, conflict.other) == ("crossing", "S", "T")
    made = settle_further(merged, settle_all([(conflict, Decision(use))]), use)
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


@pytest.mark.parametrize(
    "hiding", [{"op": "remove"}, {"op": "annotate", "key": "priority", "value": {"level": "skip", "reason": ""}}]
)
def test_an_edit_of_what_is_contradicted_settles_nothing_and_only_showing_or_hiding_does(
    hiding: dict[str, object],
) -> None:
    found = History()
    found.add("start", [], [{"op": "append", "slot": name, "blob": name} for name in "ab"])
    found.add("edited", ["start"], [{"op": "edit", "slot": "a", "blob": "edited"}])
    found.add("hidden", ["start"], [{**hiding, "slot": "a"}])
    for parents in (["edited", "hidden"], ["hidden", "edited"]):
        merged = found.merged(*parents)
        again = extended(merged, [{"op": "edit", "slot": "a", "blob": "again"}], "again")
        for state, blob in ((merged, "edited"), (again, "again")):
            assert [(one.kind, one.slot_id) for one in conflicts(state)] == [("contradiction", "a")]
            assert [one[:2] for one in faces(state)] == [("a", blob), ("b", "b")]
        settled = extended(again, [{**hiding, "slot": "a"}], "settled")
        assert conflicts(settled) == []
        assert [one[0] for one in faces(settled)] == ["b"]


@pytest.mark.parametrize(
    ("one", "other", "shown"),
    [
        ("pinned", "skip", "pinned"),
        ("skip", "important", "important"),
        ("normal", "skip", "normal"),
        ("important", "pinned", "pinned"),
    ],
)
def test_of_two_priorities_that_branches_gave_at_once_the_highest_is_shown(one: str, other: str, shown: str) -> None:
    found = History()
    found.add("start", [], [{"op": "append", "slot": "a", "blob": "a"}])
    for name, level in (("ours", one), ("theirs", other)):
        value = {"level": level, "reason": ""}
        found.add(name, ["start"], [{"op": "annotate", "slot": "a", "key": "priority", "value": value}])
    for parents in (["ours", "theirs"], ["theirs", "ours"]):
        assert faces(found.merged(*parents)) == [("a", "a", shown)]


def test_what_one_branch_removes_and_another_restores_is_shown() -> None:
    found = History()
    found.add("start", [], [{"op": "append", "slot": "a", "blob": "a"}])
    found.add("removed", ["start"], [{"op": "remove", "slot": "a"}])
    found.add("ours", ["removed"], [{"op": "remove", "slot": "a"}])
    found.add("theirs", ["removed"], [{"op": "restore", "slot": "a"}])
    for parents in (["ours", "theirs"], ["theirs", "ours"]):
        merged = found.merged(*parents)
        assert [one[0] for one in faces(merged)] == ["a"]
        assert [one.kind for one in conflicts(merged)] == ["live"]


def test_summaries_cross_by_what_either_side_covers_whoever_is_ours() -> None:
    found = History()
    found.add("start", [], [{"op": "append", "slot": name, "blob": name} for name in "abcd"])
    wide = {"op": "cover", "slot": "S", "blob": "s", "covers": ["a", "d"]}
    found.add("both", ["start"], [wide])
    other = {"op": "cover", "slot": "T", "blob": "t", "covers": ["b", "c"]}
    found.add("ours", ["both"], [{**wide, "covers": ["a"]}, other])
    found.add("theirs", ["both"], [{**wide, "covers": ["a", "d", "b"]}])
    one, turned = found.merged("ours", "theirs"), found.merged("theirs", "ours")
    assert sorted(conflict.kind for conflict in conflicts(one)) == ["cover", "crossing"]
    assert disagreements(one) == disagreements(turned)


def test_only_two_answers_to_one_call_conflict_and_not_a_call_whose_id_is_used_again() -> None:
    slots = {name: Shown(name, name, "commit") for name in "abcd"}
    again: list[tuple[Shown, list[str], list[str]]] = [
        (slots["a"], ["x"], []),
        (slots["b"], [], ["x"]),
        (slots["c"], ["x"], []),
        (slots["d"], [], ["x"]),
    ]
    assert answered_twice(again) == []
    [conflict] = answered_twice([*again[:2], again[3]])
    assert (conflict.kind, conflict.slot_id, [value for value, _ in conflict.values]) == ("group", "b", ["b", "d"])


@pytest.mark.parametrize("use", ["ours", "theirs"])
def test_a_summary_knows_the_content_that_was_settled_with_it(use: Side) -> None:
    found = History()
    found.add("start", [], [{"op": "append", "slot": name, "blob": name} for name in "ab"])
    cover = {"op": "cover", "slot": "S", "blob": "s", "covers": ["a"]}
    found.add("ours", ["start"], [{"op": "edit", "slot": "a", "blob": "by ours"}, cover])
    found.add("theirs", ["start"], [{"op": "edit", "slot": "a", "blob": "by theirs"}])
    merged = found.merged("ours", "theirs")
    assert sorted(one.kind for one in conflicts(merged)) == ["content", "stale"]
    settled = extended(merged, settle_all([(one, Decision(use)) for one in conflicts(merged)]))
    assert conflicts(settled) == []
    assert settled.slots["a"].values("content") == [f"by {use}"]
    assert [one[0] for one in faces(settled)] == (["S", "b"] if use == "ours" else ["a", "b"])


@pytest.mark.parametrize(("use", "stays"), [("ours", "b"), ("theirs", "c")])
def test_of_two_answers_to_one_call_the_chosen_one_stays(use: Side, stays: str) -> None:
    found = History()
    found.add("start", [], [{"op": "append", "slot": "a", "blob": "a"}])
    found.add("ours", ["start"], [{"op": "append", "slot": "b", "blob": "b"}])
    found.add("theirs", ["start"], [{"op": "append", "slot": "c", "blob": "c"}])
    merged = found.merged("ours", "theirs")
    slots = {name: Shown(name, name, "commit") for name in "abc"}
    [conflict] = answered_twice([(slots["a"], ["x"], []), (slots["b"], [], ["x"]), (slots["c"], [], ["x"])])
    settled = extended(merged, settle_all([(conflict, Decision(use))]))
    assert [one[0] for one in faces(settled)] == ["a", stays]


@pytest.mark.parametrize("parents", [("hidden", "edited"), ("edited", "hidden")])
@pytest.mark.parametrize(
    "hiding", [{"op": "remove"}, {"op": "annotate", "key": "priority", "value": {"level": "skip", "reason": ""}}]
)
def test_the_base_of_a_contradiction_is_shown(parents: tuple[str, str], hiding: dict[str, object]) -> None:
    found = History()
    found.add("start", [], [{"op": "append", "slot": "a", "blob": "a"}])
    found.add("edited", ["start"], [{"op": "edit", "slot": "a", "blob": "edited"}])
    found.add("hidden", ["start"], [{**hiding, "slot": "a"}])
    merged = found.merged(*parents)
    settled = extended(
        merged, settle_all([(one, Decision("base")) for one in conflicts(merged)], found.states["start"])
    )
    assert conflicts(settled) == []
    assert [one[0] for one in faces(settled)] == ["a"]
