"""The laws of the core, over made-up histories: every kind of operation, branches, criss-cross, merges of three."""

from collections.abc import Callable
from random import Random
from typing import Any

from hypothesis import assume, given, settings
from hypothesis import strategies as st

from commontrace_backend.contexts.conflicts import Conflict, conflicts
from commontrace_backend.contexts.graph import Ancestry, Divergence, IncompleteHistory
from commontrace_backend.contexts.patch import difference, operations
from commontrace_backend.contexts.picking import transferred
from commontrace_backend.contexts.resolving import Decision, Side, settle_all, settle_further
from commontrace_backend.contexts.state import State, extended, replay
from commontrace_backend.contexts.view import View, state_id
from graphs import HISTORIES, History, disagreements, faces, registers, two

Law = Callable[[History, Random], None]


def law(check: Law) -> Law:
    """Check it on made-up histories. `benchmarks/laws.py` checks the same on as many as are wanted."""
    return settings(max_examples=40)(given(HISTORIES, st.randoms(use_true_random=False))(check))


def patched(before: State, after: State) -> State:
    return extended(before, operations(difference(before, after), before, after), "patched")


@law
def test_a_state_that_goes_on_from_an_earlier_one_is_that_of_a_whole_replay(found: History, random: Random) -> None:
    for name in found.commits:
        line = [name]
        while found.commits[line[-1]].parents:
            line.append(found.commits[line[-1]].parents[0])
        base = random.choice(line)
        known = found.before(base)
        since = {one: made for one, made in found.commits.items() if one not in known}
        if base == name:
            continue
        try:
            assert replay(name, since, found.states[base]) == found.states[name]
        except IncompleteHistory:
            assert any(len(made.parents) != 1 for made in since.values())


@law
def test_merging_is_commutative_in_slots_registers_and_conflicts(found: History, random: Random) -> None:
    one, other = two(found, random)
    ours, theirs = found.merged(one, other), found.merged(other, one)
    assert registers(ours) == registers(theirs)
    assert disagreements(ours) == disagreements(theirs)


@law
def test_merging_is_associative_in_slots_registers_and_conflicts(found: History, random: Random) -> None:
    one, other = two(found, random)
    third = random.choice(list(found.commits))
    left = found.joined("left", [one, other]).merged("left", third)
    right = found.joined("right", [other, third]).merged(one, "right")
    at_once = found.merged(one, other, third)
    assert registers(left) == registers(right) == registers(at_once)
    assert disagreements(left) == disagreements(right) == disagreements(at_once)


@law
def test_merging_again_and_merging_what_led_here_change_nothing(found: History, random: Random) -> None:
    one, other = two(found, random)
    merged = found.joined("once", [one, other])
    again = merged.merged("once", random.choice([one, other, *found.before(one)]))
    assert (registers(again), faces(again)) == (registers(merged.states["once"]), faces(merged.states["once"]))
    earlier = random.choice(sorted(found.before(one)))
    assert registers(found.merged(earlier, one)) == registers(found.states[one])


@law
def test_a_merge_keeps_every_slot_of_both_once_and_adds_none(found: History, random: Random) -> None:
    one, other = two(found, random)
    merged = found.merged(one, other)
    assert merged.slots.keys() == {*found.states[one].slots, *found.states[other].slots}
    assert sorted(merged.order) == sorted(merged.slots.keys() - {""})


@law
def test_the_difference_of_a_state_with_itself_is_empty(found: History, random: Random) -> None:
    for state in found.states.values():
        assert not difference(state, state)


@law
def test_a_patch_between_any_two_states_without_conflicts_leads_from_one_to_the_other(
    found: History, random: Random
) -> None:
    one, other = (found.states[name] for name in two(found, random))
    assume(not conflicts(one) and not conflicts(other))
    made = patched(one, other)
    assert faces(made) == faces(other)
    assert not conflicts(made)


@law
def test_after_a_patch_nothing_differs_but_what_nobody_sees(found: History, random: Random) -> None:
    one, other = (found.states[name] for name in two(found, random))
    assume(not conflicts(one) and not conflicts(other))
    changes = difference(one, other)
    unseen = {slot for change in changes if change.register == "cover" for slot in change.after or ()}
    assert {change.slot_id for change in difference(patched(one, other), other)} <= unseen


@law
def test_reverting_and_reverting_the_revert_are_the_windows_before_and_after(found: History, random: Random) -> None:
    name = random.choice([one for one in found.commits if len(found.commits[one].parents) <= 1])
    after = found.states[name]
    before = found.states[found.commits[name].parents[0]] if found.commits[name].parents else State()
    assume(not conflicts(after) and not conflicts(before))
    reverted = extended(after, transferred(after, before, after), "revert")
    assert faces(reverted) == faces(before)
    assert faces(extended(reverted, transferred(reverted, after, reverted), "again")) == faces(after)


@law
def test_a_change_that_is_made_where_it_was_made_comes_to_the_same_and_twice_to_nothing_more(
    found: History, random: Random
) -> None:
    name = random.choice([one for one in found.commits if len(found.commits[one].parents) == 1])
    before, after = found.states[found.commits[name].parents[0]], found.states[name]
    assume(not conflicts(after) and not conflicts(before))
    made = extended(before, transferred(before, after, before), "picked")
    assert faces(made) == faces(after)
    again = transferred(before, after, made)
    assert faces(extended(made, again, "again")) == faces(after)
    assert {operation["op"] for operation in again} <= {"move"}


@law
def test_settling_leaves_nothing_of_what_was_settled_and_merging_again_brings_nothing_new(
    found: History, random: Random
) -> None:
    use: Side = random.choice(["ours", "theirs", "base"])
    one, other = two(found, random)
    merged = found.merged(one, other)
    standing = conflicts(merged)
    base = found.states[random.choice(sorted(found.before(one)))]
    made = settle_further(merged, settle_all([(conflict, Decision(use)) for conflict in standing], base), use)
    settled = found.joined("settled", [one, other], made)
    left = conflicts(settled.states["settled"])
    assert {where(conflict) for conflict in left}.isdisjoint(map(where, standing))
    # A summary that knew of a disagreement does not know how it ended: that is for whoever writes it to settle.
    assert {conflict.kind for conflict in left} <= {"stale"}
    again = settled.merged("settled", random.choice([one, other]))
    assert disagreements(again) == disagreements(settled.states["settled"])


def where(conflict: Conflict) -> tuple[str, str, str, str]:
    return conflict.kind, conflict.slot_id, conflict.register, conflict.other


@law
def test_settling_makes_a_register_say_what_the_side_said(found: History, random: Random) -> None:
    use: Side = random.choice(["ours", "theirs"])
    merged = found.merged(*two(found, random))
    for conflict in conflicts(merged):
        if conflict.kind in {"content", "priority", "live", "note"}:
            made = extended(merged, settle_all([(conflict, Decision(use))]), "settled")
            value = conflict.values[0 if use == "ours" else -1][0]
            assert made.slots[conflict.slot_id].values(conflict.register) == [value]


@law
def test_an_edit_hides_nothing_and_settles_no_contradiction(found: History, random: Random) -> None:
    merged = found.merged(*two(found, random))
    standing = {where(conflict) for conflict in conflicts(merged) if conflict.kind == "contradiction"}
    shown = faces(merged)
    assume(shown)
    edited = extended(merged, [{"op": "edit", "slot": random.choice(shown)[0], "blob": "other words"}], "edit")
    assert [face[0] for face in faces(edited)] == [face[0] for face in shown]
    assert {where(conflict) for conflict in conflicts(edited) if conflict.kind == "contradiction"} == standing


def undone(state: State, operation: dict[str, Any], back: dict[str, Any]) -> tuple[object, object]:
    done = extended(state, [operation], "done")
    return faces(state), faces(extended(done, [back], "undone"))


@law
def test_what_is_done_to_a_message_and_taken_back_leaves_the_window_as_it_was(found: History, random: Random) -> None:
    state = found.states[random.choice(list(found.states))]
    assume(not conflicts(state))
    slot = state.slots[random.choice(list(state.order))]
    old = slot.value("priority", {"level": "normal", "reason": ""})
    at = {"slot": slot.slot_id}
    for level in ("skip", "pinned", "important"):
        mark = {"op": "annotate", **at, "key": "priority"}
        before, after = undone(state, mark | {"value": {"level": level, "reason": "r"}}, mark | {"value": old})
        assert before == after
    live = slot.value("live", default=True)
    before, after = undone(
        state, {"op": "remove" if live else "restore", **at}, {"op": "restore" if live else "remove", **at}
    )
    assert before == after
    edit = {"op": "edit", **at, "blob": "new"}
    assert faces(extended(state, [edit, {**edit, "blob": slot.value("content", slot.blob_id)}], "done")) == before
    order = list(state.order)
    behind = order[order.index(slot.slot_id) - 1] if order[0] != slot.slot_id else ""
    other = random.choice([one for one in ["", *order] if one != slot.slot_id])
    before, after = undone(state, {"op": "move", **at, "after": other}, {"op": "move", **at, "after": behind})
    assert before == after


@law
def test_a_summary_stands_in_place_of_the_covered_and_expanding_it_brings_back_the_same(
    found: History, random: Random
) -> None:
    state = found.states[random.choice(list(found.states))]
    shown = [slot for slot in View(state).shown if slot.priority != "pinned"]
    assume(shown)
    covered = random.sample(shown, random.randint(1, len(shown)))
    ids = [slot.slot_id for slot in covered]
    cover = {"op": "cover", "slot": "summary", "blob": "words", "covers": ids}
    folded = extended(state, [cover], "folded")
    assert [face for face in faces(folded) if face[0] != "summary"] == [
        face for face in faces(state) if face[0] not in ids
    ]
    assert [face[0] for face in faces(folded)].count("summary") == 1
    assert faces(extended(folded, [{"op": "uncover", "slot": "summary"}], "expanded")) == faces(state)


@law
def test_a_message_is_not_shown_beside_the_summary_that_stands_for_it(found: History, random: Random) -> None:
    for state in found.states.values():
        view = View(state)
        shown = {slot.slot_id: slot for slot in view.shown}
        for slot in shown.values():
            reach, waiting = set[str](), [slot.slot_id] if slot.slot_id not in view.inactive else []
            while waiting:
                inner = {*(state.slots[waiting.pop()].value("cover") or ())} - reach
                reach |= inner
                waiting += inner
            assert {shown[one].priority for one in reach & shown.keys()} <= {"pinned"}


@law
def test_whatever_nobody_hid_is_shown_or_stands_behind_a_summary_that_is_or_that_somebody_hid(
    found: History, random: Random
) -> None:
    for state in found.states.values():
        view = View(state)
        hidden = {slot_id: view.hidden(state.slots[slot_id]) for slot_id in state.order}
        reached = {slot_id for slot_id, why in hidden.items() if why in {None, "removed", "skipped", "expanded"}}
        waiting = [slot_id for slot_id in reached if hidden[slot_id] != "expanded"]
        while waiting:
            inner = {*(state.slots[waiting.pop()].value("cover") or ())} - reached
            reached |= inner
            waiting += inner
        assert {*state.order} - reached <= view.inactive.keys()


@law
def test_two_summaries_of_different_messages_commute(found: History, random: Random) -> None:
    state = found.states[random.choice(list(found.states))]
    shown = [slot.slot_id for slot in View(state).shown]
    assume(len(shown) > 1)
    random.shuffle(shown)
    half = random.randint(1, len(shown) - 1)
    one, other = (
        {"op": "cover", "slot": name, "blob": name, "covers": covers}
        for name, covers in (("S", shown[:half]), ("T", shown[half:]))
    )
    first, second = extended(state, [one, other], "x"), extended(state, [other, one], "x")
    assert sorted(faces(first)) == sorted(faces(second))
    assert registers(first) == registers(second)


@law
def test_the_id_of_a_state_is_that_of_what_it_shows(found: History, random: Random) -> None:
    ids: dict[str, object] = {}
    for state in found.states.values():
        said = [face[1:] for face in faces(state)]
        assert ids.setdefault(state_id(View(state).shown), said) == said


@law
def test_a_pinned_message_is_shown_in_its_place_whatever_covers_it(found: History, random: Random) -> None:
    state = found.states[random.choice(list(found.states))]
    shown = [slot.slot_id for slot in View(state).shown]
    assume(shown)
    pin = {"op": "annotate", "slot": shown[0], "key": "priority", "value": {"level": "pinned", "reason": ""}}
    pinned = extended(state, [pin], "pinned")
    cover = {"op": "cover", "slot": "summary", "blob": "words", "covers": shown}
    assert shown[0] in [face[0] for face in faces(extended(pinned, [cover], "folded"))]


@law
def test_where_two_histories_part_is_where_brute_force_says(found: History, random: Random) -> None:
    one, other = two(found, random)
    parted = Divergence(one, other)
    reached = found.before(one) | found.before(other)
    for name in reversed(found.commits):
        if name in reached and not parted.settled:
            parted.take(name, found.commits[name].parents)
    common = found.before(one) & found.before(other)
    best = {name for name in common if not any(name in found.before(higher) - {higher} for higher in common)}
    assert sorted(parted.bases) == sorted(best)
    assert {*parted.theirs} == found.before(other) - found.before(one)


@law
def test_a_commit_leads_to_another_where_walking_says_so(found: History, random: Random) -> None:
    parents = {name: made.parents for name, made in found.commits.items()}
    known = Ancestry(parents, "")
    tip = random.choice(list(parents))
    straight = all(len(parents[name]) <= 1 for name in parents)
    for name in parents:
        assert known.leads(name, tip) == (name in found.before(tip)) or straight


@law
def test_with_a_part_of_the_history_the_answer_is_right_or_that_more_is_needed(found: History, random: Random) -> None:
    root = random.choice(list(found.commits))
    before = found.before(root)
    parents = {name: made.parents for name, made in found.commits.items() if name not in before}
    assume(parents)
    tip = random.choice(list(parents))
    above = {one: made for one, made in parents.items() if one in found.before(tip)}
    name = random.choice([*before, *above])
    try:
        assert Ancestry(above, root).leads(name, tip) == (name in found.before(tip))
    except IncompleteHistory:
        assert root not in found.before(tip)
