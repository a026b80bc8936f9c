"""What a call to a model used, as its provider reports it."""

from typing import Literal

from pydantic import Field

from commontrace.models.base import Record

Reporter = Literal["openai", "responses", "anthropic", "gemini"]


class Usage(Record):
    """Tokens of one call; what the provider did not report is None, never 0."""

    provider: Reporter
    model: str | None = None
    input: int | None = Field(default=None, ge=0, description="All of the input, what the cache held included.")
    output: int | None = Field(default=None, ge=0, description="All of the output, reasoning included.")
    cache_read: int | None = Field(default=None, ge=0, description="Of the input: read from the provider's cache.")
    cache_write: int | None = Field(default=None, ge=0, description="Of the input: written to the provider's cache.")
    reasoning: int | None = Field(default=None, ge=0, description="Of the output: what the model thought.")
