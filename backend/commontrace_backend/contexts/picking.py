"""Bringing what commits changed to another state: cherry-pick, revert, restore."""

from collections.abc import Iterable, Sequence
from typing import Any

from commontrace.errors import MergeConflictError
from commontrace.objects import Commit
from commontrace_backend.contexts import store
from commontrace_backend.contexts.patch import Refusal, difference, fit, operations
from commontrace_backend.contexts.places import SHORT, Place
from commontrace_backend.contexts.state import State, extended
from commontrace_backend.contexts.states import state_at
from commontrace_backend.database.session import ReadSession


async def picked(
    session: ReadSession, place: Place, here: State, commit_ids: Iterable[str], strategy: str = "store"
) -> list[dict[str, Any]]:
    """The operations that bring what commits changed, one after another, to a state.

    Raises:
        MergeConflictError: a register holds something else here than where the commit was made, and no side is chosen.
    """
    made: list[dict[str, Any]] = []
    for commit_id in commit_ids:
        before, after = await around(session, place, commit_id)
        brought = transferred(before, after, here, strategy)
        here = extended(here, brought, "picked")
        made += brought
    return made


async def around(session: ReadSession, place: Place, commit_id: str) -> tuple[State, State]:
    """The states before a commit, on its first parent, and at it."""
    row = await store.find_commit(session, place.id, commit_id)
    assert row is not None
    parents = Commit.decode(row.encoded).parents
    return await state_at(session, place.id, parents[0] if parents else None), await state_at(
        session, place.id, commit_id
    )


def transferred(before: State, after: State, here: State, strategy: str = "store") -> list[dict[str, Any]]:
    """The operations that make the change between two states on a third; raises MergeConflictError."""
    wanted, refused = fit(difference(before, after), here, after)
    if refused and strategy == "store":
        raise _refused(refused)
    if strategy == "theirs":
        wanted += [refusal.change for refusal in refused]
    return operations(wanted, here, after)


def _refused(refused: Sequence[Refusal]) -> MergeConflictError:
    places = ", ".join(f"{refusal.change.slot_id[:SHORT]} ({refusal.change.register})" for refusal in refused[:5])
    return MergeConflictError(
        f"What is to be changed says something else by now: {places}.",
        "Choose a strategy: theirs takes the change, ours leaves what is here.",
        {"slots": [refusal.change.slot_id for refusal in refused]},
    )
