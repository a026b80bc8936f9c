"""Histories of commits for the core's laws: any operation on any slot, branches, merges of two and of three."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from random import Random
from typing import Any

from hypothesis import strategies as st

from commontrace.errors import InvalidInputError
from commontrace.objects import PRIORITIES, Commit
from commontrace_backend.contexts.conflicts import conflicts
from commontrace_backend.contexts.state import State, extended, replay
from commontrace_backend.contexts.view import View

Operation = dict[str, Any]
KINDS = ("append", "edit", "annotate", "note", "remove", "restore", "move", "cover", "uncover", "narrow", "widen")
_OFTEN = (*KINDS, "append", "cover")


def commit(parents: list[str], operations: list[Operation], name: str = "") -> Commit:
    """A commit that says nothing but its operations."""
    return Commit(tuple(parents), tuple(operations), author="", agent="", time=name, message="")


@dataclass
class History:
    """Commits by name, parents first, with what each of them means."""

    commits: dict[str, Commit] = field(default_factory=dict)
    states: dict[str, State] = field(default_factory=dict)

    def add(self, name: str, parents: list[str], operations: list[Operation]) -> None:
        self.commits[name] = commit(parents, operations, name)
        self.states[name] = replay(name, self.commits)

    def merged(self, *parents: str, operations: list[Operation] | None = None) -> State:
        """What comes together in a commit with these parents."""
        return self.joined("merge", list(parents), operations or []).states["merge"]

    def joined(self, name: str, parents: list[str], operations: list[Operation] | None = None) -> "History":
        """The same history with one more commit."""
        more = History(dict(self.commits), dict(self.states))
        more.add(name, parents, operations or [])
        return more

    def before(self, name: str) -> set[str]:
        """A commit and all that lead to it."""
        found, waiting = set[str](), [name]
        while waiting:
            one = waiting.pop()
            if one not in found:
                found.add(one)
                waiting += self.commits[one].parents
        return found


def an_operation(random: Random, state: State, name: str) -> Operation | None:
    """One that the state bears; None where its kind finds nothing to work on."""
    kind = random.choice(_OFTEN)
    slots = list(state.order)
    summaries = [one for one in slots if state.slots[one].is_summary]
    if kind == "append" or not slots:
        return {"op": "append", "slot": f"slot {name}", "blob": f"blob {name}"}
    if kind == "cover":
        return _cover(random, state, name)
    if kind in {"narrow", "widen", "uncover"}:
        return _on_a_summary(random, state, kind, summaries)
    few = slots[:2] if random.random() < 0.5 else slots  # so that branches meet on one message
    return _written(random, kind, random.choice(few), slots)


def _written(random: Random, kind: str, slot: str, slots: list[str]) -> Operation:
    priority = {"level": random.choice(PRIORITIES), "reason": ""}
    elsewhere = random.choice([one for one in ["", *slots] if one != slot])
    note = {"op": "annotate", "slot": random.choice([slot, ""]), "key": "keep", "value": random.choice(["a", "b"])}
    written: dict[str, Operation] = {
        "edit": {"op": "edit", "slot": slot, "blob": f"edit {random.randint(0, 2)}"},
        "annotate": {"op": "annotate", "slot": slot, "key": "priority", "value": priority},
        "note": note,
        "move": {"op": "move", "slot": slot, "after": elsewhere},
    }
    return written.get(kind, {"op": kind, "slot": slot})


def _on_a_summary(random: Random, state: State, kind: str, summaries: list[str]) -> Operation | None:
    if not summaries:
        return None
    chosen = random.choice(summaries)
    if kind == "uncover":
        return {"op": "uncover", "slot": chosen}
    return _narrowed(state, chosen) if kind == "narrow" else _widened(random, state, chosen)


def _cover(random: Random, state: State, name: str) -> Operation | None:
    """A summary of some that are shown, in a row more often than not."""
    shown = [one.slot_id for one in View(state).shown]
    if not shown:
        return None
    start = random.randrange(len(shown))
    covers = shown[start : start + random.randint(1, 4)]
    if random.random() < 0.2:
        covers = random.sample(shown, random.randint(1, min(3, len(shown))))
    return {"op": "cover", "slot": f"sum {name}", "blob": f"sum blob {name}", "covers": covers}


def _narrowed(state: State, slot_id: str) -> Operation | None:
    slot = state.slots[slot_id]
    covers = slot.value("cover") or ()
    if len(covers) < 2:
        return None
    return {"op": "cover", "slot": slot_id, "blob": slot.blob_id, "covers": list(covers)[1:]}


def _widened(random: Random, state: State, slot_id: str) -> Operation | None:
    """It stands for one more that is shown, and that it can stand for."""
    slot = state.slots[slot_id]
    covers = list(slot.value("cover") or ())
    more = [one.slot_id for one in View(state).shown if one.slot_id not in {slot_id, *covers}]
    if not more:
        return None
    summaries = [one for one in more if state.slots[one].is_summary]
    more = summaries if summaries and random.random() < 0.5 else more
    wider = {"op": "cover", "slot": slot_id, "blob": slot.blob_id, "covers": [*covers, random.choice(more)]}
    try:
        extended(state, [wider])
    except InvalidInputError:  # it would stand for itself
        return None
    return wider


def some_operations(random: Random, state: State, name: str, most: int = 3) -> list[Operation]:
    """A few, one after another."""
    made: list[Operation] = []
    for number in range(random.randint(1, most)):
        operation = an_operation(random, state, f"{name}.{number}")
        if operation:
            made.append(operation)
            state = extended(state, [operation], name)
    return made


def history(random: Random, most: int = 14) -> History:
    """Commits on up to four lines that part, cross and come together; merges may write too."""
    found = History()
    first = [{"op": "append", "slot": f"slot c0.{at}", "blob": f"blob c0.{at}"} for at in range(random.randint(1, 6))]
    found.add("c0", [], first)
    for number in range(1, random.randint(2, most)):
        names = list(found.commits)
        recent = names[-4:]
        parents = random.sample(recent, min(len(recent), random.choice([1, 1, 1, 2, 2, 3])))
        if random.random() < 0.1:
            parents = [random.choice(names)]
        state = found.merged(*parents)
        alone = len(parents) == 1
        operations = some_operations(random, state, f"c{number}") if alone or random.random() < 0.3 else []
        found.add(f"c{number}", parents, operations)
    return found


def together(found: History, one: str, other: str) -> set[tuple[str, str, bool]]:
    """What was done on the two sides of a merge: the kinds of two operations, and whether they touch one slot."""
    before = found.before(one), found.before(other)
    ours, theirs = ([*_kinds(found, side - rest)] for side, rest in (before, before[::-1]))
    return {(kind, its_kind, not slots.isdisjoint(its)) for kind, slots in ours for its_kind, its in theirs}


def _kinds(found: History, commits: set[str]) -> Iterator[tuple[str, set[str]]]:
    """The operations of some commits: of which kind, and the slots that they touch."""
    for name in commits:
        made = found.commits[name]
        state = found.merged(*made.parents) if made.parents else State()
        for operation in made.operations:
            yield _kind(operation, state), {operation["slot"], *operation.get("covers", ())}
            state = extended(state, [operation], name)


def _kind(operation: Operation, state: State) -> str:
    kind: str = operation["op"]
    if kind == "annotate" and operation["key"] != "priority":
        return "note"
    if kind != "cover" or operation["slot"] not in state.slots:
        return kind
    known = state.slots[operation["slot"]].value("cover") or ()
    return "narrow" if {*operation["covers"]} <= {*known} else "widen"


def two(found: History, random: Random) -> tuple[str, str]:
    """Two commits; mostly such that neither leads to the other, where there are any."""
    names = list(found.commits)
    one, other = random.choice(names), random.choice(names)
    for _ in range(3):
        if one not in found.before(other) and other not in found.before(one):
            break
        one, other = random.choice(names), random.choice(names)
    return one, other


HISTORIES = st.randoms(use_true_random=False).map(history)
"""Shrinks to few commits and operations."""


def faces(state: State) -> list[tuple[str, str, str]]:
    """What a window shows: slot, message, priority."""
    return [(one.slot_id, one.blob_id, one.priority) for one in View(state).shown]


def registers(state: State) -> dict[str, Any]:
    """Every slot with what stands in its registers, whoever is ours."""
    return {
        slot_id: (slot.blob_id, {name: {(repr(one.value), one.commit_id) for one in writes}
                                 for name, writes in slot.registers.items()})
        for slot_id, slot in state.slots.items()
    }  # fmt: skip


def disagreements(state: State) -> set[Any]:
    """Every conflict, whoever is ours."""
    return {
        (one.kind, frozenset({one.slot_id, one.other}), one.register, frozenset((repr(v), c) for v, c in one.values))
        for one in conflicts(state)
    }
