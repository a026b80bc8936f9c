"""SQL for looking at everything that a repository holds, and for taking out of it."""

from collections.abc import AsyncIterator, Collection, Iterable, Mapping, Sequence
from typing import Any, Final

from sqlalchemy import Column, ColumnElement, Row, Select, Table, and_, bindparam, delete, func, insert, select, update

from commontrace.models.contexts import Purged
from commontrace_backend.contexts.tables import (
    blobs,
    call_records,
    commit_traces,
    commits,
    operations,
    purged_objects,
    repositories,
)
from commontrace_backend.database.one_of import OneOf
from commontrace_backend.database.session import QUICK, ReadSession, WriteSession

CHUNK: Final = 500  # SQLite takes a bounded number of parameters

Rows = Sequence[Row[Any]]

# Every commit asks: built once, for that takes longer than running it.
_PURGED_COSTS: Final = (
    select(blobs.c.blob_id, blobs.c.tokens)
    .join(
        purged_objects,
        and_(blobs.c.repository_id == purged_objects.c.repository_id, blobs.c.blob_id == purged_objects.c.object_id),
    )
    .where(
        purged_objects.c.repository_id == bindparam("repository"),
        OneOf(purged_objects.c.object_id, "objects"),
    )
    .execution_options(**QUICK)
)
_PURGES: Final = (
    select(func.count().label("number"), func.max(purged_objects.c.created_at).label("newest"))
    .where(purged_objects.c.repository_id == bindparam("repository"))
    .execution_options(**QUICK)
)
_CHANGE_BLOB: Final = (
    update(blobs)
    .where(blobs.c.repository_id == bindparam("repository"), blobs.c.blob_id == bindparam("blob"))
    .values(encoded=bindparam("bytes"), tokens=bindparam("cost"), encoding=bindparam("counted"))
)
_CHANGE_COMMIT: Final = (
    update(commits)
    .where(commits.c.repository_id == bindparam("repository"), commits.c.commit_id == bindparam("commit"))
    .values(encoded=bindparam("bytes"))
)
_CHANGE_TOKENS: Final = (
    update(commits)
    .where(commits.c.repository_id == bindparam("repository"), commits.c.commit_id == bindparam("commit"))
    .values(window_tokens=bindparam("sum"))
)
_CHANGE_OPERATION: Final = (
    update(operations)
    .where(operations.c.operation_id == bindparam("number"))
    .values(summary=bindparam("said"), changes=bindparam("moved"))
)


async def is_owner(session: ReadSession, repository_id: int, contributor_id: str) -> bool:
    """Whether a repository is this contributor's."""
    statement = select(repositories.c.repository_id).where(
        repositories.c.repository_id == repository_id, repositories.c.contributor_id == contributor_id
    )
    return await session.first(statement) is not None


async def purge_mark(session: ReadSession, repository_id: int) -> tuple[int, str]:
    """How many objects of a repository were purged, and when the last one was."""
    row = await session.first(_PURGES, {"repository": repository_id})
    assert row is not None
    return row.number, str(row.newest)


async def _in_batches(
    session: ReadSession, statement: Select[Any], key: Column[Any], first: object
) -> AsyncIterator[Rows]:
    """Every row by its key, a batch at a time."""
    last = first
    while rows := await session.all(statement.where(key > last).order_by(key).limit(CHUNK)):
        yield rows
        last = getattr(rows[-1], key.name)


def all_commits(session: ReadSession, repository_id: int) -> AsyncIterator[Rows]:
    """Every commit of a repository and the `size` that it takes up, in batches, in the order of their ids."""
    statement = select(commits, func.length(commits.c.encoded).label("size"))
    return _in_batches(session, statement.where(commits.c.repository_id == repository_id), commits.c.commit_id, "")


def all_blobs(session: ReadSession, repository_id: int) -> AsyncIterator[Rows]:
    """Every blob of a repository, in batches."""
    return _in_batches(session, select(blobs).where(blobs.c.repository_id == repository_id), blobs.c.blob_id, "")


def blob_sizes(session: ReadSession, repository_id: int) -> AsyncIterator[Rows]:
    """The `blob_id` and `size` in bytes of every blob of a repository, in batches."""
    statement = select(blobs.c.blob_id, func.length(blobs.c.encoded).label("size"))
    return _in_batches(session, statement.where(blobs.c.repository_id == repository_id), blobs.c.blob_id, "")


def all_operations(session: ReadSession, repository_id: int) -> AsyncIterator[Rows]:
    """The operation log, oldest first, in batches."""
    statement = select(operations).where(operations.c.repository_id == repository_id)
    return _in_batches(session, statement, operations.c.operation_id, 0)


def all_calls(session: ReadSession, repository_id: int) -> AsyncIterator[Rows]:
    """Every call record, oldest first, in batches."""
    statement = select(call_records).where(call_records.c.repository_id == repository_id)
    return _in_batches(session, statement, call_records.c.call_id, 0)


async def all_links(session: ReadSession, repository_id: int) -> set[tuple[str, str]]:
    """Which commit links which trace."""
    statement = select(commit_traces.c.commit_id, commit_traces.c.trace_id).where(
        commit_traces.c.repository_id == repository_id
    )
    return {(row.commit_id, row.trace_id) for row in await session.all(statement)}


async def purges(session: ReadSession, repository_id: int) -> dict[str, Row[Any]]:
    """What was purged, by the id of the object."""
    found = await session.all(select(purged_objects).where(purged_objects.c.repository_id == repository_id))
    return {row.object_id: row for row in found}


async def purged_costs(session: ReadSession, repository_id: int, blob_ids: Iterable[str]) -> dict[str, int]:
    """What messages cost that were purged: who says one again gets what stands in its place."""
    found: dict[str, int] = {}
    for some in _chunks(list(dict.fromkeys(blob_ids))):
        rows = await session.all(_PURGED_COSTS, {"repository": repository_id, "objects": some})
        found.update((row.blob_id, row.tokens) for row in rows)
    return found


def purged_of(row: Row[Any]) -> Purged:
    """What is told of a purge."""
    return Purged(at=row.created_at, by=row.contributor_id, reason=row.reason, size=row.size)


async def note_purges(session: WriteSession, rows: Sequence[Mapping[str, Any]]) -> None:
    """Write down what was purged; a second purge of an object replaces what was said of it, but for its size."""
    for row in rows:
        same = and_(
            purged_objects.c.repository_id == row["repository_id"], purged_objects.c.object_id == row["object_id"]
        )
        values = {name: row[name] for name in ("replacement", "reason", "contributor_id", "created_at")}
        if not await session.write(update(purged_objects).where(same).values(**values)):
            await session.write(insert(purged_objects).values(**row))


async def blobs_with_prefix(session: ReadSession, repository_id: int, prefix: str) -> list[str]:
    """Up to six blob ids that begin with these digits."""
    statement = select(blobs.c.blob_id).where(
        blobs.c.repository_id == repository_id, blobs.c.blob_id.between(prefix, prefix + "g")
    )
    return [row.blob_id for row in await session.all(statement.order_by(blobs.c.blob_id).limit(6))]


async def change_blobs(session: WriteSession, rows: list[dict[str, Any]]) -> None:
    """Put other bytes in the place of blobs: `repository`, `blob`, `bytes`, `cost` and `counted` each."""
    await session.write(_CHANGE_BLOB, rows)


async def change_commits(session: WriteSession, rows: list[dict[str, Any]]) -> None:
    """Put other bytes in the place of commits: `repository`, `commit` and `bytes` each."""
    await session.write(_CHANGE_COMMIT, rows)


async def change_window_tokens(session: WriteSession, rows: list[dict[str, Any]]) -> None:
    """Say anew what windows come to: `repository`, `commit` and `sum` each."""
    await session.write(_CHANGE_TOKENS, rows)


async def change_operations(session: WriteSession, rows: list[dict[str, Any]]) -> None:
    """Rewrite entries of the operation log: `number`, `said` and `moved` each."""
    await session.write(_CHANGE_OPERATION, rows)


async def forget_requests(session: WriteSession, repository_id: int, commit_ids: Collection[str]) -> None:
    """Drop the hashes of requests that showed what was purged: the hash of a text is a trace of it."""
    for some in _chunks(commit_ids):
        here = and_(call_records.c.repository_id == repository_id, call_records.c.commit_id.in_(some))
        await session.write(update(call_records).where(here).values(request_sha256=None))


async def delete_objects(
    session: WriteSession, repository_id: int, commit_ids: Collection[str], blob_ids: Collection[str]
) -> None:
    """Take commits, with their links to traces, and blobs out."""
    await _delete(session, commit_traces, commit_traces.c.repository_id == repository_id, commit_ids)
    await _delete(session, commits, commits.c.repository_id == repository_id, commit_ids)
    await _delete(session, blobs, blobs.c.repository_id == repository_id, blob_ids)


async def _delete(session: WriteSession, table: Table, here: ColumnElement[bool], ids: Collection[str]) -> None:
    key = table.c.blob_id if table is blobs else table.c.commit_id
    for some in _chunks(ids):
        await session.write(delete(table).where(here, key.in_(some)))


def _chunks(ids: Collection[str]) -> list[list[str]]:
    wanted = list(ids)
    return [wanted[start : start + CHUNK] for start in range(0, len(wanted), CHUNK)]


async def totals(session: ReadSession, repository_id: int) -> tuple[int, int, int]:
    """How many commits and blobs a repository has, and the bytes of both."""
    found = []
    for table in (commits, blobs):
        counted = select(func.count(), func.coalesce(func.sum(func.length(table.c.encoded)), 0))
        found += [int(value) for value in (await session.all(counted.where(table.c.repository_id == repository_id)))[0]]
    return found[0], found[2], found[1] + found[3]
