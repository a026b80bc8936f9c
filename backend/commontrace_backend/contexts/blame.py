"""Where what a window shows comes from: every operation that touched a message, oldest first."""

import json
from collections.abc import Sequence
from typing import Any

from commontrace.models.contexts import SlotHistory, SlotVersion
from commontrace.objects import Commit
from commontrace.providers.messages import text_of
from commontrace_backend.contexts import store
from commontrace_backend.contexts.graph import parents_first
from commontrace_backend.contexts.places import open_place, resolve
from commontrace_backend.contexts.targets import Desk, lay_out
from commontrace_backend.contexts.view import priority_of
from commontrace_backend.contexts.walk import commits_to
from commontrace_backend.contributors.caller import Caller
from commontrace_backend.database.session import ReadSession

Touched = tuple[str, Commit, dict[str, Any]]


async def slot_history(session: ReadSession, caller: Caller, name: str, ref: str, slot: str) -> SlotHistory:
    """Everything that was done to a message on the way to a ref."""
    place = await open_place(session, caller, name)
    desk = await lay_out(session, place, await resolve(session, place, ref))
    slot_id = desk.find(slot)
    touched = await _touching(session, desk, slot_id)
    found = desk.state.slots[slot_id]
    return SlotHistory(
        slot_id=slot_id,
        shown=desk.view.hidden(found) is None,
        hidden_by=desk.view.hidden(found),
        priority=priority_of(found),
        versions=await _versions(session, desk, touched),
    )


async def contents_of(session: ReadSession, desk: Desk, slot_id: str) -> list[str]:
    """The blob ids that a message had, the first one first."""
    return _contents([operation for _, _, operation in await _touching(session, desk, slot_id)])


def _contents(operations: Sequence[dict[str, Any]]) -> list[str]:
    found: list[str] = []
    for operation in operations:
        if operation["op"] == "edit" or (operation["op"] in {"append", "cover"} and not found):
            found.append(operation["blob"])
    return found


async def _touching(session: ReadSession, desk: Desk, slot_id: str) -> list[Touched]:
    """Every operation on a slot, with its commit; those that cover it too."""
    commits = await commits_to(session, desk.place.id, desk.head)
    return [
        (commit_id, commits[commit_id], operation)
        for commit_id in parents_first([desk.head], lambda one: commits[one].parents)
        for operation in commits[commit_id].operations
        if operation["slot"] == slot_id or slot_id in operation.get("covers", ())
    ]


async def _versions(session: ReadSession, desk: Desk, touched: Sequence[Touched]) -> list[SlotVersion]:
    named = [operation["blob"] for _, _, operation in touched if "blob" in operation]
    texts = {
        blob_id: text_of(json.loads(row.encoded))
        for blob_id, row in (await store.find_blobs(session, desk.place.id, named)).items()
    }
    found: list[SlotVersion] = []
    number = 0
    for commit_id, commit, operation in touched:
        content = operation["op"] == "edit" or (operation["op"] in {"append", "cover"} and number == 0)
        found.append(
            SlotVersion(
                commit_id=commit_id,
                kind=operation["op"],
                author=commit.author,
                agent=commit.agent,
                about=commit.message,
                version=number if content else None,
                text=texts.get(operation.get("blob", "")),
                value={name: value for name, value in operation.items() if name not in {"op", "slot", "blob"}} or None,
            )
        )
        number += content
    return found
