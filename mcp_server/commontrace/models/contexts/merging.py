"""Merging: what is wanted, what came of it, and what both sides said at once."""

from typing import Annotated, Literal

from pydantic import Field, JsonValue

from commontrace.models.base import Body, Record
from commontrace.models.contexts.common import Exact, RawMessage, Redacted, RefText, SlotId, TokenCount
from commontrace.models.contexts.editing import Change

MergeMode = Literal["merge", "squash", "inject", "facts"]
Strategy = Literal["store", "ours", "theirs", "base"]
Side = Literal["ours", "theirs", "base"]


class Resolution(Body):
    """How one conflict is to be settled: by a side, or by a value of its own."""

    slot: SlotId
    register_name: Annotated[str, Field(max_length=100)] = Field(
        default="", description="Which register of it; needed where several are in conflict."
    )
    use: Side | None = None
    content: Annotated[RawMessage, Exact] | None = Field(default=None, description="Another content, in any shape.")
    text: Annotated[str, Field(max_length=1_000_000)] | None = Field(
        default=None, description="Other words for what the message says; its calls and results stay."
    )
    value: JsonValue = None


class NewMerge(Change):
    """A branch, tag or commit to bring home; several in `others` make one merge of all."""

    source: RefText
    others: Annotated[list[RefText], Field(max_length=30)] = []
    mode: MergeMode = "merge"
    strategy: Strategy = Field(default="store", description="What becomes of conflicts: kept as values, or settled.")
    commits: Annotated[list[RefText], Field(max_length=1_000)] = Field(
        default=[], description="For inject: the commits to bring; default: all that we do not have."
    )
    resolutions: Annotated[list[Resolution], Field(max_length=1_000)] = []
    text: Annotated[str, Field(max_length=1_000_000)] | None = Field(
        default=None, description="For squash and facts: the summary; default: what the offline summarizer keeps."
    )
    fast_forward: bool = Field(default=True, description="Move the branch where nothing has to be merged.")


class NewResolve(Change):
    """Settle conflicts that an earlier merge stored."""

    resolutions: Annotated[list[Resolution], Field(max_length=1_000)] = []
    strategy: Literal["ours", "theirs"] | None = Field(default=None, description="For all that no resolution names.")


class ConflictValue(Record):
    """What one side said."""

    commit_id: str
    value: JsonValue
    text: str | None = Field(default=None, description="The words, where the value is a message.")


class ConflictInfo(Record):
    """What two branches said at once and cannot both be meant."""

    kind: str = Field(
        description="content, priority, live, position, cover, note; contradiction, stale, crossing or group."
    )
    slot_id: str
    register_name: str
    values: list[ConflictValue] = Field(description="Ours first, which is also what the window shows.")


class MergeResult(Redacted):
    """What a merge did, or with `dry_run` would do."""

    kind: Literal["up_to_date", "fast_forward", "merged"]
    mode: MergeMode = "merge"
    branch: str
    commit_id: str | None
    added: int = Field(description="Messages that the window gains.")
    tokens: TokenCount
    bases: list[str] = Field(default=[], description="The best commits that both sides have.")
    conflicts: list[ConflictInfo] = Field(default=[], description="What stands after it.")
    contradictions: list[str] = Field(default=[], description="Statements of both sides that do not agree.")
