"""SQL for contexts: repositories, objects, refs, heads and the operation log."""

from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Row, and_, delete, func, insert, or_, select, update

from commontrace.errors import RefMovedError
from commontrace_backend.contexts.tables import (
    blob_tokens,
    blobs,
    commit_traces,
    commits,
    heads,
    operations,
    refs,
    repositories,
)
from commontrace_backend.contributors.caller import Caller
from commontrace_backend.contributors.tables import contributors
from commontrace_backend.database.session import ReadSession, WriteSession
from commontrace_backend.database.upsert import insert_missing

_CHUNK = 500  # SQLite takes a bounded number of parameters
_FIRST_BATCH, _GROWTH, _LARGEST_BATCH = 64, 4, 8192


def _seen_by(caller: Caller) -> Any:
    mine = repositories.c.contributor_id == caller.contributor_id
    team = and_(repositories.c.tenant_id == caller.tenant_id, repositories.c.visibility == "team")
    return or_(mine, team)


async def find_repository(session: ReadSession, caller: Caller, name: str) -> Row[Any] | None:
    """A repository by name: the caller's own before the team's."""
    mine = (repositories.c.contributor_id == caller.contributor_id).desc()
    statement = select(repositories).where(repositories.c.name == name, _seen_by(caller)).order_by(mine).limit(1)
    return await session.first(statement)


async def all_repositories(session: ReadSession, caller: Caller) -> Sequence[Row[Any]]:
    """Every repository the caller may see with its number of branches, by name."""
    count = (
        select(func.count())
        .where(refs.c.repository_id == repositories.c.repository_id, refs.c.kind == "branch")
        .scalar_subquery()
    )
    statement = select(repositories, count.label("branches")).where(_seen_by(caller)).order_by(repositories.c.name)
    return await session.all(statement)


async def add_repository(session: WriteSession, values: Mapping[str, object]) -> None:
    """Create a repository."""
    await session.write(insert(repositories).values(**values))


async def find_ref(session: ReadSession, repository_id: str, kind: str, name: str) -> str | None:
    """The commit that a branch or tag names."""
    value: str | None = await session.scalar(
        select(refs.c.commit_id).where(refs.c.repository_id == repository_id, refs.c.kind == kind, refs.c.name == name)
    )
    return value


async def all_refs(session: ReadSession, repository_id: str) -> Sequence[Row[Any]]:
    """Every branch and tag, by kind and name."""
    return await session.all(
        select(refs).where(refs.c.repository_id == repository_id).order_by(refs.c.kind, refs.c.name)
    )


async def move_ref(
    session: WriteSession, repository: Row[Any], kind: str, name: str, before: str | None, after: str | None
) -> None:
    """Move a ref from exactly `before` to `after`, None standing for absent.

    Raises:
        RefMovedError: it is not at `before` any more; nothing was changed.
    """
    here = and_(refs.c.repository_id == repository.repository_id, refs.c.kind == kind, refs.c.name == name)
    if before is None:
        values = {"repository_id": repository.repository_id, "tenant_id": repository.tenant_id}
        moved = await session.write(insert_missing(refs).values(**values, kind=kind, name=name, commit_id=after))
    elif after is None:
        moved = await session.write(delete(refs).where(here, refs.c.commit_id == before))
    else:
        moved = await session.write(update(refs).where(here, refs.c.commit_id == before).values(commit_id=after))
    if moved != 1:
        raise RefMovedError(
            f"The {kind} {name} was moved by somebody else meanwhile.", "Look at the log and try again."
        )


async def find_head(session: ReadSession, repository_id: str, caller: Caller) -> str | None:
    """The branch that the caller's working copy is on."""
    value: str | None = await session.scalar(
        select(heads.c.branch).where(
            heads.c.repository_id == repository_id,
            heads.c.contributor_id == caller.contributor_id,
            heads.c.working_copy == caller.working_copy,
        )
    )
    return value


async def set_head(session: WriteSession, repository: Row[Any], caller: Caller, branch: str) -> None:
    """Put the caller's working copy on a branch."""
    key = {
        "repository_id": repository.repository_id,
        "contributor_id": caller.contributor_id,
        "working_copy": caller.working_copy,
    }
    here = and_(*(heads.c[name] == value for name, value in key.items()))
    if not await session.write(update(heads).where(here).values(branch=branch)):
        await session.write(insert(heads).values(**key, tenant_id=repository.tenant_id, branch=branch))


async def find_commit(session: ReadSession, repository_id: str, commit_id: str) -> Row[Any] | None:
    """A commit by its whole id."""
    return await session.first(
        select(commits).where(commits.c.repository_id == repository_id, commits.c.commit_id == commit_id)
    )


async def commits_with_prefix(session: ReadSession, repository_id: str, prefix: str) -> list[str]:
    """Up to six commit ids that begin with these digits."""
    statement = select(commits.c.commit_id).where(
        commits.c.repository_id == repository_id, commits.c.commit_id.startswith(prefix, autoescape=True)
    )
    return [row.commit_id for row in await session.all(statement.limit(6))]


async def add_commit(session: WriteSession, values: Mapping[str, object], trace_ids: Sequence[str]) -> None:
    """Store a commit; one that is there already is the same."""
    await session.write(insert_missing(commits).values(**values))
    place = {name: values[name] for name in ("repository_id", "tenant_id", "commit_id")}
    await session.write(insert_missing(commit_traces), [{**place, "trace_id": trace_id} for trace_id in trace_ids])


async def add_blobs(
    session: WriteSession, repository: Row[Any], encoded: Mapping[str, bytes], tokens: Mapping[str, int], encoding: str
) -> None:
    """Store blobs and their token counts; those that are there already are the same."""
    place = {"repository_id": repository.repository_id, "tenant_id": repository.tenant_id}
    await session.write(
        insert_missing(blobs), [{**place, "blob_id": blob_id, "encoded": data} for blob_id, data in encoded.items()]
    )
    await session.write(
        insert_missing(blob_tokens),
        [{**place, "blob_id": blob_id, "encoding": encoding, "tokens": count} for blob_id, count in tokens.items()],
    )


async def find_blobs(
    session: ReadSession, repository_id: str, blob_ids: Iterable[str], encoding: str
) -> dict[str, Row[Any]]:
    """Blobs by id, each with its tokens under an encoding (None where they were counted with another)."""
    wanted = list(dict.fromkeys(blob_ids))
    counted = and_(
        blob_tokens.c.repository_id == blobs.c.repository_id,
        blob_tokens.c.blob_id == blobs.c.blob_id,
        blob_tokens.c.encoding == encoding,
    )
    found = {}
    for start in range(0, len(wanted), _CHUNK):
        statement = (
            select(blobs.c.blob_id, blobs.c.encoded, blob_tokens.c.tokens)
            .outerjoin(blob_tokens, counted)
            .where(blobs.c.repository_id == repository_id, blobs.c.blob_id.in_(wanted[start : start + _CHUNK]))
        )
        found.update({row.blob_id: row for row in await session.all(statement)})
    return found


async def older(session: ReadSession, repository_id: str, generation: int) -> AsyncIterator[Row[Any]]:
    """Commits of a repository from a generation downwards, other branches' too; read in growing batches."""
    size, upper = _FIRST_BATCH, generation
    while upper >= 0:
        lower = max(0, upper - size + 1)
        statement = (
            select(commits)
            .where(commits.c.repository_id == repository_id, commits.c.generation.between(lower, upper))
            .order_by(commits.c.generation.desc(), commits.c.commit_id)
        )
        for row in await session.all(statement):
            yield row
        upper, size = lower - 1, min(size * _GROWTH, _LARGEST_BATCH)


async def commits_of_trace(session: ReadSession, caller: Caller, trace_id: str) -> Sequence[Row[Any]]:
    """Commits that link a trace, in repositories the caller may see."""
    return await session.all(
        select(commits, repositories.c.name.label("repository_name"))
        .join(commit_traces, commit_traces.c.commit_id == commits.c.commit_id)
        .join(repositories, repositories.c.repository_id == commits.c.repository_id)
        .where(
            commit_traces.c.repository_id == commits.c.repository_id,
            commit_traces.c.trace_id == trace_id,
            _seen_by(caller),
        )
        .limit(100)
    )


async def log_operation(
    session: WriteSession, repository: Row[Any], caller: Caller, kind: str, summary: str, changes: list[dict[str, Any]]
) -> None:
    """Write down a mutation with the refs before and after it."""
    await session.write(
        insert(operations).values(
            repository_id=repository.repository_id,
            tenant_id=repository.tenant_id,
            contributor_id=caller.contributor_id,
            working_copy=caller.working_copy,
            kind=kind,
            summary=summary,
            changes=changes,
            undone=False,
            created_at=datetime.now(UTC),
        )
    )


async def latest_operations(session: ReadSession, repository_id: str, limit: int) -> Sequence[Row[Any]]:
    """The newest entries of the operation log, newest first."""
    statement = (
        select(operations, contributors.c.name.label("contributor_name"))
        .join(contributors, contributors.c.contributor_id == operations.c.contributor_id)
        .where(operations.c.repository_id == repository_id)
        .order_by(operations.c.operation_id.desc())
        .limit(limit)
    )
    return await session.all(statement)


async def own_operation(session: ReadSession, repository_id: str, caller: Caller, *, undone: bool) -> Row[Any] | None:
    """What undo takes next (the newest that stands) or redo (the oldest undone after it), of this working copy."""
    mine = and_(
        operations.c.repository_id == repository_id,
        operations.c.contributor_id == caller.contributor_id,
        operations.c.working_copy == caller.working_copy,
        operations.c.kind.not_in(("undo", "redo")),
    )
    standing = select(func.max(operations.c.operation_id)).where(mine, operations.c.undone.is_(False))
    newest = await session.scalar(standing) or 0
    if undone:
        statement = select(operations).where(mine, operations.c.operation_id > newest)
        return await session.first(statement.order_by(operations.c.operation_id).limit(1))
    return await session.first(select(operations).where(operations.c.operation_id == newest))


async def mark_operation(session: WriteSession, operation_id: int, *, undone: bool) -> None:
    """Note that an operation was undone, or done again."""
    await session.write(update(operations).where(operations.c.operation_id == operation_id).values(undone=undone))
