"""A repository, or what of it somebody else has not yet, as a bundle."""

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import Row

from commontrace.bundles import BundleWriter
from commontrace.errors import NotFoundError
from commontrace.objects import Commit
from commontrace_backend.contexts import audit_store, bundle_store, store
from commontrace_backend.contexts.places import Place, open_place, resolve
from commontrace_backend.contexts.reachable import blobs_of
from commontrace_backend.contexts.walk import walk
from commontrace_backend.contributors.caller import Caller
from commontrace_backend.database.session import ReadSession

_FLUSH: Final = 256 * 1024  # bytes; smaller pieces cost more on the way than they hold


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which branches and tags (none: all), and which commits the other side has."""

    refs: Sequence[str] = ()
    since: Sequence[str] = ()


async def export(session: ReadSession, caller: Caller, name: str, wanted: Wanted) -> AsyncIterator[bytes]:
    """The bytes of a bundle, in pieces; the first one comes when everything that can be refused was looked at.

    Raises:
        NotFoundError: no such context, ref or commit.
    """
    place = await open_place(session, caller, name)
    refs = await _refs(session, place, wanted.refs)
    known = [await resolve(session, place, ref) for ref in wanted.since]
    commit_ids, requires = await _reach(session, place, list(refs.values()), known)
    writer = BundleWriter()
    purges = await audit_store.purges(session, place.id)
    piece = bytearray(writer.header(name, requires, purges=bool(purges)))
    async for line in objects(session, place, commit_ids, Lines(writer, purges)):
        piece += line
        if len(piece) >= _FLUSH:
            yield bytes(piece)
            piece.clear()
    for ref, commit_id in refs.items():
        piece += writer.ref(ref, commit_id)
    yield bytes(piece + writer.trailer())


async def _refs(session: ReadSession, place: Place, names: Sequence[str]) -> dict[str, str]:
    """Every ref that was asked for, by kind and name."""
    rows = await store.all_refs(session, place.id)
    found = {f"{row.kind}/{row.name}": row.commit_id for row in rows if row.kind != "remote"}
    if not names:
        return found
    chosen = {}
    for name in names:
        called = place.branch if name == "HEAD" else name
        ref = next((ref for ref in (f"branch/{called}", f"tag/{called}") if ref in found), None)
        if ref is None:
            raise NotFoundError(f"There is no branch or tag {name}.", "A bundle takes whole branches and tags.")
        chosen[ref] = found[ref]
    return chosen


async def _reach(
    session: ReadSession, place: Place, tips: Sequence[str], known: Sequence[str]
) -> tuple[list[str], set[str]]:
    """Commits that lead to the tips and not to what is known, parents first; and where they build on that."""
    below = {row.commit_id async for row, _ in walk(session, place.id, known)}
    ids, requires = [], {tip for tip in tips if tip in below}
    async for row, commit in walk(session, place.id, [tip for tip in tips if tip not in below]):
        if row.commit_id not in below:
            ids.append(row.commit_id)
            requires.update(parent for parent in commit.parents if parent in below)
    ids.reverse()
    return ids, requires


@dataclass(frozen=True, slots=True)
class Lines:
    """The lines of objects, those that were purged among them.

    Attributes:
        writer: makes the lines.
        purges: what was purged, by id.
    """

    writer: BundleWriter
    purges: Mapping[str, Row[Any]]

    def of(self, kind: str, object_id: str, encoded: bytes) -> bytes:
        """The line of an object."""
        purge = self.purges.get(object_id)
        if purge:
            return self.writer.purged(kind, object_id, encoded, audit_store.purged_of(purge))
        return self.writer.item(kind, object_id, encoded)


async def objects(session: ReadSession, place: Place, commit_ids: Sequence[str], lines: Lines) -> AsyncIterator[bytes]:
    """The lines of commits, each chunk of them behind the messages that it names first."""
    sent: set[str] = set()
    for start in range(0, len(commit_ids), bundle_store.CHUNK):
        chunk = commit_ids[start : start + bundle_store.CHUNK]
        rows = [row async for row in bundle_store.in_order(session, place.id, chunk)]
        named = [blob_id for row in rows for blob_id in blobs_of(Commit.decode(row.encoded))]
        found = await store.find_blobs(session, place.id, (blob_id for blob_id in named if blob_id not in sent))
        for blob_id, blob in found.items():
            yield lines.of("blob", blob_id, blob.encoded)
        sent.update(found)
        for row in rows:
            yield lines.of("commit", row.commit_id, row.encoded)
