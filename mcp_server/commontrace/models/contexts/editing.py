"""Writing the registers of a window: content, priority, presence, place, and what is said of the whole."""

from typing import Annotated, Literal

from pydantic import Field, JsonValue

from commontrace.models.base import Record, Repeatable
from commontrace.models.contexts.common import (
    Exact,
    Note,
    Priority,
    RawMessage,
    Redactable,
    Redacted,
    SlotId,
    TokenCount,
)

Targets = Annotated[list[SlotId], Field(max_length=10_000)]


class Change(Redactable, Repeatable):
    """What every change of a window has in common."""

    message: Note = ""
    agent: Annotated[str, Field(max_length=200)] = ""
    expected_head: Annotated[str, Field(pattern="^[0-9a-f]{4,64}$")] | None = None
    dry_run: bool = False


class Selected(Change):
    """A change of messages that are named by their slots, or found by a query such as `type:tool tokens>2000`."""

    slots: Targets = []
    select: Annotated[str, Field(max_length=1_000)] = ""


class NewEdit(Change):
    """Another content for a message, or with `version` one that it had before."""

    slot: SlotId
    content: Annotated[RawMessage, Exact] | None = Field(default=None, description="The whole message, in any shape.")
    text: Annotated[str, Field(max_length=4_000_000)] | None = Field(
        default=None, description="Only other words, in place of all parts."
    )
    version: Annotated[int, Field(ge=0)] | None = Field(default=None, description="0 is what it first said.")


class NewAnnotation(Selected):
    """A priority with its reason, or any other note, for messages."""

    priority: Priority | None = None
    reason: Annotated[str, Field(max_length=1_000)] = ""
    notes: Annotated[dict[Annotated[str, Field(min_length=1, max_length=100)], JsonValue], Exact] = {}


class NewPresence(Selected):
    """Messages that are to be removed from the window, or to come back."""

    present: bool


class NewMove(Selected):
    """Messages that are to stand behind another one, or with an empty `after` first."""

    after: Annotated[str, Field(max_length=64)] = ""


class NewNotes(Change):
    """What is said of the whole context."""

    tools: Annotated[list[Annotated[RawMessage, Exact]], Field(max_length=1_000)] | None = Field(
        default=None, description="The tools that the model may call, as the provider takes them."
    )
    keep: Annotated[list[Annotated[str, Field(min_length=1, max_length=500)]], Field(max_length=200)] | None = Field(
        default=None, description="What no summary may lose: texts, or /patterns/."
    )
    types: Annotated[dict[str, JsonValue], Exact] | None = Field(
        default=None, description='Part types of your own: {"diagram": {"render": "text", "required": ["text"]}}.'
    )
    clear: list[Literal["tools", "keep", "types"]] = Field(default=[], description="Those that hold no longer.")


class ChangeResult(Redacted):
    """What a change came to; without a commit where nothing had to change, or where it was only tried."""

    branch: str
    commit_id: str | None
    slots: list[str] = Field(default=[], description="The messages that changed.")
    window_messages: int
    tokens: TokenCount = Field(description="Of the whole window.")
    token_delta: int


class SlotVersion(Record):
    """Something that was done to a message."""

    commit_id: str
    kind: Literal["append", "edit", "annotate", "remove", "restore", "move", "cover", "uncover"]
    author: str
    agent: str
    about: str = Field(description="The commit's message.")
    version: int | None = Field(default=None, description="Of a content: 0 is the first.")
    text: str | None = Field(default=None, description="What a content says.")
    value: JsonValue = Field(default=None, description="What else was written.")


class SlotHistory(Record):
    """Everything that was done to a message, oldest first, and what of it stands."""

    slot_id: str
    shown: bool
    hidden_by: str | None = Field(default=None, description="removed, skipped, expanded or the summary for it.")
    priority: Priority
    versions: list[SlotVersion]
