"""What leaves the machine for a server: bodies in their safe form, and what was taken out on this side."""

from collections import Counter
from dataclasses import dataclass, field
from typing import Any, Final, TypeVar

from pydantic import BaseModel

from commontrace.models.traces import ContributionResult, Redaction
from commontrace.safety.pipeline import screen_text

B = TypeVar("B", bound=BaseModel)

_NAMES: Final = frozenset({"ids", "supersedes", "idempotency_key", "version_id", "tags"})
"""Fields that hold no words, or tags, of which the server drops what is none."""


@dataclass(slots=True)
class Leaving:
    """Bodies on their way out.

    Attributes:
        far: whether they leave the machine; what stays in the process is screened by the backend alone.
        redactions: how often a type was taken out of a field.
        hidden: the kinds of hidden characters that went.
    """

    far: bool
    redactions: Counter[tuple[str, str]] = field(default_factory=Counter)
    hidden: dict[str, None] = field(default_factory=dict)

    def safe(self, body: B) -> B:
        """The same without secrets and hidden characters; the server looks again, and at lengths too."""
        if not self.far:
            return body
        given = {name: getattr(body, name) for name in body.model_fields_set - _NAMES}
        return body.model_copy(update={name: self._value(value, name) for name, value in given.items()})

    def noted(self, answer: ContributionResult) -> ContributionResult:
        """An answer that also says what was taken out here."""
        told = Counter({(one.field, one.type): one.count for one in answer.redactions}) + self.redactions
        redactions = [Redaction(field=name, type=kind, count=count) for (name, kind), count in told.items()]
        return answer.model_copy(
            update={"redactions": redactions, "hidden": list(dict.fromkeys([*answer.hidden, *self.hidden]))}
        )

    def _value(self, value: Any, name: str) -> Any:
        if isinstance(value, str):
            screened = screen_text(value)
            self.redactions.update((name, kind) for kind in screened.redactions)
            self.hidden.update(dict.fromkeys(screened.hidden))
            return screened.text
        if isinstance(value, BaseModel):
            fields = {inner: self._value(getattr(value, inner), name) for inner in value.model_fields_set}
            return value.model_copy(update=fields)
        if isinstance(value, list):
            return [self._value(item, name) for item in value]
        if isinstance(value, dict):
            return {self._value(key, name): self._value(item, name) for key, item in value.items()}
        return value
