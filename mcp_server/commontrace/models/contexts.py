"""Contexts on the wire: commits, branches, windows, and what was done to them."""

from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field, JsonValue

from commontrace.models.base import Body, Record
from commontrace.models.canonical import canonical

WindowFormat = Literal["text", "messages", "openai", "anthropic"]
"""Plain text, CommonTrace's canonical messages, or a provider's own shape."""

RepositoryName = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9._-]{0,99}$")]
BranchName = Annotated[str, Field(min_length=1, max_length=101)]
RefText = Annotated[str, Field(min_length=1, max_length=250)]
Note = Annotated[str, Field(max_length=4_000)]
RawMessage = dict[str, Any]


def _exact(value: dict[str, Any]) -> dict[str, Any]:
    """Refuse what would arrive as something else, such as NaN as null."""
    canonical(value)
    return value


Exact = AfterValidator(_exact)


class TokenCount(Record):
    """A number of tokens and how it was come by."""

    tokens: int = Field(ge=0)
    method: Literal["exact", "reported", "estimated"] = Field(
        description="exact: counted with the encoding; reported: by a provider; estimated: from the bytes."
    )
    encoding: str


class NewCommit(Body):
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


class CommitResult(Record):
    """A commit that was stored."""

    repository: str
    branch: str
    commit_id: str
    short_id: str
    messages: int = Field(description="Messages in this commit.")
    window_messages: int = Field(description="Messages in the whole window.")
    tokens: TokenCount = Field(description="Of the whole window.")


class CommitInfo(Record):
    """A commit as the log shows it."""

    repository: str
    commit_id: str
    short_id: str
    parents: list[str]
    author: str
    agent: str
    created_at: datetime
    message: str
    messages: int
    tokens: int = Field(description="Of the window at this commit.")
    refs: list[str] = Field(default=[], description="Branches and tags that point here.")
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


class Explained(Record):
    """Why a message is in the window, or not."""

    commit_id: str
    role: str
    tokens: int
    included: bool
    reason: str


class Window(Record):
    """What materialising a ref within a budget returns."""

    repository: str
    ref: str
    commit_id: str
    state_id: str = Field(description="The same for every way that leads to this window.")
    format: WindowFormat
    text: str | None = None
    system: str | None = Field(default=None, description="The system prompt, where the provider takes it apart.")
    messages: list[RawMessage] | None = None
    tokens: TokenCount
    included: int
    left_out: int
    explanation: list[Explained] = []


class RepositoryInfo(Record):
    """A versioned context."""

    name: str
    visibility: Literal["private", "team"]
    branches: int
    created_at: datetime


class BranchInfo(Record):
    """A branch and where it points; an unborn one points nowhere yet."""

    name: str
    commit_id: str | None
    message: str = ""
    current: bool = False


class NewBranch(Body):
    """A branch to create."""

    name: BranchName
    from_ref: RefText = "HEAD"
    switch: bool = False


class SwitchTo(Body):
    """The branch that writing goes on with."""

    branch: BranchName


class TagInfo(Record):
    """A fixed name for a commit."""

    name: str
    commit_id: str


class NewTag(Body):
    """A tag to create."""

    name: BranchName
    ref: RefText = "HEAD"


class ContextStatus(Record):
    """Where writing goes on."""

    repository: str
    branch: str
    commit_id: str | None
    messages: int
    tokens: TokenCount
    by_role: dict[str, int] = Field(default={}, description="Tokens of the window by role.")


class DiffMessage(Record):
    """A message that one side has and the other has not."""

    change: Literal["added", "removed"]
    role: str
    tokens: int
    text: str


class ContextDiff(Record):
    """What has to change in the window at `a` to get the one at `b`."""

    a: str
    b: str
    changes: list[DiffMessage]
    token_delta: int


class NewMerge(Body):
    """A branch, tag or commit to bring home."""

    source: RefText
    message: Note = ""
    dry_run: bool = False


class MergeResult(Record):
    """What a merge did, or with `dry_run` would do."""

    kind: Literal["up_to_date", "fast_forward", "merged"]
    branch: str
    commit_id: str | None
    added: int = Field(description="Messages that the window gains.")
    tokens: TokenCount
    bases: list[str] = Field(default=[], description="The best commits that both sides have.")


class OperationInfo(Record):
    """One entry of the operation log."""

    operation_id: int
    kind: str
    summary: str
    contributor: str
    working_copy: str
    created_at: datetime
    undone: bool
