"""Calls to models: which window each was given, how that was rendered, and what the provider reported."""

from datetime import datetime
from typing import Annotated

from pydantic import Field

from commontrace.models.base import Body, Record, Repeatable
from commontrace.models.contexts.common import Exact, RawMessage, Redactable, TokenCount, WindowFormat, WindowStrategy
from commontrace.models.contexts.usage import Usage
from commontrace.models.contexts.windows import Window

CommitId = Annotated[str, Field(pattern="^[0-9a-f]{64}$")]


class Rendering(Body):
    """How a window was asked for."""

    format: WindowFormat = "messages"
    budget: Annotated[int, Field(ge=1)] | None = None
    reserve: Annotated[int, Field(ge=0)] = 0
    strategy: WindowStrategy = "recent"


class NewCall(Redactable, Repeatable):
    """A call that was made with a window."""

    commit_id: CommitId
    rendering: Rendering = Rendering()
    request_sha256: CommitId | None = Field(default=None, description="Of the window as it was sent; it is checked.")
    model: Annotated[str, Field(max_length=200)] = ""
    usage: Usage | None = None
    tools: Annotated[list[Annotated[RawMessage, Exact]], Field(max_length=1_000)] = Field(
        default=[], description="Tools that the request had beside those that the context notes."
    )


class CallRecord(Record):
    """A call that was recorded."""

    call_id: int
    commit_id: str
    created_at: datetime
    contributor: str
    working_copy: str
    model: str
    rendering: Rendering
    request_sha256: str | None = Field(description="None where a purge took something out of it.")
    usage: Usage | None
    estimated: int = Field(description="Tokens of the whole input, as counted here.")
    reported: int | None = Field(description="Tokens of the whole input, as the provider reported them.")


class RebuiltCall(Record):
    """The request of a call, made anew."""

    call: CallRecord
    same: bool | None = Field(description="Whether it is the same to the byte; None where a purge makes that unknown.")
    window: Window
    tools: list[RawMessage] = Field(description="All the tools that the request had.")


class ModelUsage(Record):
    """What the calls of one model used; what no call reported is None."""

    model: str
    calls: int
    input: int | None
    cache_read: int | None
    cache_write: int | None
    output: int | None
    reasoning: int | None
    factor: float = Field(description="What estimates of this model are multiplied by, learned from its reports.")
    band: tuple[float, float] = Field(description="Between which factors the truth lies.")


class UsageSummary(Record):
    """What the calls of a context used, by model, and what the next one comes to."""

    repository: str
    calls: int
    models: list[ModelUsage]
    window: TokenCount = Field(description="Of the window at HEAD.")
    last: CallRecord | None = Field(description="The newest call of this working copy.")
