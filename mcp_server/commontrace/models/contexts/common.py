"""What the wire models of contexts share: names, refs, counts, and messages as they came."""

from collections.abc import Mapping
from typing import Annotated, Any, Final, Literal, Self

from pydantic import AfterValidator, Field, PrivateAttr

from commontrace.models.base import Body, Record
from commontrace.models.canonical import canonical

WindowFormat = Literal["text", "markdown", "messages", "openai", "responses", "anthropic", "gemini"]
"""Text, CommonTrace's canonical messages, or a provider's own shape; `openai` is chat."""

WindowStrategy = Literal["full", "recent", "adaptive"]
"""What a budget does: refuse what does not fit; leave out the oldest; show older messages shortened or as a line."""

Priority = Literal["skip", "normal", "important", "pinned"]
"""From what is never shown to what always is."""

LARGEST_BODY: Final = 16 * 1024 * 1024
"""Bytes of what may be written to a context in one request."""

RepositoryName = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9._-]{0,99}$")]
BranchName = Annotated[str, Field(min_length=1, max_length=101)]
RefText = Annotated[str, Field(min_length=1, max_length=250)]
Note = Annotated[str, Field(max_length=4_000)]
SlotId = Annotated[str, Field(pattern=r"^[0-9a-f]{4,32}$")]
"""A slot by its first digits."""

RawMessage = dict[str, Any]


def _exact(value: dict[str, Any]) -> dict[str, Any]:
    """Refuse what would arrive as something else, such as NaN as null."""
    canonical(value)
    return value


Exact = AfterValidator(_exact)


class RedactedType(Record):
    """A type of secret or personal datum, and how often it was taken out; never what it was."""

    type: str = Field(description="secret:* or pii:*")
    count: int


class Redacted(Record):
    """An answer that says what was taken out of the texts before anything was hashed."""

    redactions: list[RedactedType] = []

    @staticmethod
    def counted(found: Mapping[str, int]) -> list[RedactedType]:
        """Types and how often."""
        return [RedactedType(type=kind, count=count) for kind, count in sorted(found.items())]


class Redactable(Body):
    """Texts to be kept: markers stand for their secrets before they are sent, and again before they are hashed."""

    redact: bool = Field(default=True, description="False keeps every text word for word.")
    _found: dict[str, int] = PrivateAttr(default_factory=dict)

    @property
    def redactions(self) -> Mapping[str, int]:
        """What was taken out on this side, by type."""
        return self._found

    def noting(self, found: Mapping[str, int]) -> Self:
        """The same body, knowing what was taken out of it."""
        self._found = dict(found)
        return self


_USUAL_ERROR: Final = 0.3


def _bound(data: dict[str, Any], direction: int) -> int:
    """Exact and reported numbers have no band; an estimate that states none is good to 30 %."""
    tokens: int = data.get("tokens", 0)
    return round(tokens * (1 + direction * _USUAL_ERROR)) if data.get("method") == "estimated" else tokens


class TokenCount(Record):
    """A number of tokens, how it was come by, and between which bounds it lies."""

    tokens: int = Field(ge=0)
    method: Literal["exact", "reported", "estimated"] = Field(
        description="exact: counted with the encoding; reported: by a provider; estimated: between low and high."
    )
    encoding: str
    low: int = Field(default_factory=lambda data: _bound(data, -1), ge=0)
    high: int = Field(default_factory=lambda data: _bound(data, 1), ge=0)
