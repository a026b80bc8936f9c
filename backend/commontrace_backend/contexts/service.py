"""What committing, branching, tagging and merging decide."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from commontrace.errors import ConflictError, NotFoundError, RefMovedError
from commontrace.models.contexts import (
    BranchInfo,
    CommitResult,
    MergeResult,
    NewBranch,
    NewCommit,
    NewMerge,
    NewTag,
    TagInfo,
)
from commontrace_backend.contexts import store
from commontrace_backend.contexts.graph import ancestors
from commontrace_backend.contexts.history import cost, show, state_at, total, walk
from commontrace_backend.contexts.merge import order_operations
from commontrace_backend.contexts.messages import parse_message
from commontrace_backend.contexts.objects import Blob, Commit, appends, identify
from commontrace_backend.contexts.places import SHORT, Place, make_place, open_place, resolve, tip
from commontrace_backend.contexts.refs import check_name
from commontrace_backend.contexts.state import State
from commontrace_backend.contributors.caller import Caller
from commontrace_backend.database.session import ReadSession, WriteSession
from commontrace_backend.tokens import default_counter


@dataclass(frozen=True, slots=True)
class Prepared:
    """Messages ready to be stored: all that takes time happens before the write lock is taken."""

    blobs: list[Blob]
    tokens: dict[str, int]
    encoding: str


async def prepare(wanted: NewCommit) -> Prepared:
    """Parse, hash and count messages in a thread; raises InvalidInputError."""
    return await asyncio.to_thread(_prepare, wanted.messages)


def _prepare(raw: Sequence[Mapping[str, Any]]) -> Prepared:
    counter = default_counter()
    messages = [parse_message(message) for message in raw]
    blobs = [Blob.of(message) for message in messages]
    tokens = {blob.blob_id: cost(counter, message) for blob, message in zip(blobs, messages, strict=True)}
    return Prepared(blobs, tokens, counter.count("").encoding)


async def commit(
    session: WriteSession, caller: Caller, name: str, wanted: NewCommit, prepared: Prepared
) -> CommitResult:
    """Append messages to a branch; the first commit creates repository and branch.

    Raises:
        RefMovedError: the branch is not at `expected_head`, or moved meanwhile; nothing was written.
    """
    place = await make_place(session, caller, name)
    branch = check_name(wanted.branch or place.branch)
    before = await tip(session, place, branch)
    if wanted.expected_head is not None and wanted.expected_head != before:
        raise RefMovedError(f"{branch} has moved on to {str(before)[:SHORT]}.", "Look at the log and commit again.")
    parent = await store.find_commit(session, place.id, before) if before else None
    time = datetime.now(UTC).isoformat(timespec="microseconds")
    parents = (before,) if before else ()
    made = Commit(
        parents=parents,
        operations=appends(
            [blob.blob_id for blob in prepared.blobs],
            after=parent.tail if parent else None,
            origin=[parents, caller.contributor_id, caller.working_copy, wanted.agent, time],
        ),
        author=caller.contributor_id,
        agent=wanted.agent,
        time=time,
        message=wanted.message,
        traces=tuple(wanted.trace_ids),
        metadata=wanted.metadata,
        generation=wanted.generation,
    )
    await store.add_blobs(
        session,
        place.repository,
        {blob.blob_id: blob.encoded for blob in prepared.blobs},
        prepared.tokens,
        prepared.encoding,
    )
    derived = {
        "generation": parent.generation + 1 if parent else 0,
        "tail": made.operations[-1]["slot"],
        "window_messages": (parent.window_messages if parent else 0) + len(prepared.blobs),
        "window_tokens": (parent.window_tokens if parent else 0)
        + sum(prepared.tokens[blob.blob_id] for blob in prepared.blobs),
        "encoding": prepared.encoding,
    }
    commit_id = await _advance(session, caller, place, branch, before, made, derived, "commit")
    return CommitResult(
        repository=name,
        branch=branch,
        commit_id=commit_id,
        short_id=commit_id[:SHORT],
        messages=len(prepared.blobs),
        window_messages=derived["window_messages"],
        tokens=total(derived["window_tokens"]),
    )


async def _advance(  # noqa: PLR0913, PLR0917 - a commit and where it goes
    session: WriteSession,
    caller: Caller,
    place: Place,
    branch: str,
    before: str | None,
    made: Commit,
    derived: Mapping[str, Any],
    kind: str,
) -> str:
    """Store a commit and move the branch to it, in one transaction."""
    encoded = made.encoded()
    commit_id = identify("commit", encoded)
    key = {"repository_id": place.id, "tenant_id": place.repository.tenant_id, "commit_id": commit_id}
    await store.add_commit(session, {**key, "encoded": encoded, **derived}, made.traces)
    await _move(session, caller, place, f"branch/{branch}", before, commit_id, kind, made.message or commit_id[:SHORT])
    return commit_id


async def _move(  # noqa: PLR0913, PLR0917 - a move and its entry in the log
    session: WriteSession,
    caller: Caller,
    place: Place,
    ref: str,
    before: str | None,
    after: str | None,
    kind: str,
    summary: str,
) -> None:
    await change(session, caller, place, [{"ref": ref, "before": before, "after": after}])
    await store.log_operation(
        session, place.repository, caller, kind, summary, [{"ref": ref, "before": before, "after": after}]
    )


async def change(session: WriteSession, caller: Caller, place: Place, changes: list[dict[str, Any]]) -> None:
    """Apply changes of refs and of the caller's HEAD; raises RefMovedError where one is not as expected."""
    for item in changes:
        kind, _, name = item["ref"].partition("/")
        if kind == "head":
            if (await open_place(session, caller, place.repository.name)).branch != item["before"]:
                raise RefMovedError("HEAD was moved meanwhile.", "Look at the status and try again.")
            await store.set_head(session, place.repository, caller, item["after"])
        else:
            await store.move_ref(session, place.repository, kind, name, item["before"], item["after"])


async def create_branch(session: WriteSession, caller: Caller, name: str, wanted: NewBranch) -> BranchInfo:
    """Create a branch, and with `switch` go on there; raises ConflictError for a name that is taken."""
    place = await open_place(session, caller, name)
    branch = check_name(wanted.name)
    if await tip(session, place, branch) is not None:
        raise ConflictError(f"There is a branch {branch} already.", "Choose another name, or switch to it.")
    commit_id = await resolve(session, place, wanted.from_ref)
    changes = [{"ref": f"branch/{branch}", "before": None, "after": commit_id}]
    if wanted.switch:
        changes.append({"ref": "head/", "before": place.branch, "after": branch})
    await change(session, caller, place, changes)
    await store.log_operation(session, place.repository, caller, "branch", f"created {branch}", changes)
    return BranchInfo(name=branch, commit_id=commit_id, current=wanted.switch)


async def switch(session: WriteSession, caller: Caller, name: str, branch: str) -> BranchInfo:
    """Put the caller's working copy on a branch; nobody else's moves."""
    place = await open_place(session, caller, name)
    commit_id = await tip(session, place, branch)
    if commit_id is None and branch != place.branch:
        raise NotFoundError(f"There is no branch {branch}.", "Create it, or see the branches.")
    if branch != place.branch:
        changes = [{"ref": "head/", "before": place.branch, "after": branch}]
        await change(session, caller, place, changes)
        await store.log_operation(session, place.repository, caller, "switch", f"{place.branch} → {branch}", changes)
    return BranchInfo(name=branch, commit_id=commit_id, current=True)


async def delete_branch(session: WriteSession, caller: Caller, name: str, branch: str, *, force: bool) -> BranchInfo:
    """Delete a branch; its commits stay, and undo brings it back.

    Raises:
        ConflictError: HEAD is on it, or no other branch or tag leads to its commits and `force` is not set.
    """
    place = await open_place(session, caller, name)
    commit_id = await tip(session, place, branch)
    if commit_id is None:
        raise NotFoundError(f"There is no branch {branch}.", "See the branches.")
    if branch == place.branch:
        raise ConflictError(f"You are on {branch}.", "Switch to another branch first.")
    if not force and not await _kept_elsewhere(session, place, branch, commit_id):
        raise ConflictError(
            f"Nothing else leads to the commits of {branch}.", "Merge it first, or delete it with force."
        )
    await _move(session, caller, place, f"branch/{branch}", commit_id, None, "branch", f"deleted {branch}")
    return BranchInfo(name=branch, commit_id=commit_id)


async def _kept_elsewhere(session: ReadSession, place: Place, branch: str, commit_id: str) -> bool:
    others = [
        row.commit_id for row in await store.all_refs(session, place.id) if (row.kind, row.name) != ("branch", branch)
    ]
    if not others:
        return False
    async for row in walk(session, place.id, others):
        if row.commit_id == commit_id:
            return True
    return False


async def create_tag(session: WriteSession, caller: Caller, name: str, wanted: NewTag) -> TagInfo:
    """Give a commit a fixed name; raises ConflictError for one that is taken."""
    place = await open_place(session, caller, name)
    tag = check_name(wanted.name)
    if await store.find_ref(session, place.id, "tag", tag) is not None:
        raise ConflictError(f"There is a tag {tag} already.", "Choose another name, or delete it first.")
    commit_id = await resolve(session, place, wanted.ref)
    await _move(session, caller, place, f"tag/{tag}", None, commit_id, "tag", f"created {tag}")
    return TagInfo(name=tag, commit_id=commit_id)


async def delete_tag(session: WriteSession, caller: Caller, name: str, tag: str) -> TagInfo:
    """Take a tag away; undo brings it back."""
    place = await open_place(session, caller, name)
    commit_id = await store.find_ref(session, place.id, "tag", tag)
    if commit_id is None:
        raise NotFoundError(f"There is no tag {tag}.", "See the tags.")
    await _move(session, caller, place, f"tag/{tag}", commit_id, None, "tag", f"deleted {tag}")
    return TagInfo(name=tag, commit_id=commit_id)


async def tags(session: ReadSession, caller: Caller, name: str) -> list[TagInfo]:
    """Every tag."""
    place = await open_place(session, caller, name)
    return [TagInfo.model_validate(row) for row in await store.all_refs(session, place.id) if row.kind == "tag"]


async def merge(session: WriteSession, caller: Caller, name: str, wanted: NewMerge) -> MergeResult:
    """Bring another history into the current branch: forward where possible, else the union of both.

    Raises:
        NotFoundError: no such source, or the current branch is unborn.
    """
    place = await open_place(session, caller, name)
    ours = await resolve(session, place, "HEAD")
    theirs = await resolve(session, place, wanted.source)
    rows = {row.commit_id: row async for row in walk(session, place.id, sorted({ours, theirs}))}

    def parents_of(commit_id: str) -> Sequence[str]:
        return Commit.decode(rows[commit_id].encoded).parents

    if theirs in ancestors([ours], parents_of):
        return _merged("up_to_date", place, rows[ours], rows[ours])
    if ours in ancestors([theirs], parents_of):
        if not wanted.dry_run:
            ref = f"branch/{place.branch}"
            await _move(session, caller, place, ref, ours, theirs, "merge", f"forward to {wanted.source}")
        return _merged("fast_forward", place, rows[ours], rows[theirs])
    return await _merge_commit(session, caller, place, wanted, rows[ours], rows[theirs])


def _merged(kind: Any, place: Place, before: Any, after: Any) -> MergeResult:
    return MergeResult(
        kind=kind,
        branch=place.branch,
        commit_id=after.commit_id,
        added=after.window_messages - before.window_messages,
        tokens=total(after.window_tokens),
    )


async def _merge_commit(
    session: WriteSession, caller: Caller, place: Place, wanted: NewMerge, ours: Any, theirs: Any
) -> MergeResult:
    mine, yours = await state_at(session, place.id, ours.commit_id), await state_at(session, place.id, theirs.commit_id)
    operations = order_operations(mine, yours)
    union: State = await state_at(session, place.id, ours.commit_id, theirs.commit_id)
    union.apply("", operations)
    sequence = union.sequence()
    tokens = sum((await show(session, place.id, sequence)).tokens)
    made = Commit(
        parents=(ours.commit_id, theirs.commit_id),
        operations=operations,
        author=caller.contributor_id,
        agent="",
        time=datetime.now(UTC).isoformat(timespec="microseconds"),
        message=wanted.message or f"Merge {wanted.source} into {place.branch}",
    )
    derived = {
        "generation": max(ours.generation, theirs.generation) + 1,
        "tail": sequence[-1].slot_id,
        "window_messages": len(sequence),
        "window_tokens": tokens,
        "encoding": ours.encoding,
    }
    commit_id = None
    if not wanted.dry_run:
        commit_id = await _advance(session, caller, place, place.branch, ours.commit_id, made, derived, "merge")
    return MergeResult(
        kind="merged",
        branch=place.branch,
        commit_id=commit_id,
        added=len(sequence) - len(mine.slots),
        tokens=total(tokens),
    )
