"""The log: commits from a ref backwards, those of a range, and those that somebody looks for."""

import json
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import takewhile
from typing import Any, Final

from sqlalchemy import Row

from commontrace.models.contexts import CommitInfo, LogPage
from commontrace.moments import parse_moment
from commontrace.objects import Commit
from commontrace.providers.messages import text_of
from commontrace_backend.contexts import store
from commontrace_backend.contexts.places import SHORT, Place, open_place, resolve
from commontrace_backend.contexts.states import parting
from commontrace_backend.contexts.walk import Walked, walk
from commontrace_backend.contributors.caller import Caller
from commontrace_backend.database.session import ReadSession

_SEARCHED_AT_ONCE: Final = 200


@dataclass(frozen=True, slots=True)
class Sought:
    """Which commits of a history are wanted, and how many.

    Attributes:
        limit: how many at most.
        grep: words that the message or a message of it contains, in any case of letters.
        author: what the name of its author or agent contains.
        since, until: moments as people write them.
        label: a label that it has.
    """

    limit: int
    grep: str = ""
    author: str = ""
    since: str = ""
    until: str = ""
    label: str = ""


@dataclass(frozen=True, slots=True)
class Names:
    """What commits and people are called.

    Attributes:
        refs: the branches and tags that point to a commit.
        labels: the labels of a commit.
        people: contributors by id.
    """

    refs: dict[str, list[str]] = field(default_factory=dict)
    labels: dict[str, list[str]] = field(default_factory=dict)
    people: Mapping[str, str] = field(default_factory=dict)


async def names_in(session: ReadSession, place: Place) -> Names:
    """Every name in a repository."""
    found = Names(people=await store.people(session, place.tenant_id))
    for row in await store.all_refs(session, place.id):
        if row.kind == "label":
            found.labels.setdefault(row.commit_id, []).append(row.name.rpartition("/")[0])
        else:
            name = row.name if row.kind in {"branch", "remote"} else f"tag: {row.name}"
            found.refs.setdefault(row.commit_id, []).append(name)
    return found


async def log(session: ReadSession, caller: Caller, name: str, ref: str, sought: Sought) -> LogPage:
    """Commits from a ref backwards, newest first; of a range `a..b` those that lead to `b` and not to `a`."""
    place = await open_place(session, caller, name)
    names = await names_in(session, place)
    since, dots, until = ref.rpartition("..")
    seeds = [await resolve(session, place, part) for part in (until or "HEAD").split(",")]
    passed: list[tuple[str, Commit]] = []
    walked = _noting(walk(session, place.id, seeds), passed)
    if dots:
        walked = _among(walked, await _alone(session, place, await resolve(session, place, since or "HEAD"), seeds))
    walked = _wanted(walked, sought, names)
    found: list[CommitInfo] = []
    async for row, commit in _mentioning(session, place, walked, sought.grep.lower()) if sought.grep else walked:
        if len(found) == sought.limit:
            return LogPage(commits=found, next_ref=f"{since}{dots}{_rest(seeds, passed, row.commit_id)}")
        found.append(info(name, row, commit, names))
    return LogPage(commits=found)


async def _alone(session: ReadSession, place: Place, before: str, seeds: Sequence[str]) -> set[str]:
    """The commits that lead to one of the seeds and not to a commit."""
    return {commit_id for seed in seeds for commit_id in (await parting(session, place.id, before, seed))[0].theirs}


async def _noting(walked: Walked, passed: list[tuple[str, Commit]]) -> Walked:
    async for row, commit in walked:
        passed.append((row.commit_id, commit))
        yield row, commit


async def _among(walked: Walked, wanted: set[str]) -> Walked:
    if not wanted:
        return
    async for row, commit in walked:
        if row.commit_id in wanted:
            wanted.remove(row.commit_id)
            yield row, commit
        if not wanted:
            return


async def _wanted(walked: Walked, sought: Sought, names: Names) -> AsyncIterator[tuple[Row[Any], Commit]]:
    """Those of the right author, time and label."""
    now = datetime.now(UTC)
    since = parse_moment(sought.since, now) if sought.since else None
    until = parse_moment(sought.until, now, end=True) if sought.until else None
    async for row, commit in walked:
        time = datetime.fromisoformat(commit.time)
        by = f"{names.people.get(commit.author, '')}\n{commit.author}\n{commit.agent}".lower()
        late_enough = since is None or time >= since
        if (
            late_enough
            and (until is None or time <= until)
            and sought.author.lower() in by
            and (not sought.label or sought.label in names.labels.get(row.commit_id, ()))
        ):
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


def info(repository: str, row: Row[Any], commit: Commit, names: Names) -> CommitInfo:
    """A commit as the log shows it."""
    return CommitInfo(
        repository=repository,
        commit_id=row.commit_id,
        short_id=row.commit_id[:SHORT],
        parents=list(commit.parents),
        author=commit.author,
        author_name=names.people.get(commit.author, ""),
        agent=commit.agent,
        created_at=datetime.fromisoformat(commit.time),
        message=commit.message,
        messages=len(commit.appended),
        tokens=row.window_tokens,
        refs=names.refs.get(row.commit_id, []),
        labels=names.labels.get(row.commit_id, []),
        traces=list(commit.traces),
        metadata=dict(commit.metadata),
        generation=dict(commit.generation),
    )
