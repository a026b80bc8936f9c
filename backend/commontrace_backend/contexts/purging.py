"""Taking a text out of everything that is stored, so that no file holds it; ids, order and structure stay."""

import asyncio
import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Final

from sqlalchemy import Row

from commontrace.errors import AmbiguousRefError, ConflictError, ForbiddenError, InvalidInputError, NotFoundError
from commontrace.models.canonical import canonical
from commontrace.models.contexts import NewPurge, PurgeResult
from commontrace.objects import Commit, identify
from commontrace_backend.contexts import audit_store, store
from commontrace_backend.contexts.collecting import TABLES
from commontrace_backend.contexts.contents import cost, counting
from commontrace_backend.contexts.deliveries import forget_words
from commontrace_backend.contexts.layouts import LAYOUTS
from commontrace_backend.contexts.places import SHORT, Place, open_place, resolve
from commontrace_backend.contexts.recounting import recount
from commontrace_backend.contexts.states import MEMORY, state_at
from commontrace_backend.contexts.store import Entry
from commontrace_backend.contexts.tombstones import Needle, holds, marker, purged_commit, purged_message
from commontrace_backend.contributors.caller import Caller
from commontrace_backend.database.engine import Database
from commontrace_backend.database.session import ReadSession, WriteSession
from commontrace_backend.tokens import default_counter

_LONGEST_LIST: Final = 20


@dataclass
class _Found:
    """What has to go, and what stands in its place.

    Attributes:
        blobs: the bytes that come in the place of each blob's.
        rows: those blobs as they are.
        commits: the bytes that come in the place of each commit's.
        sizes: what each object had, in bytes.
    """

    blobs: dict[str, bytes] = field(default_factory=dict)
    rows: dict[str, Row[Any]] = field(default_factory=dict)
    commits: dict[str, bytes] = field(default_factory=dict)
    sizes: dict[str, int] = field(default_factory=dict)

    def take_blobs(self, rows: Sequence[Row[Any]], wanted: Collection[str], needle: Needle | None, said: str) -> None:
        """Look at blobs: those that are named, or that hold a text."""
        for row in rows:
            message = json.loads(row.encoded)
            if row.blob_id in wanted or (needle and holds(message, needle)):
                bare = canonical(purged_message(message, said, needle))
                if bare != row.encoded:
                    self.blobs[row.blob_id], self.rows[row.blob_id] = bare, row
                    self.sizes[row.blob_id] = len(row.encoded)

    def take_commits(self, rows: Sequence[Row[Any]], needle: Needle) -> None:
        """Look at commits: those of which the words hold a text."""
        for row in rows:
            bare = purged_commit(Commit.decode(row.encoded), needle).encoded()
            if bare != row.encoded:
                self.commits[row.commit_id] = bare
                self.sizes[row.commit_id] = len(row.encoded)


async def purge(database: Database, caller: Caller, name: str, wanted: NewPurge) -> PurgeResult:
    """Take a text, a message or a blob out of objects, log and files. Nothing brings it back, undo neither.

    Raises:
        InvalidInputError: not exactly one of text, slot and blob; or the reason holds the text.
        NotFoundError: nothing holds it.
        ForbiddenError: the repository is somebody else's, and the caller is no admin of its organization.
        ConflictError: a branch or tag has the text in its name.
    """
    _check(wanted)
    needle = Needle.of(wanted.text, wanted.reason) if wanted.text is not None else None
    async with database.writing(caller.tenant_id) as session:
        place = await open_place(session, caller, name)
        await _must_own(session, caller, place)
        named = await _named(session, place, wanted)
        found = await _find(session, place, named, needle, marker(wanted.reason))
        log = await _of_log(session, place, needle) if needle else []
        if not found.blobs and not found.commits and not log and not named:
            raise NotFoundError("Nothing in this context holds that text.", "Give it exactly as it was said.")
        await _replace(session, place, found)
        await forget_words(session, place)
        await audit_store.change_operations(session, log)
        await audit_store.note_purges(session, _notes(place, caller, found, wanted.reason))
        said = f"purged {len(found.blobs)} messages and words of {len(found.commits)} commits"
        await store.log_operation(session, place.key, caller, Entry("purge", said, []))
        summaries = await _summaries(session, place, found.blobs)
    MEMORY.clear()  # states hold notes word for word
    LAYOUTS.clear()
    return PurgeResult(
        repository=name,
        blobs=list(found.blobs),
        commits=list(found.commits),
        operations=len(log),
        erased=await database.compact([*TABLES, "purged_objects", "commit_keys"]),
        left=[*summaries, *_aside(await database.copies())],
    )


def _check(wanted: NewPurge) -> None:
    if sum(given is not None for given in (wanted.text, wanted.slot, wanted.blob)) != 1:
        raise InvalidInputError("It is not said what is to be purged.", "Give text, slot or blob: one.")
    if wanted.text is not None and wanted.text in wanted.reason:
        raise InvalidInputError("The reason holds the text that is to go.", "Say it without.")


async def _must_own(session: ReadSession, caller: Caller, place: Place) -> None:
    """What nothing brings back is for the owner to take out, not for whoever may write here."""
    admin = "admin" in caller.scopes and place.tenant_id == caller.tenant_id
    if not admin and not await audit_store.is_owner(session, place.id, caller.contributor_id):
        raise ForbiddenError(
            f"The context {place.name} is somebody else's: purging takes out what nothing brings back.",
            "Ask its owner or an admin of your organization to purge it.",
        )


def _aside(copies: Sequence[str]) -> list[str]:
    return [f"{path} was put aside by an upgrade: delete it if the text is older." for path in copies]


async def _named(session: ReadSession, place: Place, wanted: NewPurge) -> set[str]:
    """The blobs that are named by themselves, or that a slot ever had, on whatever branch."""
    if wanted.blob:
        return {await _by_prefix(session, place, wanted.blob)}
    if not wanted.slot:
        return set()
    state = await state_at(session, place.id, await resolve(session, place, wanted.ref))
    slots = [slot_id for slot_id in state.order if slot_id.startswith(wanted.slot)]
    if not slots:
        raise NotFoundError(f"There is no message {wanted.slot} in this history.", "See the slots of the window.")
    if len(slots) > 1:
        raise _ambiguous(wanted.slot, slots)
    found: set[str] = set()
    async for rows in audit_store.all_commits(session, place.id):
        for row in rows:
            operations = Commit.decode(row.encoded).operations
            found.update(one["blob"] for one in operations if one["slot"] == slots[0] and "blob" in one)
    return found


async def _by_prefix(session: ReadSession, place: Place, prefix: str) -> str:
    found = await audit_store.blobs_with_prefix(session, place.id, prefix)
    if not found:
        raise NotFoundError(f"There is no message {prefix} in this context.", "Give the first digits of its blob id.")
    if len(found) > 1:
        raise _ambiguous(prefix, found)
    return found[0]


def _ambiguous(prefix: str, found: list[str]) -> AmbiguousRefError:
    return AmbiguousRefError(
        f"{prefix} is the beginning of several messages.", "Give more digits.", {"candidates": found[:6]}
    )


async def _find(session: ReadSession, place: Place, named: set[str], needle: Needle | None, said: str) -> _Found:
    found = _Found()
    async for rows in audit_store.all_blobs(session, place.id):
        await asyncio.to_thread(found.take_blobs, rows, named, needle, said)
    if needle:
        async for rows in audit_store.all_commits(session, place.id):
            await asyncio.to_thread(found.take_commits, rows, needle)
    return found


async def _of_log(session: ReadSession, place: Place, needle: Needle) -> list[dict[str, Any]]:
    """Entries of the operation log as they are to be; raises ConflictError for a ref that is there."""
    held = [row.name for row in await store.all_refs(session, place.id) if needle.in_text(row.name)]
    if held:
        raise ConflictError(f"{held[0]} has the text in its name.", "Delete that branch or tag, then purge again.")
    found = []
    async for rows in audit_store.all_operations(session, place.id):
        for row in rows:
            moved = [item for item in row.changes if not needle.in_value(item)]
            said = needle.taken_out(row.summary)
            if said != row.summary or len(moved) < len(row.changes):
                found.append({"number": row.operation_id, "said": said, "moved": moved})
    return found


async def _replace(session: WriteSession, place: Place, found: _Found) -> None:
    """Put the bare bytes in place, and count anew what windows come to."""
    costs = {blob_id: cost(default_counter(), json.loads(bare)) for blob_id, bare in found.blobs.items()}
    fewer = {blob_id: costs[blob_id] - _cost(row) for blob_id, row in found.rows.items()}
    shown = await recount(session, place, fewer)
    key = {"repository": place.id}
    rows = [
        {**key, "blob": blob_id, "bytes": bare, "cost": costs[blob_id], "counted": counting()}
        for blob_id, bare in found.blobs.items()
    ]
    await audit_store.change_blobs(session, rows)
    rows = [{**key, "commit": commit_id, "bytes": bare} for commit_id, bare in found.commits.items()]
    await audit_store.change_commits(session, rows)
    await audit_store.forget_requests(session, place.id, shown)


def _cost(row: Row[Any]) -> int:
    return row.tokens if row.encoding == counting() else cost(default_counter(), json.loads(row.encoded))


def _notes(place: Place, caller: Caller, found: _Found, reason: str) -> list[dict[str, Any]]:
    by_kind: Mapping[str, Mapping[str, bytes]] = {"blob": found.blobs, "commit": found.commits}
    return [
        {
            **place.key,
            "object_id": object_id,
            "contributor_id": caller.contributor_id,
            "kind": kind,
            "reason": reason,
            "size": found.sizes[object_id],
            "replacement": identify(kind, bare),
            "created_at": datetime.now(UTC),
        }
        for kind, objects in by_kind.items()
        for object_id, bare in objects.items()
    ]


async def _summaries(session: ReadSession, place: Place, blobs: Collection[str]) -> list[str]:
    """Summaries of slots that held what was purged: they may say it in other words."""
    slots: set[str] = set()
    covers: dict[str, tuple[str, list[str]]] = {}
    async for rows in audit_store.all_commits(session, place.id):
        for row in rows:
            commit = Commit.decode(row.encoded)
            for operation in commit.operations:
                if operation.get("blob") in blobs:
                    slots.add(operation["slot"])
                if operation["op"] == "cover":
                    covers[operation["slot"]] = (operation["blob"], operation["covers"])
    found = [
        slot_id
        for slot_id, (blob_id, covered) in covers.items()
        if blob_id not in blobs and not slots.isdisjoint(covered)
    ]
    return [f"The summary {slot_id[:SHORT]} may say it in other words." for slot_id in found[:_LONGEST_LIST]]
