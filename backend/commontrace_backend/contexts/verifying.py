"""Whether everything that a repository holds is as it was written: every byte, every name, every total."""

import asyncio
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from sqlalchemy import Row

from commontrace.errors import CommonTraceError
from commontrace.models.contexts import IntegrityProblem, ProblemKind, VerifyResult
from commontrace.objects import Commit, identify
from commontrace_backend.contexts import audit_store, store
from commontrace_backend.contexts.contents import contents_at, cost, counting
from commontrace_backend.contexts.places import Place, open_place
from commontrace_backend.contexts.reachable import blobs_of
from commontrace_backend.contributors.caller import Caller
from commontrace_backend.database.engine import Database
from commontrace_backend.database.session import ReadSession
from commontrace_backend.tokens import default_counter

_MOST: Final = 1000
_SAMPLE: Final = 25

_RESTORE: Final = "Restore it from a backup, or import a bundle of a sound copy into a new context."
_IMPORT: Final = "Import a bundle that holds it, or delete what names it and run gc."
_REPORT: Final = "What is shown follows from the objects, which are checked on their own; please report this."


@dataclass(slots=True)
class _Seen:
    """A commit whose bytes are as they were written."""

    parents: tuple[str, ...]
    row: Row[Any]


@dataclass
class _Check:
    """A check under way, and what it found so far."""

    purges: Mapping[str, Row[Any]]
    problems: list[IntegrityProblem] = field(default_factory=list)
    commits: dict[str, _Seen] = field(default_factory=dict)
    blobs: set[str] = field(default_factory=set)
    damaged: set[str] = field(default_factory=set)
    sound: set[str] = field(default_factory=set)  # commits whose whole history is there and whole
    named: dict[str, str] = field(default_factory=dict)
    links: set[tuple[str, str]] = field(default_factory=set)
    counts: dict[str, int] = field(
        default_factory=lambda: dict.fromkeys(("commits", "blobs", "operations", "calls"), 0)
    )

    def add(self, kind: ProblemKind, name: str, detail: str, hint: str) -> None:
        """Note a problem."""
        if len(self.problems) < _MOST:
            self.problems.append(IntegrityProblem(kind=kind, name=name, detail=detail, hint=hint))

    def is_whole(self, kind: ProblemKind, object_id: str, encoded: bytes) -> bool:
        """Whether stored bytes are those of an object, or what a purge put in their place."""
        purge = self.purges.get(object_id)
        if identify(kind, encoded) == (purge.replacement if purge else object_id):
            return True
        self.damaged.add(object_id)
        self.add(kind, object_id, f"The bytes of this {kind} are not those that its id stands for.", _RESTORE)
        return False

    def take_commits(self, rows: Sequence[Row[Any]]) -> None:
        """Check the bytes of commits, and note what they name."""
        for row in rows:
            self.counts["commits"] += 1
            if not self.is_whole("commit", row.commit_id, row.encoded):
                continue
            commit = Commit.decode(row.encoded)
            self.commits[row.commit_id] = _Seen(commit.parents, row)
            self.named.update(dict.fromkeys(blobs_of(commit), row.commit_id))
            self.links.update((row.commit_id, trace_id) for trace_id in commit.traces)

    def take_blobs(self, rows: Sequence[Row[Any]]) -> None:
        """Check the bytes of blobs, and what they cost."""
        for row in rows:
            self.counts["blobs"] += 1
            self.blobs.add(row.blob_id)
            if not self.is_whole("blob", row.blob_id, row.encoded):
                continue
            if row.encoding == counting() and row.tokens != cost(default_counter(), json.loads(row.encoded)):
                self.add("blob", row.blob_id, "Its number of tokens is not what counting gives.", _REPORT)

    def take_operations(self, rows: Sequence[Row[Any]]) -> None:
        """Check that the commits are there which entries of the operation log name."""
        for row in rows:
            self.counts["operations"] += 1
            lost = [commit_id for commit_id in _commits_of(row.changes) if not self._is_there(commit_id)]
            if lost:
                detail = f"It names the commit {lost[0][:10]}, which is not there."
                self.add("operation", str(row.operation_id), detail, _IMPORT)

    def take_calls(self, rows: Sequence[Row[Any]]) -> None:
        """Check that what call records need is there."""
        for row in rows:
            self.counts["calls"] += 1
            lost = [] if self._is_there(row.commit_id) else [row.commit_id]
            lost += [blob_id for blob_id in row.tools if blob_id not in self.blobs]
            if lost:
                self.add("call", str(row.call_id), f"It needs {lost[0][:10]}, which is not there.", _IMPORT)

    def _is_there(self, commit_id: str) -> bool:
        return commit_id in self.commits or commit_id in self.damaged

    def check_names(self, links: set[tuple[str, str]]) -> None:
        """Check that what commits name is there, and that links to traces are those that commits say."""
        for blob_id, commit_id in self.named.items():
            if blob_id not in self.blobs:
                detail = f"It is not there, and the commit {commit_id[:10]} names it."
                self.add("blob", blob_id, detail, _IMPORT)
        for commit_id, seen in self.commits.items():
            for parent in seen.parents:
                if not self._is_there(parent):
                    self.add("commit", commit_id, f"Its parent {parent[:10]} is not there.", _IMPORT)
        for commit_id, trace_id in sorted(self.links ^ links):
            if commit_id not in self.damaged:
                said = "is not listed" if (commit_id, trace_id) in self.links else "is listed and not in the commit"
                self.add("link", commit_id, f"Its link to the trace {trace_id[:10]} {said}.", _REPORT)

    def check_generations(self) -> None:
        """Check how deep each commit is said to be, and that none leads to itself."""
        order, circle = _parents_first(self.commits)
        depths: dict[str, int] = {}
        for commit_id in order:
            seen = self.commits[commit_id]
            if all(parent in depths for parent in seen.parents):
                self.sound.add(commit_id)
                depths[commit_id] = 1 + max((depths[parent] for parent in seen.parents), default=-1)
                if seen.row.generation != depths[commit_id]:
                    detail = f"It is said to be {seen.row.generation} deep, and is {depths[commit_id]}."
                    self.add("commit", commit_id, detail, _REPORT)
        for commit_id in circle:
            self.add("commit", commit_id, "It leads to itself, or to a commit that does.", _RESTORE)


def _parents_first(commits: Mapping[str, _Seen]) -> tuple[list[str], list[str]]:
    """Every commit after its parents; and those that are in a circle or build on one."""
    left = {one: sum(parent in commits for parent in seen.parents) for one, seen in commits.items()}
    children: dict[str, list[str]] = {}
    for one, seen in commits.items():
        for parent in seen.parents:
            children.setdefault(parent, []).append(one)
    order = [one for one, count in left.items() if not count]
    for one in order:
        del left[one]
        for child in children.get(one, ()):
            left[child] -= 1
            if not left[child]:
                order.append(child)
    return order, list(left)


def _commits_of(changes: Iterable[Mapping[str, Any]]) -> list[str]:
    """The commits that an entry of the operation log names and that were not collected since."""
    return [
        item[side]
        for item in changes
        if not item["ref"].startswith("head/")
        for side in ("before", "after")
        if item[side] and item[side] not in item.get("collected", ())
    ]


async def verify(database: Database, caller: Caller, name: str, *, full: bool) -> VerifyResult:
    """Check everything that a repository holds, in one consistent view of it.

    Args:
        database: where it is.
        caller: who asks.
        name: the repository.
        full: make every window anew and compare its totals, rather than those of the refs and a few more.
    """
    damage = await database.damage()
    async with database.reading(caller.tenant_id) as session:
        place = await open_place(session, caller, name)
        check = _Check(await audit_store.purges(session, place.id))
        for said in damage:
            check.add("store", "", said, "Keep the file, and restore a backup beside it.")
        await _read(session, place, check)
        refs = await store.all_refs(session, place.id)
        for ref in refs:
            if ref.commit_id not in check.commits and ref.commit_id not in check.damaged:
                check.add("ref", f"{ref.kind}/{ref.name}", "The commit that it names is not there.", _IMPORT)
        windows = await _windows(session, place, check, None if full else [ref.commit_id for ref in refs])
    return VerifyResult(
        repository=name,
        sound=not check.problems,
        full=full,
        refs=len(refs),
        windows=windows,
        purged=len(check.purges),
        problems=check.problems,
        **check.counts,
    )


async def _read(session: ReadSession, place: Place, check: _Check) -> None:
    for batches, take in (
        (audit_store.all_commits(session, place.id), check.take_commits),
        (audit_store.all_blobs(session, place.id), check.take_blobs),
        (audit_store.all_operations(session, place.id), check.take_operations),
        (audit_store.all_calls(session, place.id), check.take_calls),
    ):
        async for rows in batches:
            await asyncio.to_thread(take, rows)
    check.check_names(await audit_store.all_links(session, place.id))
    await asyncio.to_thread(check.check_generations)


async def _windows(session: ReadSession, place: Place, check: _Check, tips: Sequence[str] | None) -> int:
    """Make windows anew and compare what is kept of them; returns how many."""
    every = sorted(check.commits, key=lambda one: check.commits[one].row.generation)
    chosen = every if tips is None else [*dict.fromkeys([*tips[:_SAMPLE], *every[:: 1 + len(every) // _SAMPLE]])]
    done = 0
    for commit_id in chosen:
        if commit_id in check.sound:
            await _window(session, place, check, check.commits[commit_id].row)
            done += 1
    return done


async def _window(session: ReadSession, place: Place, check: _Check, row: Row[Any]) -> None:
    try:
        found = await contents_at(session, place.id, row.commit_id)
    except (CommonTraceError, LookupError, ValueError) as error:  # a message that is gone, or cannot be read
        check.add("window", row.commit_id, f"Its window cannot be made: {type(error).__name__} {error}.", _RESTORE)
        return
    tokens = sum(content.tokens for content in found)
    if row.window_messages != len(found) or (row.encoding == counting() and row.window_tokens != tokens):
        detail = f"It is said to show {row.window_messages} messages with {row.window_tokens} tokens"
        check.add("window", row.commit_id, f"{detail}, and shows {len(found)} with {tokens}.", _REPORT)
