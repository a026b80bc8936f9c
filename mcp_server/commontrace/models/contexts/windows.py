"""Windows: what materialising a ref returns."""

from typing import Any, Final, Literal

from pydantic import Field

from commontrace.errors import InvalidInputError
from commontrace.models.base import Record
from commontrace.models.contexts.common import Priority, RawMessage, TokenCount, WindowFormat, WindowStrategy
from commontrace.objects import canonical_id
from commontrace.providers import anthropic, gemini, openai_chat, responses, text

Explain = bool | Literal["all"]
"""Whether to say of each message why it is in or out; `all` also of those that are removed, skipped or covered."""


_SENT: Final = {"format", "text", "system", "messages", "tools"}


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
    begins: str = Field(default="", description="Its first words, in one line.")


class CacheEffect(Record):
    """How much of a window a provider still has in its cache since the last call."""

    call_id: int = Field(description="The last recorded call of this working copy.")
    stable_messages: int = Field(description="Messages at the beginning that are as they were sent then.")
    stable_tokens: int = Field(description="About so many tokens, tools included.")
    rebilled_tokens: int = Field(description="Those behind them, which are billed anew.")


class Window(Record):
    """What materialising a ref within a budget returns.

    A window in the format `messages` turns into any other one without asking again. Its methods raise
    InvalidInputError for a window that was asked for in another format.
    """

    repository: str
    ref: str
    commit_id: str
    state_id: str = Field(description="The same for every way that leads to this window.")
    format: WindowFormat
    text: str | None = None
    system: str | None = Field(default=None, description="The system prompt, where the provider takes it apart.")
    messages: list[RawMessage] | None = Field(
        default=None, description="Messages, items or contents, as the format has them."
    )
    types: dict[str, dict[str, Any]] = Field(default={}, description="The custom part types of the repository.")
    tokens: TokenCount
    request: TokenCount | None = Field(
        default=None,
        description="Of the whole request with its tools, for the model that was asked for: reported, where a call "
        "with just this was recorded, else counted, with what was learned from reports.",
    )
    cache: CacheEffect | None = None
    budget: int | None = None
    reserve: int = 0
    strategy: WindowStrategy = "recent"
    included: int
    left_out: int
    tools: list[RawMessage] = Field(default=[], description="The tools that the model may call, as they were noted.")
    explanation: list[Explained] = []

    @property
    def request_sha256(self) -> str:
        """What names this request to the byte: its messages and tools in its format."""
        return canonical_id("request", self.model_dump(mode="json", include=_SENT))

    def to_openai(self) -> list[dict[str, Any]]:
        """The messages of a chat completion."""
        return openai_chat.to_openai(self._canonical(), self.types)

    def to_responses(self) -> list[dict[str, Any]]:
        """The input items of an OpenAI response."""
        return responses.to_responses(self._canonical(), self.types)

    def to_anthropic(self, cache_breakpoints: int = 0) -> dict[str, Any]:
        """The `system` (where there is one) and `messages` of a call: `create(**window.to_anthropic(), …)`.

        Args:
            cache_breakpoints: How many places to cache up to, 0 to 4: the ends of the newest turns of the user, and
                with two or more one of them at the end of the system prompt.
        """
        return anthropic.with_breakpoints(*anthropic.to_anthropic(self._canonical(), self.types), cache_breakpoints)

    def to_gemini(self) -> dict[str, Any]:
        """The `systemInstruction` (where there is one) and `contents` of a request."""
        return gemini.to_gemini(self._canonical(), self.types)

    def to_text(self) -> str:
        """Plain text: one block a message, its role in front."""
        return text.to_text(self._canonical(), self.types)

    def to_markdown(self) -> str:
        """Markdown: one section a message."""
        return text.to_markdown(self._canonical(), self.types)

    def _canonical(self) -> list[RawMessage]:
        if self.format != "messages" or self.messages is None:
            raise InvalidInputError(
                f"This window is in the format {self.format!r} already.", 'Ask for it with format="messages".'
            )
        return self.messages
