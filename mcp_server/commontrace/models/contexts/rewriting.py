"""Moving changes about: cherry-pick, revert, restore, apply, rebase, reset."""

from typing import Annotated, Literal

from pydantic import Field

from commontrace.models.base import Record
from commontrace.models.contexts.common import RawMessage, RefText, TokenCount
from commontrace.models.contexts.editing import Change

Refs = Annotated[list[RefText], Field(min_length=1, max_length=1_000)]
PickStrategy = Literal["store", "ours", "theirs"]


class NewPick(Change):
    """Commits whose changes are to be made here too; or with `revert` taken back here."""

    commits: Refs = Field(description="Commits, or ranges such as main..try, in the order in which they are made.")
    strategy: PickStrategy = Field(default="store", description="What wins where something else stands here by now.")


class NewApply(Change):
    """The change from the window at `a` to the one at `b`, to be made on the current one."""

    a: RefText
    b: RefText
    strategy: PickStrategy = "store"


class NewRebase(Change):
    """Where the current branch is to go on from."""

    onto: RefText
    strategy: PickStrategy = Field(default="store", description="Refuse what contradicts; or ours stays, theirs wins.")


class NewReset(Change):
    """Where the current branch is to point."""

    ref: RefText


class PickResult(Record):
    """The commits that were made, or with `dry_run` would be."""

    branch: str
    commits: list[str]
    skipped: list[str] = Field(default=[], description="Commits that bring nothing here.")
    head: str | None
    window_messages: int
    tokens: TokenCount


class ResetResult(Record):
    """Where the branch points now, and the messages that it no longer shows, to be committed again."""

    branch: str
    head: str
    before: str
    messages: list[RawMessage]
