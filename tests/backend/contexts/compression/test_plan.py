"""The cheapest way for a window to fit a budget."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from commontrace.errors import InvalidInputError
from commontrace.models.contexts.compression import BudgetPlan
from commontrace.providers.messages import parse_message
from commontrace.providers.rendering import is_system
from commontrace_backend.contexts.compression.compaction import propose
from commontrace_backend.contexts.compression.items import Item, by_group, shown
from commontrace_backend.contexts.compression.plan import SMALLEST_SUMMARY, plan
from commontrace_backend.tokens import FRAMING
from conversations import HISTORIES
from transcripts import LEXER, SESSION, assistant, cost, system, tool, user, window

ITEMS = window(SESSION)


def planned(budget: int, items: list[Item] = ITEMS) -> BudgetPlan:
    return plan(items, budget, propose(items, cost))


def kinds(budget: int, items: list[Item] = ITEMS) -> list[tuple[str, list[int]]]:
    return [(action.kind, action.positions) for action in planned(budget, items).actions]


def total(items: list[Item]) -> int:
    return sum(item.tokens for item in shown(items))


def after(items: list[Item], found: BudgetPlan) -> int:
    """What the window costs once the plan was carried out."""
    left = {item.slot_id: item.tokens for item in shown(items)}
    for action in found.actions:
        for slot in action.slots:
            del left[slot]  # no message is changed twice
        left |= {slot: cost(message) for slot, message in action.messages.items()}
        if action.target_tokens is not None:
            left[f"summary of {action.slots[0]}"] = action.target_tokens + FRAMING
    return sum(left.values())


def test_a_window_that_fits_is_left_alone() -> None:
    found = planned(total(ITEMS))
    assert (found.actions, found.tokens_before, found.tokens_after, found.rebilled) == ([], 4832, 4832, 0)


def test_what_the_window_says_elsewhere_goes_before_what_it_does_not() -> None:
    assert kinds(4_000) == [("stale_read", [4])]
    assert kinds(2_000) == [("stale_read", [4]), ("tool_result", [8])]


def test_among_equals_the_last_goes_first_because_it_re_bills_least() -> None:
    long = [tool(name, "bash", {"command": f"run {name}"}, LEXER + name) for name in ("a", "b", "c")]
    items = window([user("Go."), *(message for turn in long for message in turn), user("On."), assistant("Yes.")])
    first, second = planned(total(items) - 800, items).actions
    assert (first.positions, second.positions) == ([6], [4])
    assert first.rebilled == sum(item.tokens for item in items[6:]) - first.tokens_saved
    assert first.rebilled < second.rebilled


def test_what_a_larger_action_makes_needless_is_not_done() -> None:
    assert kinds(4_811) == [("failed_turn", [5, 6])]
    assert kinds(4_000) == [("stale_read", [4])]


def test_where_nothing_smaller_will_do_the_oldest_messages_are_covered() -> None:
    found = planned(800)
    cover = found.actions[-1]
    assert (cover.action, cover.kind, cover.risk) == ("cover", "old_messages", "high")
    assert cover.positions == list(range(1, 9))
    assert cover.target_tokens is not None
    assert cover.tokens_saved == sum(ITEMS[place].tokens for place in range(1, 9)) - cover.target_tokens - FRAMING
    assert "8 oldest messages, to 8" in cover.reason
    assert found.tokens_after <= 800


def test_the_whole_plan_re_bills_from_its_first_change_on() -> None:
    found = planned(800)
    assert found.rebilled == found.tokens_after - ITEMS[0].tokens


def test_pinned_messages_stay_in_the_middle_of_what_is_covered() -> None:
    items = window(SESSION, {9: "pinned", 1: "important"})
    [cover] = [action for action in planned(400, items).actions if action.action == "cover"]
    assert {1, 9}.isdisjoint(cover.positions)
    assert {2, 10} <= {*cover.positions}


def test_a_budget_that_cannot_be_met_is_refused_with_the_least_that_can() -> None:
    with pytest.raises(InvalidInputError, match="Impossible: this window cannot cost less than 107 tokens") as caught:
        planned(106)
    least = caught.value.extra["at_least"]
    assert least == sum(ITEMS[place].tokens for place in (0, 18, 19)) + SMALLEST_SUMMARY + FRAMING
    assert planned(107).tokens_after == 107


def test_a_window_of_what_must_stay_is_its_own_least() -> None:
    items = window([system("Be kind."), user("Hello."), assistant("Hello.")], {1: "pinned"})
    with pytest.raises(InvalidInputError, match=f"less than {total(items)} tokens"):
        planned(5, items)
    with pytest.raises(InvalidInputError, match="less than 0 tokens"):
        planned(-1, [])


def test_a_message_is_changed_once_by_what_saves_more() -> None:
    said = [*tool("a", "Read", {"path": "a.py"}, LEXER), *tool("b", "Read", {"path": "a.py"}, LEXER)]
    items = window([*said, user("On."), assistant("Yes.")])
    assert [one.kind for one in propose(items, cost) if one.items[0].position < 2] == [
        "stale_read",
        "duplicate",
        "tool_result",
    ]
    assert kinds(total(items) - 1, items) == [("duplicate", [0, 1])]


PATHS = st.sampled_from(["src/a.py", "src/b.py"])
TURNS = st.one_of(
    st.builds(lambda words: [user("Please " + "do it " * words)], st.integers(0, 200)),
    st.builds(lambda words: [assistant("I did " + "it well " * words)], st.integers(0, 200)),
    st.builds(lambda words: [system("Be " + "kind " * words)], st.integers(0, 40)),
    st.builds(lambda path, size: tool("r", "read_file", {"path": path}, "x = 1\n" * size), PATHS, st.integers(0, 900)),
    st.builds(lambda path: tool("w", "edit_file", {"path": path, "old": "x"}, "edited"), PATHS),
    st.builds(
        lambda name, failed: tool("s", "bash", {"command": f"pytest {name}"}, "line\n" * 90, is_error=failed),
        st.sampled_from(["a", "b"]),
        st.booleans(),
    ),
    st.builds(lambda raw: [parse_message(raw[0])] if raw else [], HISTORIES),
)
WINDOWS = st.builds(
    lambda turns, priorities: window(
        [message for turn in turns for message in turn], dict(enumerate(priorities))
    ),
    st.lists(TURNS, max_size=12),
    st.lists(st.sampled_from(["normal", "normal", "normal", "important", "pinned", "skip"]), max_size=24),
)  # fmt: skip


@given(WINDOWS, st.floats(0, 1.1), st.integers(0, 3))
def test_a_plan_fits_its_budget_or_says_the_least_that_can_be_reached(
    items: list[Item], share: float, keep_newest: int
) -> None:
    budget = int(total(items) * share)
    proposals = propose(items, cost, keep_newest)
    try:
        found = plan(items, budget, proposals, keep_newest)
    except InvalidInputError as error:
        least = error.extra["at_least"]
        assert isinstance(least, int)
        assert least > budget
        assert after(items, plan(items, least, proposals, keep_newest)) == least
        with pytest.raises(InvalidInputError):
            plan(items, least - 1, proposals, keep_newest)
        return
    assert after(items, found) == found.tokens_after <= budget
    assert found.tokens_before == total(items)
    assert all(action.tokens_saved > 0 for action in found.actions)


@given(WINDOWS, st.floats(0, 1), st.integers(0, 3))
def test_a_plan_touches_nothing_that_must_stay_and_divides_no_group(
    items: list[Item], share: float, keep_newest: int
) -> None:
    try:
        found = plan(items, int(total(items) * share), propose(items, cost, keep_newest), keep_newest)
    except InvalidInputError:
        return
    touched = {slot for action in found.actions for slot in action.slots}
    newest = sorted(by_group(shown(items)), key=lambda group: -group[-1].position)[:keep_newest]
    stays = {item.slot_id for item in items if item.priority != "normal" or is_system(item.message)}
    assert touched.isdisjoint(stays | {item.slot_id for group in newest for item in group})
    gone = [{*action.slots} for action in found.actions if action.action != "edit"]
    for group in by_group(shown(items)):
        slots = {item.slot_id for item in group}
        assert all(slots <= those or slots.isdisjoint(those) for those in gone)


@given(WINDOWS, st.floats(0, 1))
def test_no_action_of_a_plan_is_needless(items: list[Item], share: float) -> None:
    budget = int(total(items) * share)
    try:
        found = plan(items, budget, propose(items, cost))
    except InvalidInputError:
        return
    spare = budget - found.tokens_after
    assert all(action.tokens_saved > spare for action in found.actions if action.action != "cover")


def test_messages_of_a_plan_are_what_the_window_gets() -> None:
    [action] = planned(4_000).actions
    assert action.messages["0004slot"]["parts"][0]["content"].startswith("[left out: src/parser/lexer.py was read")
    assert BudgetPlan.model_validate_json(planned(800).model_dump_json()) == planned(800)
