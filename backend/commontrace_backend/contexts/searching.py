"""Looking for words in all that was ever said: every content that any message had, on any branch, hidden or not."""

import asyncio
import json
from collections import Counter
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import Row

from commontrace.errors import InvalidInputError
from commontrace.models.contexts import GrepHit, GrepPage
from commontrace.objects import Commit
from commontrace.providers.messages import text_of
from commontrace_backend.contexts import store
from commontrace_backend.contexts.hidden import why_not
from commontrace_backend.contexts.matching import Found, Wanted
from commontrace_backend.contexts.places import Place, open_place, resolve
from commontrace_backend.contexts.states import forget_purged, view_at
from commontrace_backend.contexts.view import View
from commontrace_backend.contexts.walk import walk
from commontrace_backend.contributors.caller import Caller
from commontrace_backend.database.session import ReadSession

_AT_ONCE: Final = 500
"""Messages that are searched together."""


@dataclass(frozen=True, slots=True)
class Search:
    """A search: what for, where (None: every branch and tag), how many hits, and behind which page."""

    wanted: Wanted
    ref: str | None
    limit: int
    after: str


@dataclass(frozen=True, slots=True)
class _Said:
    """A content that matches: where it was written, and where in it the match is."""

    slot_id: str
    blob_id: str
    commit_id: str
    role: str
    found: Found
    names: int  # a bit for each name that leads there


class _Names:
    """Branches, tags and the ref that is searched; which of them lead to a commit is a number with a bit for each."""

    def __init__(self, tips: Sequence[tuple[str, str]]) -> None:
        self.tips = tips
        self._bits: dict[str, int] = {}
        for number, (_, commit_id) in enumerate(tips):
            self._bits[commit_id] = self._bits.get(commit_id, 0) | 1 << number

    def passing(self, commit_id: str, parents: Iterable[str]) -> int:
        """Which names lead to a commit; its children were asked for before."""
        bits = self._bits.pop(commit_id)
        for parent in parents:
            self._bits[parent] = self._bits.get(parent, 0) | bits
        return bits

    def is_last(self, bits: int) -> bool:
        """Whether the last name leads there."""
        return bool(bits >> (len(self.tips) - 1))

    def of(self, bits: int) -> list[tuple[str, str]]:
        """The names that bits stand for, with their commits."""
        return [tip for number, tip in enumerate(self.tips) if bits >> number & 1]


async def grep(session: ReadSession, caller: Caller, name: str, search: Search) -> GrepPage:
    """Every content that a message ever had and that matches, the commits that were written last first.

    Raises:
        InvalidInputError: the pattern is no expression, or `after` is of no page.
    """
    place = await open_place(session, caller, name)
    refs = await store.all_refs(session, place.id)
    tips = [(_called(row), row.commit_id) for row in refs if row.kind != "label"]
    if search.ref:
        tips.append((search.ref, await resolve(session, place, search.ref)))
    names = _Names(tips)
    skipped, first = _cursor(search.after)
    passed: Counter[str] = Counter()
    said: list[_Said] = []
    async for one in _said(session, place, names, search):
        passed[one.commit_id] += 1
        if one.commit_id == first and passed[first] <= skipped:
            continue
        if len(said) == search.limit:
            rest = f"{one.commit_id}:{passed[one.commit_id] - 1}"
            return GrepPage(hits=await _hits(session, place, names, search, said), next=rest)
        said.append(one)
    return GrepPage(hits=await _hits(session, place, names, search, said))


def _called(row: Row[Any]) -> str:
    return row.name if row.kind in {"branch", "remote"} else f"tag: {row.name}"


def _cursor(after: str) -> tuple[int, str]:
    commit_id, _, count = after.partition(":")
    if after and not (commit_id and count.isdecimal()):
        raise InvalidInputError("This is not where a page ended.", "Give `next` of the page before.")
    return int(count or 0), commit_id


async def _said(session: ReadSession, place: Place, names: _Names, search: Search) -> AsyncIterator[_Said]:
    """Every content that matches, from the commit on in which the page before ended."""
    batch: list[tuple[str, Commit, int]] = []
    size = 0
    _, first = _cursor(search.after)
    async for row, commit in walk(session, place.id, {commit_id for _, commit_id in names.tips}):
        bits = names.passing(row.commit_id, commit.parents)
        first = "" if row.commit_id == first else first
        if first or not commit.blob_ids or not (search.ref is None or names.is_last(bits)):
            continue
        batch.append((row.commit_id, commit, bits))
        size += len(commit.blob_ids)
        if size >= _AT_ONCE:
            for one in await _matching(session, place, batch, search.wanted):
                yield one
            batch, size = [], 0
    for one in await _matching(session, place, batch, search.wanted):
        yield one


async def _matching(
    session: ReadSession, place: Place, batch: Sequence[tuple[str, Commit, int]], wanted: Wanted
) -> list[_Said]:
    blobs = await store.find_blobs(session, place.id, (one for _, commit, _ in batch for one in commit.blob_ids))
    found = await asyncio.to_thread(_matches, blobs, wanted)
    return [
        _Said(operation["slot"], operation["blob"], commit_id, *found[operation["blob"]], bits)
        for commit_id, commit, bits in batch
        for operation in commit.operations
        if operation.get("blob") in found
    ]


def _matches(blobs: Mapping[str, Row[Any]], wanted: Wanted) -> dict[str, tuple[str, Found]]:
    matches = {}
    for blob_id, row in blobs.items():
        message = json.loads(row.encoded)
        found = wanted.find(text_of(message))
        if found:
            matches[blob_id] = message["role"], found
    return matches


async def _hits(
    session: ReadSession, place: Place, names: _Names, search: Search, said: Sequence[_Said]
) -> list[GrepHit]:
    """Hits with where they stand: at the ref that is searched, else on the branch of HEAD, else wherever they are."""
    views: dict[str, tuple[View, dict[str, int]]] = {}
    await forget_purged(session, place.id)
    hits = []
    for one in said:
        leading = names.of(one.names)
        at, tip = leading[-1] if search.ref else next((item for item in leading if item[0] == place.branch), leading[0])
        if tip not in views:
            view = await view_at(session, place.id, tip)
            views[tip] = view, {slot.slot_id: position for position, slot in enumerate(view.shown)}
        called = [name for name, _ in (leading[:-1] if search.ref else leading)]
        hits.append(_hit(one, called, at, *views[tip]))
    return hits


def _hit(one: _Said, refs: list[str], at: str, view: View, positions: Mapping[str, int]) -> GrepHit:
    slot = view.state.slots[one.slot_id]
    reason = why_not(view, slot)
    if view.show(slot).blob_id != one.blob_id:
        conflict = one.blob_id in slot.values("content")
        reason = "the other side of a conflict is shown" if conflict else "it was edited since"
    return GrepHit(
        slot_id=one.slot_id,
        commit_id=one.commit_id,
        role=one.role,
        refs=refs,
        at=at,
        position=None if reason else positions[one.slot_id],
        shown=not reason,
        reason=reason,
        line=one.found.line,
        matches=one.found.matches,
        excerpt=one.found.excerpt,
    )
