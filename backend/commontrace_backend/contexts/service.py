"""What committing, branching and tagging decide."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from sqlalchemy import Row

from commontrace.errors import BudgetExceededError, ConflictError, NotFoundError
from commontrace.models.base import Page
from commontrace.models.contexts import (
    BranchInfo,
    BudgetPolicy,
    BudgetVerdict,
    CommitResult,
    NewBranch,
    NewCommit,
    NewRepository,
    NewTag,
    RepositoryInfo,
    TagInfo,
)
from commontrace.objects import Blob, Commit, appends, identify
from commontrace.providers.messages import Message, parse_messages
from commontrace.providers.parts import is_custom
from commontrace_backend.contexts import audit_store, store
from commontrace_backend.contexts.checking import check_answers, check_custom, unanswerable
from commontrace_backend.contexts.compression.policy import verdict
from commontrace_backend.contexts.contents import cost, counting, total, window_tokens
from commontrace_backend.contexts.deliveries import find_answer, keep_answer
from commontrace_backend.contexts.places import SHORT, Place, make_place, open_place, resolve, tip
from commontrace_backend.contexts.recording import NewBlob, change, now, perform, schema_message, writable_tip
from commontrace_backend.contexts.refs import check_name
from commontrace_backend.contexts.state import REPOSITORY
from commontrace_backend.contexts.store import Entry
from commontrace_backend.contexts.walk import walk
from commontrace_backend.contributors.caller import Caller
from commontrace_backend.database.session import ReadSession, WriteSession
from commontrace_backend.paging import Asked
from commontrace_backend.tokens import default_counter

_COUNTED_AT_ONCE: Final = 10_000  # bytes, which take about two milliseconds


@dataclass(frozen=True, slots=True)
class Prepared:
    """A commit ready to be stored: all that takes time happens before the write lock is taken.

    Attributes:
        wanted: what was asked for.
        messages: in the canonical form.
        blobs: the same as they are stored.
        tools: the schemas of tools as they are stored.
        calls: the calls that must have been made before.
    """

    wanted: NewCommit
    messages: list[Message]
    blobs: list[NewBlob]
    tools: list[NewBlob]
    calls: set[str]


async def prepare(wanted: NewCommit) -> Prepared:
    """Parse, hash and count messages, in a thread where that takes long; raises InvalidInputError."""
    counter = default_counter()
    messages = parse_messages(wanted.messages)
    tools = [schema_message(tool) for tool in wanted.tools or []]
    blobs = [Blob.of(message) for message in (*messages, *tools)]

    def count() -> list[NewBlob]:
        costs = [cost(counter, message) for message in (*messages, *tools)]
        return list(map(NewBlob, blobs, costs))

    quick = counter.ready and sum(len(blob.encoded) for blob in blobs) < _COUNTED_AT_ONCE
    counted = count() if quick else await asyncio.to_thread(count)
    return Prepared(wanted, messages, counted[: len(messages)], counted[len(messages) :], unanswerable(messages))


async def commit(session: WriteSession, caller: Caller, name: str, prepared: Prepared) -> CommitResult:
    """Append messages to a branch; the first commit creates repository and branch.

    Raises:
        RefMovedError: the branch is not at `expected_head`, or moved meanwhile; nothing was written.
        NotFoundError: HEAD is on a branch that somebody deleted.
        BudgetExceededError: the policy that was sent rejects a window of this size.
        IdempotencyError: its idempotency key came with another commit.
        InvalidInputError: a tool result without its call, or a part that lacks what its type requires.
    """
    wanted = prepared.wanted
    place = await make_place(session, caller, name)
    answered = await find_answer(session, caller, place, wanted)
    if answered is not None:
        return answered
    branch = check_name(wanted.branch or place.branch)
    before = await writable_tip(session, place, wanted.branch and branch, wanted.expected_head)
    parent = place.tip
    if before != place.head:
        parent = await store.find_commit(session, place.id, before) if before else None
    if prepared.calls:
        await check_answers(session, place.id, before, prepared.calls)
    if any(is_custom(part) for message in prepared.messages for part in message["parts"]):
        await check_custom(session, place.id, before, prepared.messages)
    blobs = await _costed(session, place, prepared.blobs)
    derived = await _derived(session, place, parent, blobs)
    said = judged(derived["window_tokens"], wanted.budget)
    made = _made(caller, wanted, before, prepared)
    encoded = made.encoded()
    commit_id = identify("commit", encoded)
    await store.add_blobs(session, [item.row(place) for item in (*blobs, *prepared.tools)])
    await store.add_commit(session, {**place.key, "commit_id": commit_id, "encoded": encoded, **derived}, made.traces)
    moved = [change(f"branch/{branch}", before, commit_id)]
    await perform(session, caller, place, Entry("commit", made.message or commit_id[:SHORT], moved))
    result = CommitResult(
        repository=name,
        branch=branch,
        commit_id=commit_id,
        short_id=commit_id[:SHORT],
        messages=len(blobs),
        window_messages=derived["window_messages"],
        tokens=total(derived["window_tokens"]),
        budget=said,
    )
    await keep_answer(session, caller, place, wanted, result)
    return result


async def _costed(session: ReadSession, place: Place, blobs: list[NewBlob]) -> list[NewBlob]:
    """Messages with what they cost here: one that was purged costs what its tombstone does."""
    purged = await audit_store.purged_costs(session, place.id, (item.blob.blob_id for item in blobs))
    return [replace(item, tokens=purged.get(item.blob.blob_id, item.tokens)) for item in blobs] if purged else blobs


def _made(caller: Caller, wanted: NewCommit, before: str | None, prepared: Prepared) -> Commit:
    time = now()
    parents = (before,) if before else ()
    origin = [parents, caller.contributor_id, caller.working_copy, wanted.agent, time]
    return Commit(
        parents=parents,
        operations=(*_tools(prepared), *appends([item.blob.blob_id for item in prepared.blobs], origin)),
        author=caller.contributor_id,
        agent=wanted.agent,
        time=time,
        message=wanted.message,
        traces=tuple(wanted.trace_ids),
        metadata=wanted.metadata,
        generation=wanted.generation,
    )


def judged(tokens: int, policy: BudgetPolicy | None) -> BudgetVerdict | None:
    """What a policy says of a window; raises BudgetExceededError where it rejects it."""
    said = verdict(total(tokens).high, policy) if policy else None
    if said and said.verdict == "reject":
        raise BudgetExceededError(
            f"The window would have {said.tokens} tokens, there is room for {said.room}.",
            "Plan for the budget, compress, or commit less.",
        )
    return said


def _tools(prepared: Prepared) -> list[dict[str, Any]]:
    """The operation that says which tools there are, where the commit says so."""
    if prepared.wanted.tools is None:
        return []
    value = [item.blob.blob_id for item in prepared.tools]
    return [{"op": "annotate", "slot": REPOSITORY, "key": "tools", "value": value}]


async def _derived(
    session: ReadSession, place: Place, parent: Row[Any] | None, blobs: Sequence[NewBlob]
) -> dict[str, Any]:
    generation, messages, tokens = 0, 0, 0
    if parent:
        generation, messages = parent.generation + 1, parent.window_messages
        tokens = await window_tokens(session, place.id, parent)
    return {
        "generation": generation,
        "window_messages": messages + len(blobs),
        "window_tokens": tokens + sum(item.tokens for item in blobs),
        "encoding": counting(),
    }


async def create(session: WriteSession, caller: Caller, wanted: NewRepository) -> RepositoryInfo:
    """Create a context without a commit; one that is there already stays as it is."""
    place = await make_place(session, caller, wanted.name)
    rows = await store.all_repositories(session, caller)
    return RepositoryInfo.model_validate(next(row for row in rows if row.repository_id == place.id))


async def create_branch(session: WriteSession, caller: Caller, name: str, wanted: NewBranch) -> BranchInfo:
    """Create a branch, and with `switch` go on there; raises ConflictError for a name that is taken."""
    place = await open_place(session, caller, name)
    branch = check_name(wanted.name)
    if await tip(session, place, branch) is not None:
        raise ConflictError(f"There is a branch {branch} already.", "Choose another name, or switch to it.")
    commit_id = await resolve(session, place, wanted.from_ref)
    changes = [change(f"branch/{branch}", None, commit_id)]
    if wanted.switch:
        changes.append(change("head/", place.branch, branch))
    await perform(session, caller, place, Entry("branch", f"created {branch}", changes))
    return BranchInfo(name=branch, commit_id=commit_id, current=wanted.switch)


async def switch(session: WriteSession, caller: Caller, name: str, branch: str) -> BranchInfo:
    """Put the caller's working copy on a branch; nobody else's moves."""
    place = await open_place(session, caller, name)
    commit_id = await tip(session, place, branch)
    if commit_id is None and branch != place.branch:
        raise NotFoundError(f"There is no branch {branch}.", "Create it, or see the branches.")
    # Whoever goes to a context that somebody else shares says so by it, even where the branch is the same.
    if branch != place.branch or (place.is_foreign and not await store.has_head(session, place.id, caller)):
        changes = [change("head/", place.branch, branch)]
        await perform(session, caller, place, Entry("switch", f"{place.branch} → {branch}", changes))
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
    await perform(
        session, caller, place, Entry("branch", f"deleted {branch}", [change(f"branch/{branch}", commit_id, None)])
    )
    return BranchInfo(name=branch, commit_id=commit_id)


async def _kept_elsewhere(session: ReadSession, place: Place, branch: str, commit_id: str) -> bool:
    others = [
        row.commit_id
        for row in await store.all_refs(session, place.id)
        if row.kind != "label" and (row.kind, row.name) != ("branch", branch)
    ]
    async for row, _ in walk(session, place.id, others):
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
    await perform(session, caller, place, Entry("tag", f"created {tag}", [change(f"tag/{tag}", None, commit_id)]))
    return TagInfo(name=tag, commit_id=commit_id)


async def delete_tag(session: WriteSession, caller: Caller, name: str, tag: str) -> TagInfo:
    """Take a tag away; undo brings it back."""
    place = await open_place(session, caller, name)
    commit_id = await store.find_ref(session, place.id, "tag", tag)
    if commit_id is None:
        raise NotFoundError(f"There is no tag {tag}.", "See the tags.")
    await perform(session, caller, place, Entry("tag", f"deleted {tag}", [change(f"tag/{tag}", commit_id, None)]))
    return TagInfo(name=tag, commit_id=commit_id)


async def tags(session: ReadSession, caller: Caller, name: str, asked: Asked) -> Page[TagInfo]:
    """The tags by name."""
    place = await open_place(session, caller, name)
    statement, order = store.refs_of(place.id, "tag")
    rows, goes_on = await order.read(session, statement, asked)
    return Page(items=[TagInfo.model_validate(row) for row in rows], next_cursor=goes_on)
