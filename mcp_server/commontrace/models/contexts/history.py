"""Commits, the log and what changes between two windows."""

from datetime import datetime
from typing import Annotated, Literal

from pydantic import Field, JsonValue

from commontrace.models.base import IdempotencyKey, Record
from commontrace.models.contexts.branches import ClaimInfo
from commontrace.models.contexts.common import (
    BranchName,
    Exact,
    Note,
    Priority,
    RawMessage,
    Redactable,
    Redacted,
    TokenCount,
)
from commontrace.models.contexts.compression import BudgetPolicy, BudgetVerdict
from commontrace.models.contexts.merging import ConflictInfo


class NewCommit(Redactable):
    """Messages to append to a branch, in the OpenAI or Anthropic shape."""

    messages: Annotated[list[Annotated[RawMessage, Exact]], Field(min_length=1, max_length=2_000)]
    message: Note = ""
    branch: BranchName | None = Field(default=None, description="Default: the branch that HEAD is on.")
    expected_head: Annotated[str, Field(pattern="^[0-9a-f]{4,64}$")] | None = Field(
        default=None, description="Refuse if the branch has moved on from here; the first digits are enough."
    )
    trace_ids: Annotated[list[Annotated[str, Field(pattern="^[0-9a-f]{6,32}$")]], Field(max_length=100)] = []
    agent: Annotated[str, Field(max_length=200)] = ""
    metadata: Annotated[dict[str, JsonValue], Exact] = {}
    generation: Annotated[dict[str, JsonValue], Exact] = Field(
        default={}, description="Model and parameters that wrote the messages."
    )
    tools: Annotated[list[Annotated[RawMessage, Exact]], Field(max_length=1_000)] | None = Field(
        default=None, description="The tools that the model may call from here on, as the provider takes them."
    )
    budget: BudgetPolicy | None = Field(default=None, description="What the window may come to, and what happens then.")
    idempotency_key: IdempotencyKey | None = Field(
        default=None, description="Sent again with the same commit, it answers as the first time and stores nothing."
    )


class CommitResult(Redacted):
    """A commit that was stored."""

    repository: str
    branch: str
    commit_id: str
    short_id: str
    messages: int = Field(description="Messages in this commit.")
    window_messages: int = Field(description="Messages in the whole window.")
    tokens: TokenCount = Field(description="Of the whole window.")
    budget: BudgetVerdict | None = Field(default=None, description="What the policy says, where one was sent.")


class CommitInfo(Record):
    """A commit as the log shows it."""

    repository: str
    commit_id: str
    short_id: str
    parents: list[str]
    author: str = Field(description="The contributor's id.")
    author_name: str = Field(default="", description="As the store knows the contributor; empty for one it does not.")
    agent: str
    created_at: datetime
    message: str
    messages: int
    tokens: int = Field(description="Of the window at this commit.")
    refs: list[str] = Field(default=[], description="Branches and tags that point here.")
    labels: list[str] = []
    traces: list[str] = []
    metadata: dict[str, JsonValue] = {}
    generation: dict[str, JsonValue] = {}


class LogPage(Record):
    """Commits, newest first; `next_ref` continues where the page ends."""

    commits: list[CommitInfo]
    next_ref: str | None = None

    @property
    def older(self) -> str:
        """`next_ref` as somebody would type it, with short ids; empty on the last page."""
        return ",".join(commit_id[:12] for commit_id in self.next_ref.split(",")) if self.next_ref else ""


class ContextStatus(Record):
    """Where writing goes on."""

    repository: str
    branch: str
    commit_id: str | None
    messages: int
    tokens: TokenCount
    by_role: dict[str, int] = Field(default={}, description="Tokens of the window by role.")
    by_type: dict[str, int] = Field(
        default={}, description="The same by type of part: text, reasoning, tool_call, tool_result, …; or summary."
    )
    tools: int = Field(default=0, description="Schemas of tools.")
    tool_tokens: int = Field(default=0, description="What they cost beside the window.")
    hidden: dict[str, int] = Field(
        default={}, description="Messages that are not in the window: removed, skipped, summarised, expanded."
    )
    conflicts: list[ConflictInfo] = Field(default=[], description="What stands to be settled.")
    stale: list[str] = Field(default=[], description="Summaries of what was edited since.")
    claim: ClaimInfo | None = Field(default=None, description="Who has the branch for themselves.")
    budget: int | None = None
    left: int | None = Field(default=None, description="The budget without window and tools; negative if it is over.")


class DiffMessage(Record):
    """A message that differs between two windows."""

    change: Literal["added", "removed", "edited", "moved", "priority"]
    slot_id: str
    role: str
    role_before: str | None = Field(default=None, description="Where it is in both windows.")
    priority: Priority = "normal"
    tokens: int
    text: str
    text_before: str | None = Field(default=None, description="What an edited message said before.")


class ContextDiff(Record):
    """What has to change in the window at `a` to get the one at `b`."""

    a: str
    b: str
    commits: tuple[str, str] = Field(description="The ids of the commits that they name.")
    changes: list[DiffMessage]
    token_delta: int
