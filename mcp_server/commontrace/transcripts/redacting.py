"""Messages of a transcript in the form that may leave the machine. Pure."""

from collections import Counter
from collections.abc import Mapping
from typing import Any, Final

from commontrace.safety.redaction import redact

# What a provider needs byte for byte, and what holds no words: ids, signatures, encrypted thoughts, pictures.
_OPAQUE: Final = frozenset(
    {
        "call_id",
        "data",
        "encrypted_content",
        "id",
        "media_type",
        "role",
        "signature",
        "tool_call_id",
        "tool_use_id",
        "type",
    }
)
_REPLACEMENT: Final = "\ufffd"
UNSTORABLE: Final = "a character that cannot be stored"


def redacted(value: Any, found: Counter[str]) -> Any:
    """A JSON value with markers in place of secrets and personal data; `found` counts them by type."""
    if isinstance(value, str):
        return redacted_text(value, found)
    if isinstance(value, list):
        return [redacted(item, found) for item in value]
    if isinstance(value, Mapping):
        safe = {
            redacted_text(name, found): _storable(item, found) if name in _OPAQUE else redacted(item, found)
            for name, item in value.items()
        }
        if safe != value:
            safe.pop("signature", None)  # it would sign other words, and the provider would refuse them
        return safe
    return value


def redacted_text(text: str, found: Counter[str]) -> str:
    """A text with markers; NUL and halves of characters, which tools print, become the replacement character."""
    safe = redact(_storable(text, found))
    found.update(item.type for item in safe.found)
    return safe.text


def _storable(value: Any, found: Counter[str]) -> Any:
    if not isinstance(value, str):
        return value
    plain = value.encode("utf-8", "replace").decode() if not value.isascii() else value
    safe = value if plain == value else "".join(_REPLACEMENT if "\ud800" <= one <= "\udfff" else one for one in value)
    safe = safe.replace("\0", _REPLACEMENT)
    if safe != value:
        found[UNSTORABLE] += 1
    return safe
