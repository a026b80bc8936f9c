"""SQL for contexts: repositories, objects, refs, heads and the operation log.

The statements that every commit runs are built once: building one takes longer than SQLite takes to run it.
"""

from collections.abc import AsyncIterator, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

from sqlalchemy import ColumnElement, Row, Select, and_, bindparam, delete, func, insert, or_, select, true, update

from commontrace.errors import RefMovedError
from commontrace_backend.contexts.claim_rows import CLAIMED, refuse_claimed
from commontrace_backend.contexts.refs import DEFAULT_BRANCH
from commontrace_backend.contexts.tables import (
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
from commontrace_backend.database.session import QUICK, ReadSession, WriteSession
from commontrace_backend.database.upsert import insert_missing
from commontrace_backend.paging import Asked, Key, Order

LASTING: Final = ("gc", "purge")
"""Operations that leave nothing to undo, and that undo passes over."""

_CHUNK: Final = 500  # SQLite takes a bounded number of parameters
_FIRST_BATCH, _GROWTH, _LARGEST_BATCH = 64, 4, 8192

_SEEN_BY: Final = or_(
    repositories.c.contributor_id == bindparam("caller"),
    and_(repositories.c.tenant_id == bindparam("tenant"), repositories.c.visibility == "team"),
)
_HERE: Final = and_(
    heads.c.repository_id == repositories.c.repository_id,
    heads.c.contributor_id == bindparam("caller"),
    heads.c.working_copy == bindparam("copy"),
)
_BRANCH: Final = func.coalesce(heads.c.branch, DEFAULT_BRANCH)
_TIP: Final = and_(
    refs.c.repository_id == repositories.c.repository_id, refs.c.kind == "branch", refs.c.name == _BRANCH
)
_TIP_COMMIT: Final = and_(commits.c.repository_id == refs.c.repository_id, commits.c.commit_id == refs.c.commit_id)
_FIND_PLACE: Final = (
    select(
        repositories.c.repository_id,
        repositories.c.tenant_id,
        (repositories.c.contributor_id != bindparam("caller")).label("is_foreign"),
        _BRANCH.label("branch"),
        commits.c.commit_id,
        commits.c.generation,
        commits.c.window_messages,
        commits.c.window_tokens,
        commits.c.encoding,
    )
    .outerjoin(heads, _HERE)
    .outerjoin(refs, _TIP)
    .outerjoin(commits, _TIP_COMMIT)
    .where(repositories.c.name == bindparam("name"), _SEEN_BY)
    .order_by((repositories.c.contributor_id == bindparam("caller")).desc(), repositories.c.created_at)
    .limit(1)
    .execution_options(**QUICK)
)
_FIND_REF: Final = (
    select(refs.c.commit_id)
    .where(
        refs.c.repository_id == bindparam("repository"),
        refs.c.kind == bindparam("of"),
        refs.c.name == bindparam("called"),
    )
    .execution_options(**QUICK)
)
_FIND_COMMIT: Final = (
    select(commits)
    .where(commits.c.repository_id == bindparam("repository"), commits.c.commit_id == bindparam("commit"))
    .execution_options(**QUICK)
)
_AT: Final = and_(
    refs.c.repository_id == bindparam("repository"),
    refs.c.kind == bindparam("of"),
    refs.c.name == bindparam("called"),
    refs.c.commit_id == bindparam("before"),
)
_FREE: Final = and_(_AT, or_(refs.c.kind != "branch", ~CLAIMED))
_ADD_REF: Final = insert_missing(refs).execution_options(**QUICK)
_DROP_REF: Final = delete(refs).where(_FREE).execution_options(**QUICK)
_MOVE_REF: Final = update(refs).where(_FREE).values(commit_id=bindparam("after")).execution_options(**QUICK)
_ADD_BLOBS: Final = insert_missing(blobs).execution_options(**QUICK)
_ADD_COMMIT: Final = insert_missing(commits).execution_options(**QUICK)
_ADD_LINKS: Final = insert_missing(commit_traces).execution_options(**QUICK)
_REPOSITORIES: Final = Order(
    "contexts", Key("name", repositories.c.name), Key("contributor_id", repositories.c.contributor_id)
)
_OPERATIONS: Final = Order("operations", Key("operation_id", operations.c.operation_id, descending=True))
_BY_DEPTH: Final = Order(
    "commits of a trace",
    Key("generation", commits.c.generation, descending=True),
    Key("commit_id", commits.c.commit_id),
    Key("repository", repositories.c.name),
    Key("owner", repositories.c.contributor_id),
)
_ADD_OPERATION: Final = insert(operations).execution_options(**QUICK)


def _seen_by(caller: Caller) -> dict[str, str]:
    return {"caller": caller.contributor_id, "tenant": caller.tenant_id}


async def find_place(session: ReadSession, caller: Caller, name: str) -> Row[Any] | None:
    """A repository by name (the caller's own before the team's), the branch that HEAD is on, and its newest commit."""
    return await session.first(_FIND_PLACE, {**_seen_by(caller), "copy": caller.working_copy, "name": name})


async def people(session: ReadSession, tenant_id: str) -> dict[str, str]:
    """The names of everybody in an organization, by id."""
    rows = await session.all(
        select(contributors.c.contributor_id, contributors.c.name).where(contributors.c.tenant_id == tenant_id)
    )
    return {row.contributor_id: row.name for row in rows}


async def all_repositories(session: ReadSession, caller: Caller) -> Sequence[Row[Any]]:
    """Every repository the caller may see with its number of branches, by name."""
    return await session.all(_repositories().order_by(repositories.c.name), _seen_by(caller))


async def some_repositories(
    session: ReadSession, caller: Caller, asked: Asked
) -> tuple[Sequence[Row[Any]], str | None]:
    """A page of the same."""
    return await _REPOSITORIES.read(session, _repositories(), asked, _seen_by(caller))


def _repositories() -> Select[Any]:
    count = (
        select(func.count())
        .where(refs.c.repository_id == repositories.c.repository_id, refs.c.kind == "branch")
        .scalar_subquery()
    )
    return select(repositories, count.label("branches")).where(_SEEN_BY)


async def add_repository(session: WriteSession, values: Mapping[str, object]) -> None:
    """Create a repository."""
    await session.write(insert(repositories).values(**values))


async def find_ref(session: ReadSession, repository_id: int, kind: str, name: str) -> str | None:
    """The commit that a branch or tag names."""
    value: str | None = await session.scalar(_FIND_REF, {"repository": repository_id, "of": kind, "called": name})
    return value


async def all_refs(session: ReadSession, repository_id: int) -> Sequence[Row[Any]]:
    """Every branch and tag, by kind and name."""
    return await session.all(
        select(refs).where(refs.c.repository_id == repository_id).order_by(refs.c.kind, refs.c.name)
    )


def refs_of(repository_id: int, kind: str) -> tuple[Select[Any], Order]:
    """The refs of a kind, and their order, which is that of their names."""
    statement = select(refs).where(refs.c.repository_id == repository_id, refs.c.kind == kind)
    return statement, Order(kind, Key("name", refs.c.name))


async def move_ref(
    session: WriteSession, place: Mapping[str, Any], caller: Caller, ref: tuple[str, str], moved: Mapping[str, Any]
) -> None:
    """Move a ref (kind and name) from exactly `before` to `after`, None standing for absent.

    Raises:
        RefMovedError: it is not at `before` any more; nothing was changed.
        ConflictError: somebody else claimed the branch.
    """
    kind, name = ref
    before, after = moved["before"], moved["after"]
    here = {"repository": place["repository_id"], "of": kind, "called": name, "before": before}
    by = {"caller": caller.contributor_id, "copy": caller.working_copy}
    if before is None:
        done = await session.write(_ADD_REF, {**place, "kind": kind, "name": name, "commit_id": after})
    elif after is None:
        done = await session.write(_DROP_REF, {**here, **by})
    else:
        done = await session.write(_MOVE_REF, {**here, **by, "after": after})
    if done != 1:
        await refuse_claimed(session, place["repository_id"], caller, ref)
        raise RefMovedError(
            f"The {kind} {name} was moved by somebody else meanwhile.", "Look at the log and try again."
        )


async def set_head(session: WriteSession, place: Mapping[str, Any], caller: Caller, before: str, after: str) -> None:
    """Put the caller's working copy from exactly the branch `before` on another; raises RefMovedError."""
    key = {
        "repository_id": place["repository_id"],
        "contributor_id": caller.contributor_id,
        "working_copy": caller.working_copy,
    }
    here = and_(*(heads.c[name] == value for name, value in key.items()))
    # A working copy that never switched has no row: it is on the default branch.
    row = {**key, "tenant_id": place["tenant_id"], "branch": DEFAULT_BRANCH}
    await session.write(insert_missing(heads), row)
    if not await session.write(update(heads).where(here, heads.c.branch == before).values(branch=after)):
        raise RefMovedError("HEAD was moved meanwhile.", "Look at the status and try again.")


async def has_head(session: ReadSession, repository_id: int, caller: Caller) -> bool:
    """Whether any working copy of the caller ever switched in a repository."""
    mine = and_(heads.c.repository_id == repository_id, heads.c.contributor_id == caller.contributor_id)
    return bool(await session.scalar(select(heads.c.branch).where(mine).limit(1)))


async def find_commit(session: ReadSession, repository_id: int, commit_id: str) -> Row[Any] | None:
    """A commit by its whole id."""
    return await session.first(_FIND_COMMIT, {"repository": repository_id, "commit": commit_id})


async def commits_with_prefix(session: ReadSession, repository_id: int, prefix: str) -> list[str]:
    """Up to six commit ids that begin with these digits."""
    statement = select(commits.c.commit_id).where(
        commits.c.repository_id == repository_id, commits.c.commit_id.between(prefix, prefix + "g")
    )
    return [row.commit_id for row in await session.all(statement.order_by(commits.c.commit_id).limit(6))]


async def add_commit(session: WriteSession, values: Mapping[str, Any], trace_ids: Sequence[str]) -> None:
    """Store a commit; one that is there already is the same."""
    await session.write(_ADD_COMMIT, values)
    place = {name: values[name] for name in ("repository_id", "tenant_id", "commit_id")}
    await session.write(_ADD_LINKS, [{**place, "trace_id": trace_id} for trace_id in trace_ids])


async def add_blobs(session: WriteSession, rows: list[dict[str, Any]]) -> None:
    """Store blobs and what they cost; those that are there already are the same."""
    await session.write(_ADD_BLOBS, rows)


async def find_blobs(session: ReadSession, repository_id: int, blob_ids: Iterable[str]) -> dict[str, Row[Any]]:
    """Blobs by id."""
    wanted = list(dict.fromkeys(blob_ids))
    found = {}
    for start in range(0, len(wanted), _CHUNK):
        statement = select(blobs.c.blob_id, blobs.c.encoded, blobs.c.tokens, blobs.c.encoding).where(
            blobs.c.repository_id == repository_id, blobs.c.blob_id.in_(wanted[start : start + _CHUNK])
        )
        found.update({row.blob_id: row for row in await session.all(statement)})
    return found


async def top_generation(session: ReadSession, repository_id: int, commit_ids: Collection[str]) -> int:
    """How deep the history of the deepest of these commits is; -1 for none."""
    wanted, top = list(commit_ids), -1
    for start in range(0, len(wanted), _CHUNK):
        statement = select(func.max(commits.c.generation)).where(
            commits.c.repository_id == repository_id, commits.c.commit_id.in_(wanted[start : start + _CHUNK])
        )
        top = max(top, await session.scalar(statement))
    return top


async def older(session: ReadSession, repository_id: int, generation: int) -> AsyncIterator[Row[Any]]:
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


async def commits_of_trace(
    session: ReadSession, caller: Caller, trace_ids: Sequence[str], asked: Asked
) -> tuple[Sequence[Row[Any]], str | None]:
    """A page of the commits that link one of these trace ids, in repositories the caller may see, deepest first."""
    links = select(commit_traces.c.repository_id, commit_traces.c.commit_id).where(
        commit_traces.c.trace_id.in_(trace_ids)
    )
    linked = links.distinct().subquery()  # one commit may link a trace by several of its prefixes
    here = and_(linked.c.repository_id == commits.c.repository_id, linked.c.commit_id == commits.c.commit_id)
    statement = (
        select(commits, repositories.c.name.label("repository"), repositories.c.contributor_id.label("owner"))
        .join(linked, here)
        .join(repositories, repositories.c.repository_id == commits.c.repository_id)
        .where(_SEEN_BY)
    )
    return await _BY_DEPTH.read(session, statement, asked, _seen_by(caller))


@dataclass(frozen=True, slots=True)
class Entry:
    """An entry of the operation log: refs with what they were before and after; for undo and redo, what it turned."""

    kind: str
    summary: str
    changes: list[dict[str, Any]]
    turns: int | None = None


async def log_operation(session: WriteSession, place: Mapping[str, Any], caller: Caller, entry: Entry) -> None:
    """Write down what was done."""
    values = {
        **place,
        "contributor_id": caller.contributor_id,
        "working_copy": caller.working_copy,
        "kind": entry.kind,
        "summary": entry.summary,
        "changes": entry.changes,
        "undone": False,
        "turns": entry.turns,
        "created_at": datetime.now(UTC),
    }
    await session.write(_ADD_OPERATION, values)


async def latest_operations(session: ReadSession, repository_id: int, limit: int) -> Sequence[Row[Any]]:
    """The newest entries of the operation log, newest first."""
    statement = _operations(repository_id).order_by(operations.c.operation_id.desc()).limit(limit)
    return await session.all(statement)


async def some_operations(
    session: ReadSession, repository_id: int, asked: Asked, before: int | None
) -> tuple[Sequence[Row[Any]], str | None]:
    """A page of the operation log, newest first; only what came before an operation where that is said."""
    older = operations.c.operation_id < before if before is not None else true()
    return await _OPERATIONS.read(session, _operations(repository_id).where(older), asked)


def _operations(repository_id: int) -> Select[Any]:
    return (
        select(operations, contributors.c.name.label("contributor_name"))
        .join(contributors, contributors.c.contributor_id == operations.c.contributor_id)
        .where(operations.c.repository_id == repository_id)
    )


async def operations_after(session: ReadSession, repository_id: int, moment: datetime) -> Sequence[Row[Any]]:
    """Every entry of the operation log since a moment, newest first."""
    statement = select(operations).where(operations.c.repository_id == repository_id, operations.c.created_at > moment)
    return await session.all(statement.order_by(operations.c.operation_id.desc()))


def _by(repository_id: int, caller: Caller) -> ColumnElement[bool]:
    return and_(
        operations.c.repository_id == repository_id,
        operations.c.contributor_id == caller.contributor_id,
        operations.c.working_copy == caller.working_copy,
    )


async def newest_standing(session: ReadSession, repository_id: int, caller: Caller) -> Row[Any] | None:
    """The newest operation of this working copy that was not undone."""
    standing = and_(operations.c.undone.is_(False), operations.c.kind.not_in(("undo", "redo", *LASTING)))
    statement = select(operations).where(_by(repository_id, caller), standing)
    return await session.first(statement.order_by(operations.c.operation_id.desc()).limit(1))


async def own_operations(session: ReadSession, repository_id: int, caller: Caller, limit: int) -> Sequence[Row[Any]]:
    """What this working copy did, undid and did again, newest first."""
    statement = select(operations).where(_by(repository_id, caller), operations.c.kind.not_in(LASTING))
    return await session.all(statement.order_by(operations.c.operation_id.desc()).limit(limit))


async def mark_operation(session: WriteSession, operation_id: int, *, undone: bool) -> None:
    """Note that an operation was undone, or done again."""
    await session.write(update(operations).where(operations.c.operation_id == operation_id).values(undone=undone))
