"""Windows: what materialising a ref returns."""

from typing import Literal

from pydantic import Field, JsonValue

from commontrace.models.base import Record
from commontrace.models.contexts.common import Priority, RawMessage, TokenCount, WindowFormat


class Explained(Record):
    """Why a message is in the window, or not."""

    slot_id: str
    commit_id: str
    role: str
    priority: Priority = "normal"
    tokens: int
    included: bool
    tier: Literal["whole", "shortened", "line", "out"] = "whole"
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
    types: dict[str, JsonValue] = Field(default={}, description="The custom part types of the repository.")
    tools: list[RawMessage] = Field(default=[], description="The tools that the model may call, as they were noted.")
    explanation: list[Explained] = []
