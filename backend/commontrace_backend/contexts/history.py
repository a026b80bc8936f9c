"""Reading what was committed: the log, one commit, status, which branches there are."""

import json
from collections import Counter
from collections.abc import Sequence
from datetime import datetime
from itertools import takewhile
from typing import Any, Final

from sqlalchemy import Row

from commontrace.models.contexts import (
    BranchInfo,
    CommitInfo,
    ContextStatus,
    LogPage,
    RepositoryInfo,
)
from commontrace.objects import Commit
from commontrace.providers.messages import text_of
from commontrace_backend.contexts import store
from commontrace_backend.contexts.contents import contents_at, total
from commontrace_backend.contexts.places import SHORT, Place, open_place, resolve
from commontrace_backend.contexts.walk import Walked, walk
from commontrace_backend.contributors.caller import Caller
from commontrace_backend.database.session import ReadSession

_SEARCHED_AT_ONCE: Final = 200
_SHORTEST_TRACE_ID: Final = 6


async def log(session: ReadSession, caller: Caller, name: str, ref: str, limit: int, grep: str) -> LogPage:
    """Commits from a ref backwards, newest first; with `grep` those whose words contain it."""
    place = await open_place(session, caller, name)
    names = await _names(session, place)
    seeds = [await resolve(session, place, part) for part in ref.split(",")]
    passed: list[tuple[str, Commit]] = []
    walked = _noting(walk(session, place.id, seeds), passed)
    found: list[CommitInfo] = []
    async for row, commit in _mentioning(session, place, walked, grep.lower()) if grep else walked:
        if len(found) == limit:
            return LogPage(commits=found, next_ref=_rest(seeds, passed, row.commit_id))
        found.append(info(name, row, commit, names.get(row.commit_id, [])))
    return LogPage(commits=found)


async def _noting(walked: Walked, passed: list[tuple[str, Commit]]) -> Walked:
    async for row, commit in walked:
        passed.append((row.commit_id, commit))
        yield row, commit


def _rest(seeds: Sequence[str], passed: Sequence[tuple[str, Commit]], stop: str) -> str:
    """Where a page goes on: behind a merge that is more than one commit, or the other side would be lost."""
    before = dict(takewhile(lambda item: item[0] != stop, passed))
    reached = dict.fromkeys([*seeds, *(parent for commit in before.values() for parent in commit.parents)])
    return ",".join(commit_id for commit_id in reached if commit_id not in before)


async def _mentioning(session: ReadSession, place: Place, walked: Walked, words: str) -> Walked:
    """Those commits whose message or messages contain some words, in any case of letters."""
    batch: list[tuple[Row[Any], Commit]] = []
    async for item in walked:
        batch.append(item)
        if len(batch) == _SEARCHED_AT_ONCE:
            for found in await _search(session, place, batch, words):
                yield found
            batch = []
    for found in await _search(session, place, batch, words):
        yield found


async def _search(
    session: ReadSession, place: Place, batch: Sequence[tuple[Row[Any], Commit]], words: str
) -> list[tuple[Row[Any], Commit]]:
    blobs = await store.find_blobs(session, place.id, (blob_id for _, commit in batch for blob_id in commit.blob_ids))
    matching = {blob_id for blob_id, blob in blobs.items() if words in text_of(json.loads(blob.encoded)).lower()}
    return [
        (row, commit)
        for row, commit in batch
        if words in commit.message.lower() or not matching.isdisjoint(commit.blob_ids)
    ]


async def _names(session: ReadSession, place: Place) -> dict[str, list[str]]:
    names: dict[str, list[str]] = {}
    for row in await store.all_refs(session, place.id):
        names.setdefault(row.commit_id, []).append(row.name if row.kind == "branch" else f"tag: {row.name}")
    return names


def info(repository: str, row: Row[Any], commit: Commit, refs: Sequence[str] = ()) -> CommitInfo:
    """A commit as the log shows it."""
    return CommitInfo(
        repository=repository,
        commit_id=row.commit_id,
        short_id=row.commit_id[:SHORT],
        parents=list(commit.parents),
        author=commit.author,
        agent=commit.agent,
        created_at=datetime.fromisoformat(commit.time),
        message=commit.message,
        messages=len(commit.appended),
        tokens=row.window_tokens,
        refs=list(refs),
        traces=list(commit.traces),
        metadata=dict(commit.metadata),
        generation=dict(commit.generation),
    )


async def get_commit(session: ReadSession, caller: Caller, name: str, ref: str) -> CommitInfo:
    """One commit."""
    place = await open_place(session, caller, name)
    row = await store.find_commit(session, place.id, await resolve(session, place, ref))
    assert row is not None
    return info(name, row, Commit.decode(row.encoded), (await _names(session, place)).get(row.commit_id, []))


async def status(session: ReadSession, caller: Caller, name: str) -> ContextStatus:
    """Where writing goes on, and what the window there comes to."""
    place = await open_place(session, caller, name)
    found = await contents_at(session, place.id, place.head)
    by_role: Counter[str] = Counter()
    for content in found:
        by_role[content.message["role"]] += content.tokens
    return ContextStatus(
        repository=name,
        branch=place.branch,
        commit_id=place.head,
        messages=len(found),
        tokens=total(sum(content.tokens for content in found)),
        by_role=dict(by_role),
    )


async def repositories(session: ReadSession, caller: Caller) -> list[RepositoryInfo]:
    """Every context the caller may see."""
    return [RepositoryInfo.model_validate(row) for row in await store.all_repositories(session, caller)]


async def branches(session: ReadSession, caller: Caller, name: str) -> list[BranchInfo]:
    """Every branch, and the one that HEAD is on even if it is unborn."""
    place = await open_place(session, caller, name)
    found = {row.name: row.commit_id for row in await store.all_refs(session, place.id) if row.kind == "branch"}
    found.setdefault(place.branch, None)
    return [await _branch(session, place, branch, commit_id) for branch, commit_id in sorted(found.items())]


async def _branch(session: ReadSession, place: Place, name: str, commit_id: str | None) -> BranchInfo:
    row = await store.find_commit(session, place.id, commit_id) if commit_id else None
    message = Commit.decode(row.encoded).message if row else ""
    return BranchInfo(name=name, commit_id=commit_id, message=message, current=name == place.branch)


async def commits_of_trace(session: ReadSession, caller: Caller, trace_id: str) -> list[CommitInfo]:
    """Commits that used or produced a trace; they may have named it by its first digits."""
    prefixes = [trace_id[:digits] for digits in range(_SHORTEST_TRACE_ID, len(trace_id) + 1)]
    rows = await store.commits_of_trace(session, caller, prefixes)
    found = [info(row.repository, row, Commit.decode(row.encoded)) for row in rows]
    return sorted(found, key=lambda commit: commit.created_at, reverse=True)
