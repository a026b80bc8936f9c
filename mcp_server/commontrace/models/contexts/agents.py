"""Children: contexts of sub-agents, and what comes back of them."""

from typing import Annotated, Literal

from pydantic import Field

from commontrace.models.base import Record
from commontrace.models.contexts.common import BranchName, RefText, TokenCount
from commontrace.models.contexts.editing import Change, ChangeResult, Selected
from commontrace.models.contexts.merging import ConflictInfo

SpawnMode = Literal["clone", "head", "selected", "clean"]
"""With the whole history; with the window but not its history; with chosen messages; with nothing."""


class NewSpawn(Selected):
    """A branch for a sub-agent; HEAD stays where it is."""

    name: BranchName
    mode: SpawnMode = "clone"


class SpawnResult(Record):
    """A child, and what it begins with."""

    branch: str
    commit_id: str | None
    mode: SpawnMode
    spawned_from: str = Field(description="The commit that it was spawned from.")
    window_messages: int
    tokens: TokenCount


class NewCollapse(Change):
    """A child whose work is to come home as a summary."""

    source: RefText
    text: Annotated[str, Field(min_length=1, max_length=4_000_000)] | None = Field(
        default=None, description="The summary; default: what the offline summarizer keeps."
    )


class CollapseResult(ChangeResult):
    """What came home; expanding the summary shows the child's messages."""

    source: str
    source_commit: str = Field(description="The child's newest commit, a parent of this one.")
    summary_slot: str | None = Field(default=None, description="None where the child said nothing.")
    covered: list[str] = []
    covered_tokens: int = 0
    summary_tokens: int = 0
    text: str = ""
    conflicts: list[ConflictInfo] = []
