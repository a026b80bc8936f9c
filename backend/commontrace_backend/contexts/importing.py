"""Bundles in: checked as they arrive, without a lock; then stored in one transaction, or not at all."""

import asyncio
import tempfile
from collections.abc import AsyncIterable, AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, BinaryIO, Final

from sqlalchemy import Row

from commontrace.bundles import BundleReader, Item, line_of
from commontrace.errors import ConflictError, InvalidInputError
from commontrace.models.contexts import BundleResult, MovedRef, Purged
from commontrace.objects import Commit, identify
from commontrace_backend.contexts import audit_store, bundle_store, store
from commontrace_backend.contexts.contents import contents, cost, counting, window_tokens
from commontrace_backend.contexts.places import Place, make_place
from commontrace_backend.contexts.recording import change, perform
from commontrace_backend.contexts.refs import check_name
from commontrace_backend.contexts.state import extended
from commontrace_backend.contexts.states import merged_state
from commontrace_backend.contexts.store import Entry
from commontrace_backend.contexts.view import View
from commontrace_backend.contexts.walk import walk
from commontrace_backend.contributors.caller import Caller
from commontrace_backend.database.session import ReadSession, WriteSession
from commontrace_backend.tokens import default_counter

_IN_MEMORY: Final = 16 * 1024 * 1024


@dataclass(slots=True)
class Received:
    """A bundle that is whole and right in itself.

    Attributes:
        reader: what it says.
        lines: its objects, one a line, on disk where they are many.
        tokens: what each blob costs.
        purges: what of it was purged where it comes from.
    """

    reader: BundleReader
    lines: BinaryIO
    tokens: dict[str, int] = field(default_factory=dict)
    purges: dict[str, tuple[Item, Purged]] = field(default_factory=dict)

    def take(self, chunk: bytes) -> None:
        """Check the next bytes, and keep what they hold; raises as `BundleReader.feed` does."""
        counter = default_counter()
        for item in self.reader.feed(chunk):
            if item.kind == "blob":
                self.tokens[item.object_id] = cost(counter, item.value)
            if item.purged:
                self.purges[item.object_id] = item, item.purged
            self.lines.write(line_of(item.kind, item.object_id, item.encoded))


@asynccontextmanager
async def received(chunks: AsyncIterable[bytes]) -> AsyncIterator[Received]:
    """Take a bundle in and check it, in a thread; raises as `BundleReader` does."""
    with tempfile.SpooledTemporaryFile(_IN_MEMORY) as lines:
        bundle = Received(BundleReader(), lines)  # type: ignore[arg-type]  # a file, though typeshed does not say so
        async for chunk in chunks:
            await asyncio.to_thread(bundle.take, chunk)
        bundle.reader.close()
        yield bundle


async def import_bundle(
    session: WriteSession, caller: Caller, name: str, bundle: Received, prefix: str
) -> BundleResult:
    """Store what a bundle holds, and move its refs: new ones are made, others only go forward.

    Args:
        session: the transaction.
        caller: who brings it.
        name: the repository; it is made if the name is new.
        bundle: what arrived.
        prefix: put in front of the name of every branch and tag, with a slash.

    Raises:
        InvalidInputError: it builds on commits or messages that are not here.
        ConflictError: a branch or tag of that name leads elsewhere here.
    """
    place = await make_place(session, caller, name, bundle.reader.requires)
    storing = _Storing(session, caller, place, bundle)
    await storing.check()
    await storing.store()
    changes = [moved for ref in bundle.reader.refs.items() if (moved := await _move(session, place, ref, prefix))]
    if changes:
        summary = f"{storing.new_commits} commits of {bundle.reader.repository}"
        await perform(session, caller, place, Entry("import", summary, changes))
    return BundleResult(
        repository=name,
        blobs=storing.new_blobs,
        commits=storing.new_commits,
        refs=[MovedRef.model_validate(moved) for moved in changes],
    )


async def _move(session: ReadSession, place: Place, ref: tuple[str, str], prefix: str) -> dict[str, Any] | None:
    """The change that a ref of the bundle asks for; None if it is there already, or even further."""
    kind, _, called = ref[0].partition("/")
    wanted = check_name(f"{prefix}/{called}" if prefix else called)
    before = await store.find_ref(session, place.id, kind, wanted)
    after = ref[1]
    if before is not None and (before == after or (kind == "branch" and await leads(session, place, after, before))):
        return None
    if before is not None and (kind == "tag" or not await leads(session, place, before, after)):
        raise ConflictError(
            f"The {kind} {wanted} is at {before[:10]} here, and at {after[:10]} in the bundle, which does not lead on "
            "from there.",
            "Give a prefix for the names of the bundle, and merge then. Nothing was written.",
        )
    return change(f"{kind}/{wanted}", before, after)


async def leads(session: ReadSession, place: Place, older: str, newer: str) -> bool:
    """Whether a commit is among those that lead to another one."""
    floor = await store.top_generation(session, place.id, [older])
    async for row, _ in walk(session, place.id, [newer]):
        if row.commit_id == older:
            return True
        if row.generation < floor:
            break
    return False


class _Storing:
    """Writes the objects of a bundle, with what is derived from them."""

    def __init__(self, session: WriteSession, caller: Caller, place: Place, bundle: Received) -> None:
        self.new_blobs = 0
        self.new_commits = 0
        self._session, self._caller, self._place, self._bundle = session, caller, place, bundle
        self._derived: dict[str, dict[str, Any]] = {}
        self._blobs: list[dict[str, Any]] = []
        self._commits: list[dict[str, Any]] = []
        self._links: list[dict[str, Any]] = []

    async def check(self) -> None:
        """Raise InvalidInputError unless everything that the bundle builds on is here."""
        reader = self._bundle.reader
        commits = await bundle_store.find_commits(self._session, self._place.id, reader.requires)
        self._derived = {commit_id: await self._standing(row) for commit_id, row in commits.items()}
        lacking = sorted(reader.requires - commits.keys())
        blobs = await bundle_store.present_blobs(self._session, self._place.id, reader.missing_blobs)
        lacking += sorted(reader.missing_blobs - blobs)
        if lacking:
            raise InvalidInputError(
                f"This bundle builds on {lacking[0][:10]}, which is not in {self._place.name}.",
                "Fetch a bundle of the whole history, or since a commit that you have. Nothing was written.",
            )

    async def store(self) -> None:
        """Write every object that is not there yet."""
        present = await bundle_store.present_blobs(self._session, self._place.id, self._bundle.reader.blobs)
        known = await bundle_store.find_commits(self._session, self._place.id, self._bundle.reader.commits)
        self.new_blobs = len(self._bundle.reader.blobs - present)
        self.new_commits = len(self._bundle.reader.commits - known.keys())
        purged = {*self._bundle.purges, *await audit_store.purges(self._session, self._place.id)}
        for blob_id in present & purged:  # what is here stays, and costs something else
            self._bundle.tokens.pop(blob_id, None)
        for kind, object_id, encoded in _objects(self._bundle.lines):
            if kind == "commit":
                await self._commit(object_id, encoded, known.get(object_id))
            elif object_id not in present:
                self._blobs.append(self._blob(object_id, encoded))
            if len(self._blobs) + len(self._commits) >= bundle_store.CHUNK:
                await self._flush()
        await self._flush()
        new = self._bundle.purges.keys() - present - known.keys()
        await audit_store.note_purges(self._session, [self._note(object_id) for object_id in new])

    def _note(self, object_id: str) -> dict[str, Any]:
        """A purge as it is written down here; who did it there may be nobody here."""
        item, purged = self._bundle.purges[object_id]
        return {
            **self._place.key,
            "object_id": object_id,
            "contributor_id": self._caller.contributor_id,
            "kind": item.kind,
            "reason": purged.reason,
            "size": purged.size,
            "replacement": identify(item.kind, item.encoded),
            "created_at": purged.at,
        }

    async def _flush(self) -> None:
        await store.add_blobs(self._session, self._blobs)
        await bundle_store.add_commits(self._session, self._commits, self._links)
        self._blobs, self._commits, self._links = [], [], []

    def _blob(self, blob_id: str, encoded: bytes) -> dict[str, Any]:
        tokens = self._bundle.tokens[blob_id]
        return {**self._place.key, "blob_id": blob_id, "encoded": encoded, "tokens": tokens, "encoding": counting()}

    async def _commit(self, commit_id: str, encoded: bytes, known: Row[Any] | None) -> None:
        if known is not None:
            self._derived[commit_id] = await self._standing(known)
            return
        commit = Commit.decode(encoded)
        derived = self._derived[commit_id] = await self._derive(commit_id, commit)
        key = {**self._place.key, "commit_id": commit_id}
        self._commits.append({**key, "encoded": encoded, **derived})
        self._links += [{**key, "trace_id": trace_id} for trace_id in commit.traces]

    async def _standing(self, row: Row[Any]) -> dict[str, Any]:
        return {
            "generation": row.generation,
            "window_messages": row.window_messages,
            "window_tokens": await window_tokens(self._session, self._place.id, row),
            "encoding": counting(),
        }

    async def _derive(self, commit_id: str, commit: Commit) -> dict[str, Any]:
        """How deep a commit is and what its window comes to: its parent's and what it appends, else by replay."""
        parents = [self._derived[parent] for parent in commit.parents]
        generation = max((parent["generation"] + 1 for parent in parents), default=0)
        costs = [self._bundle.tokens.get(operation.get("blob", "")) for operation in commit.operations]
        plain = len(parents) <= 1 and all(operation["op"] == "append" for operation in commit.operations)
        if plain and None not in costs:
            before = parents[0] if parents else {"window_messages": 0, "window_tokens": 0}
            messages = before["window_messages"] + len(costs)
            tokens = before["window_tokens"] + sum(tokens for tokens in costs if tokens)
        else:
            messages, tokens = await self._replayed(commit_id, commit)
        return {
            "generation": generation,
            "window_messages": messages,
            "window_tokens": tokens,
            "encoding": counting(),
        }

    async def _replayed(self, commit_id: str, commit: Commit) -> tuple[int, int]:
        await self._flush()
        before = await merged_state(self._session, self._place.id, commit.parents)
        shown = View(extended(before, commit.operations, commit_id)).shown
        found = await contents(self._session, self._place.id, shown)
        return len(found), sum(content.tokens for content in found)


def _objects(lines: BinaryIO) -> Iterator[tuple[str, str, bytes]]:
    """Kind, id and canonical bytes of every object that was kept."""
    lines.seek(0)
    for line in lines:
        kind = line[2 : line.index(b'"', 2)].decode()
        start = len(kind) + 5
        yield kind, line[start : start + 64].decode(), line[len(line_of(kind, "", b"")) + 64 - 2 : -2]
