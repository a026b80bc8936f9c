"""SQL for bundles: many objects at once."""

from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from typing import Any, Final

from sqlalchemy import Row, select

from commontrace.objects import Commit
from commontrace_backend.contexts.tables import blobs, commit_traces, commits
from commontrace_backend.database.session import ReadSession, WriteSession
from commontrace_backend.database.upsert import insert_missing

CHUNK: Final = 500  # SQLite takes a bounded number of parameters

_ADD_COMMITS: Final = insert_missing(commits)
_ADD_LINKS: Final = insert_missing(commit_traces)


async def find_commits(session: ReadSession, repository_id: int, commit_ids: Collection[str]) -> dict[str, Row[Any]]:
    """Those of these commits that are there, by id."""
    wanted, found = list(commit_ids), {}
    for start in range(0, len(wanted), CHUNK):
        statement = select(commits).where(
            commits.c.repository_id == repository_id, commits.c.commit_id.in_(wanted[start : start + CHUNK])
        )
        found.update({row.commit_id: row for row in await session.all(statement)})
    return found


async def parents_of(session: ReadSession, repository_id: int, commit_ids: Collection[str]) -> set[str]:
    """The parents of some commits."""
    found = await find_commits(session, repository_id, commit_ids)
    return {parent for row in found.values() for parent in Commit.decode(row.encoded).parents}


async def present_blobs(session: ReadSession, repository_id: int, blob_ids: Collection[str]) -> set[str]:
    """Those of these blobs that are there."""
    wanted = list(blob_ids)
    found: set[str] = set()
    for start in range(0, len(wanted), CHUNK):
        statement = select(blobs.c.blob_id).where(
            blobs.c.repository_id == repository_id, blobs.c.blob_id.in_(wanted[start : start + CHUNK])
        )
        found.update(row.blob_id for row in await session.all(statement))
    return found


async def add_commits(
    session: WriteSession, rows: Sequence[Mapping[str, Any]], links: Sequence[Mapping[str, Any]]
) -> None:
    """Store commits, and the traces that they name; those that are there already are the same."""
    await session.write(_ADD_COMMITS, list(rows))
    await session.write(_ADD_LINKS, list(links))


async def in_order(session: ReadSession, repository_id: int, commit_ids: Sequence[str]) -> AsyncIterator[Row[Any]]:
    """Commits in the order of their ids as given."""
    for start in range(0, len(commit_ids), CHUNK):
        chunk = commit_ids[start : start + CHUNK]
        found = await find_commits(session, repository_id, chunk)
        for commit_id in chunk:
            yield found[commit_id]
