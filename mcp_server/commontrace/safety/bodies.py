"""What is to be committed, in the form that may be kept. Pure; both sides do it, each before it goes on."""

from collections import Counter
from collections.abc import Callable, Mapping
from typing import Any, Final, TypeVar

from pydantic import BaseModel

from commontrace.errors import TooLargeError
from commontrace.models.contexts import Redactable, Resolution
from commontrace.models.contexts.common import LARGEST_BODY, Redacted
from commontrace.safety.messages import redacted_message, redacted_text, redacted_value

_LARGE: Final = 20_000
"""Characters that are redacted in about twenty milliseconds."""

R = TypeVar("R", bound=Redactable)
A = TypeVar("A", bound=BaseModel)
Found = Counter[str]


def _messages(value: Any, found: Found) -> Any:
    return [redacted_message(message, found) for message in value]


def _resolutions(value: list[Resolution], found: Found) -> list[Resolution]:
    return [one.model_copy(update=_fields(one, found)) for one in value]


_FIELDS: Final[Mapping[str, Callable[[Any, Found], Any]]] = {
    "messages": _messages,
    "content": redacted_message,
    "text": redacted_text,
    "message": redacted_text,
    "reason": redacted_text,
    "metadata": redacted_value,
    "generation": redacted_value,
    "notes": redacted_value,
    "value": redacted_value,
    "tools": redacted_value,
    "resolutions": _resolutions,
}
"""How each field of a body is redacted, whichever body has it; the others hold no words."""


def redacted_body(body: R) -> R:
    """A body with markers in place of secrets, which also says what they were; itself where that is not wanted.

    Raises:
        TooLargeError: it is over the limit of a request.
    """
    if not body.redact:
        return body
    if _size(body) > LARGEST_BODY:  # no server takes it, and looking through it takes seconds
        raise TooLargeError(
            f"The body is over the limit of {LARGEST_BODY // 1024} KiB.", "Send less, or in several requests."
        )
    found: Found = Counter()
    return body.model_copy(update=_fields(body, found)).noting(found)


def _fields(body: BaseModel, found: Found) -> dict[str, Any]:
    given = {name: getattr(body, name) for name in body.model_fields_set & _FIELDS.keys()}
    return {name: _FIELDS[name](value, found) for name, value in given.items() if value is not None}


def is_large(body: Redactable) -> bool:
    """Whether redacting a body takes so long that others should not wait for it."""
    return body.redact and _size(body) > _LARGE


def _size(body: Redactable) -> int:
    """Characters of the words in a body."""
    return _length([getattr(body, name) for name in body.model_fields_set & _FIELDS.keys()])


def _length(value: Any) -> int:
    if isinstance(value, str):
        return len(value)
    if isinstance(value, Mapping):
        return sum(map(_length, value.values()))
    return sum(map(_length, value)) if isinstance(value, (list, tuple)) else 0


def with_redactions(answer: A, body: Redactable) -> A:
    """An answer that also says what was redacted of a body; one that has no place for it as it is."""
    if not isinstance(answer, Redacted) or not body.redactions:
        return answer
    found = Counter({one.type: one.count for one in answer.redactions}) + Counter(body.redactions)
    return answer.model_copy(update={"redactions": Redacted.counted(found)})
