"""Taking out what nothing needs: commits that no ref, log, call or young commit leads to, and the messages of those."""

import asyncio
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from commontrace.models.contexts import CollectResult, NewCollection, StoreSize
from commontrace.objects import Commit
from commontrace_backend.contexts import audit_store, store
from commontrace_backend.contexts.places import Place, open_place
from commontrace_backend.contexts.reachable import blobs_of, closure
from commontrace_backend.contexts.store import Entry
from commontrace_backend.contributors.caller import Caller
from commontrace_backend.database.engine import Database
from commontrace_backend.database.session import ReadSession, WriteSession

TABLES: Final = ("blobs", "commits", "commit_traces", "operations", "call_records")
"""What a collection or a purge takes something out of."""


@dataclass
class _Marked:
    """What is needed, and what is not.

    Attributes:
        commits: what is not needed, each with its bytes.
        blobs: likewise.
        young: commits that are kept only because they are young.
        log: the entries of the operation log that name what is not needed.
    """

    commits: dict[str, int] = field(default_factory=dict)
    blobs: dict[str, int] = field(default_factory=dict)
    young: int = 0
    log: list[Any] = field(default_factory=list)

    @property
    def bytes(self) -> int:
        """What goes, in bytes."""
        return sum(self.commits.values()) + sum(self.blobs.values())


async def collect(database: Database, caller: Caller, name: str, wanted: NewCollection) -> CollectResult:
    """Take out what nothing needs and what is older than the grace; doing it again changes nothing.

    Needed is what leads to a branch or tag, to what the operation log names within the grace, to the commit of a call
    record, to a commit that is younger than the grace, or that was purged (or an old bundle would bring it back).
    """
    before = datetime.now(UTC) - timedelta(days=wanted.grace_days)
    compacted = False
    if wanted.dry_run:
        async with database.reading(caller.tenant_id) as session:
            place = await open_place(session, caller, name)
            marked = await _mark(session, place, before)
    else:
        # Under the lock from the first look on: a branch made meanwhile could lead to what is about to go.
        async with database.writing(caller.tenant_id) as session:
            place = await open_place(session, caller, name)
            marked = await _mark(session, place, before)
            await _sweep(session, caller, place, marked)
        if marked.commits or marked.blobs:
            compacted = await database.compact(TABLES)
    return CollectResult(
        repository=name,
        commits=len(marked.commits),
        blobs=len(marked.blobs),
        bytes=marked.bytes,
        kept_young=marked.young,
        compacted=compacted,
        size=await size(database, place),
    )


async def size(database: Database, place: Place) -> StoreSize:
    """What a repository takes up."""
    async with database.reading(place.tenant_id) as session:
        commits, blobs, total = await audit_store.totals(session, place.id)
    return StoreSize(
        commits=commits,
        blobs=blobs,
        bytes=total,
        bytes_per_message=round(total / blobs, 1) if blobs else 0.0,
        store_bytes=await database.size(),
    )


@dataclass
class _Everything:
    """What a repository holds."""

    parents: dict[str, tuple[str, ...]] = field(default_factory=dict)
    named: dict[str, list[str]] = field(default_factory=dict)
    sizes: dict[str, int] = field(default_factory=dict)
    young: set[str] = field(default_factory=set)

    def take(self, rows: Iterable[Any], before: datetime) -> None:
        """Read commits."""
        for row in rows:
            commit = Commit.decode(row.encoded)
            self.parents[row.commit_id] = commit.parents
            self.named[row.commit_id] = blobs_of(commit)
            self.sizes[row.commit_id] = row.size
            if datetime.fromisoformat(commit.time) > before:
                self.young.add(row.commit_id)


async def _mark(session: ReadSession, place: Place, before: datetime) -> _Marked:
    every = _Everything()
    async for rows in audit_store.all_commits(session, place.id):
        await asyncio.to_thread(every.take, rows, before)
    purges = await audit_store.purges(session, place.id)
    roots, blobs, old = await _roots(session, place, before)
    needed = closure([*roots, *purges], every.parents)
    kept = closure([*needed, *every.young], every.parents)
    held = {*blobs, *purges, *(blob_id for commit_id in kept for blob_id in every.named[commit_id])}
    marked = _Marked(young=len(kept - needed))
    marked.commits = {one: size for one, size in every.sizes.items() if one not in kept}
    async for rows in audit_store.blob_sizes(session, place.id):
        marked.blobs.update((row.blob_id, row.size) for row in rows if row.blob_id not in held)
    marked.log = [row for row in old if any(_lost(item, marked) for item in row.changes)]
    return marked


async def _roots(session: ReadSession, place: Place, before: datetime) -> tuple[set[str], set[str], list[Any]]:
    """Commits and blobs that are needed for themselves, and the entries of the log that are beyond the grace."""
    roots = {row.commit_id for row in await store.all_refs(session, place.id)}
    blobs: set[str] = set()
    old: list[Any] = []
    async for rows in audit_store.all_operations(session, place.id):
        for row in rows:
            if row.created_at > before:
                roots.update(item[side] for item in row.changes for side in ("before", "after") if item[side])
            else:
                old.append(row)
    async for rows in audit_store.all_calls(session, place.id):
        roots.update(row.commit_id for row in rows)
        blobs.update(blob_id for row in rows for blob_id in row.tools)
    return roots, blobs, old


def _lost(item: Mapping[str, Any], marked: _Marked) -> list[str]:
    return [item[side] for side in ("before", "after") if item[side] in marked.commits]


async def _sweep(session: WriteSession, caller: Caller, place: Place, marked: _Marked) -> None:
    if not marked.commits and not marked.blobs:
        return
    await audit_store.delete_objects(session, place.id, marked.commits, marked.blobs)
    noted = [
        {
            "number": row.operation_id,
            "said": row.summary,
            "moved": [_noted(item, _lost(item, marked)) for item in row.changes],
        }
        for row in marked.log
    ]
    await audit_store.change_operations(session, noted)
    said = f"collected {len(marked.commits)} commits and {len(marked.blobs)} messages"
    await store.log_operation(session, place.key, caller, Entry("gc", said, []))


def _noted(item: Mapping[str, Any], lost: list[str]) -> dict[str, Any]:
    """A change of the operation log that says which of its commits are gone."""
    return {**item, "collected": [*item.get("collected", ()), *lost]} if lost else dict(item)
