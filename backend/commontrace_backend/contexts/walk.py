"""Reading the commits of a repository, children before parents."""

from collections.abc import AsyncIterator, Collection
from typing import Any

from sqlalchemy import Row

from commontrace.objects import Commit
from commontrace_backend.contexts import store
from commontrace_backend.database.session import ReadSession

Walked = AsyncIterator[tuple[Row[Any], Commit]]


async def walk(session: ReadSession, repository_id: int, tips: Collection[str]) -> Walked:
    """Commits reachable from the tips, with their rows; those equally deep newest first.

    Reads little more than it is asked for.
    """
    wanted = set(tips)
    level: list[tuple[Row[Any], Commit]] = []
    async for row in store.older(session, repository_id, await store.top_generation(session, repository_id, tips)):
        if level and row.generation < level[0][0].generation:
            for item in _newest_first(level):
                yield item
            level = []
        if row.commit_id in wanted:
            commit = Commit.decode(row.encoded)
            level.append((row, commit))
            wanted.remove(row.commit_id)
            wanted.update(commit.parents)
    for item in _newest_first(level):
        yield item


def _newest_first(level: list[tuple[Row[Any], Commit]]) -> list[tuple[Row[Any], Commit]]:
    return sorted(level, key=lambda item: item[1].time, reverse=True)


async def commits_to(session: ReadSession, repository_id: int, *tips: str) -> dict[str, Commit]:
    """Every commit that leads to the tips."""
    return {row.commit_id: commit async for row, commit in walk(session, repository_id, tips)}
