"""The way into the store for commits that write registers or merge: what they say, what their windows come to."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from commontrace.errors import NotFoundError, RefMovedError
from commontrace.objects import Blob, Commit, identify
from commontrace.providers.messages import Message, parse_message
from commontrace_backend.contexts import audit_store, store
from commontrace_backend.contexts.contents import cost, counting, tokens_of, window_tokens
from commontrace_backend.contexts.places import SHORT, Place, tip
from commontrace_backend.contexts.refs import DEFAULT_BRANCH
from commontrace_backend.contexts.state import extended
from commontrace_backend.contexts.states import merged_state, remember, view_at
from commontrace_backend.contexts.store import Entry
from commontrace_backend.contexts.view import View
from commontrace_backend.contributors.caller import Caller
from commontrace_backend.database.session import ReadSession, WriteSession
from commontrace_backend.tokens import default_counter


@dataclass(frozen=True, slots=True)
class NewBlob:
    """A message to be stored, and what it costs."""

    blob: Blob
    tokens: int

    @classmethod
    def of(cls, raw: Mapping[str, Any]) -> "NewBlob":
        """From a message in any shape that we take; raises InvalidInputError."""
        message: Message = parse_message(raw)
        return cls(Blob.of(message), cost(default_counter(), message))

    def row(self, place: Place) -> dict[str, Any]:
        """As it is stored."""
        return {
            **place.key,
            "blob_id": self.blob.blob_id,
            "encoded": self.blob.encoded,
            "tokens": self.tokens,
            "encoding": counting(),
        }


def schema_message(tool: Mapping[str, Any]) -> Message:
    """A tool's schema as it is stored: a message that is never shown."""
    return {"role": "tools", "parts": [{"type": "tool_schema", "schema": dict(tool)}]}


@dataclass(frozen=True, slots=True)
class Draft:
    """A commit to be.

    Attributes:
        kind: what the operation log calls it.
        message: what it is about.
        operations: what it writes.
        parents: the commits before it, the branch's own first.
        blobs: the messages that it brings.
        author, agent, time: who said so and when, where that is not the caller now.
        traces, metadata, generation: as in a commit.
    """

    kind: str
    message: str
    operations: Sequence[Mapping[str, Any]]
    parents: tuple[str, ...]
    blobs: Sequence[NewBlob] = ()
    author: str = ""
    agent: str = ""
    time: str = ""
    traces: tuple[str, ...] = ()
    metadata: Mapping[str, Any] = field(default_factory=dict)
    generation: Mapping[str, Any] = field(default_factory=dict)

    def commit(self, caller: Caller) -> Commit:
        """The commit itself."""
        return Commit(
            parents=self.parents,
            operations=tuple(dict(operation) for operation in self.operations),
            author=self.author or caller.contributor_id,
            agent=self.agent,
            time=self.time or now(),
            message=self.message,
            traces=self.traces,
            metadata=self.metadata,
            generation=self.generation,
        )


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a commit came to; without an id where it was only tried.

    Attributes:
        commit_id: the commit.
        view: what of its state is to be seen.
        messages: how many its window has.
        tokens: what its window comes to.
        added: how many more messages that is than in its first parent's window.
        token_delta: how many tokens more.
    """

    commit_id: str | None
    view: View
    messages: int
    tokens: int
    added: int
    token_delta: int


async def try_out(session: ReadSession, place: Place, draft: Draft, commit_id: str | None = None) -> Outcome:
    """What a commit would come to; raises InvalidInputError for operations that its history does not bear."""
    first = draft.parents[0] if draft.parents else None
    row = await store.find_commit(session, place.id, first) if first else None
    before = await view_at(session, place.id, first)
    joined = await merged_state(session, place.id, draft.parents)
    view = View(extended(joined, draft.operations, commit_id or "draft"))
    old, new = (Counter(slot.blob_id for slot in one.shown) for one in (before, view))
    fresh = {item.blob.blob_id: item.tokens for item in draft.blobs}
    fresh |= await audit_store.purged_costs(session, place.id, fresh)
    gained = new - old
    stored = await tokens_of(session, place.id, (gained - Counter(dict.fromkeys(fresh, gained.total()))).elements())
    was = await window_tokens(session, place.id, row)
    tokens = was + stored + sum(count * fresh[blob_id] for blob_id, count in gained.items() if blob_id in fresh)
    tokens -= await tokens_of(session, place.id, (old - new).elements())
    return Outcome(commit_id, view, new.total(), tokens, new.total() - old.total(), tokens - was)


async def record(session: WriteSession, caller: Caller, place: Place, branch: str, draft: Draft) -> Outcome:
    """Store a commit and move a branch to it, in one transaction; raises RefMovedError."""
    found = await add(session, place, draft, draft.commit(caller))
    moved = [change(f"branch/{branch}", draft.parents[0] if draft.parents else None, found.commit_id)]
    await perform(session, caller, place, Entry(draft.kind, draft.message, moved))
    return found


async def add(session: WriteSession, place: Place, draft: Draft, made: Commit) -> Outcome:
    """Store a commit that no branch leads to yet."""
    encoded = made.encoded()
    commit_id = identify("commit", encoded)
    await store.add_blobs(session, [item.row(place) for item in draft.blobs])
    found = await try_out(session, place, draft, commit_id)
    row = {
        **place.key,
        "commit_id": commit_id,
        "encoded": encoded,
        "generation": await _generation(session, place, draft.parents),
        "window_messages": found.messages,
        "window_tokens": found.tokens,
        "encoding": counting(),
    }
    await store.add_commit(session, row, made.traces)
    remember(found.view)
    return found


async def _generation(session: ReadSession, place: Place, parents: Sequence[str]) -> int:
    return 1 + await store.top_generation(session, place.id, parents)


async def writable_tip(session: ReadSession, place: Place, branch: str | None, expected: str | None) -> str | None:
    """Where a branch points that is to move; None for an unborn one.

    Raises:
        RefMovedError: it is not where the caller takes it for.
        NotFoundError: HEAD is on a branch that somebody deleted.
    """
    name = branch or place.branch
    before = await tip(session, place, name)
    if expected is not None and not (before or "").startswith(expected):
        where = f"is at {before[:SHORT]}" if before else "has no commit"
        raise RefMovedError(f"{name} {where}, not at {expected[:SHORT]}.", "Look at the log and try again.")
    if before is None and branch is None and name != DEFAULT_BRANCH:
        raise NotFoundError(
            f"The branch {name}, which you are on, is gone.", f"Switch to another one, or create {name} again."
        )
    return before


async def born_tip(session: ReadSession, place: Place, expected: str | None = None) -> str:
    """Where the branch of HEAD points; raises NotFoundError if it has no commit yet, and as `writable_tip` does."""
    before = await writable_tip(session, place, None, expected)
    if before is None:
        raise NotFoundError(f"The branch {place.branch} has no commit yet.", "Commit something first.")
    return before


def now() -> str:
    """The time as a commit says it."""
    return datetime.now(UTC).isoformat(timespec="microseconds")


def change(ref: str, before: str | None, after: str | None) -> dict[str, Any]:
    """A ref that moves, for the operation log; None stands for absent."""
    return {"ref": ref, "before": before, "after": after}


async def perform(session: WriteSession, caller: Caller, place: Place, entry: Entry) -> None:
    """Change refs and the caller's HEAD, and log it; raises RefMovedError where one is not as expected."""
    for item in entry.changes:
        kind, _, called = item["ref"].partition("/")
        if kind == "head":
            await store.set_head(session, place.key, caller, item["before"], item["after"])
        else:
            await store.move_ref(session, place.key, caller, (kind, called), item)
    await store.log_operation(session, place.key, caller, entry)
