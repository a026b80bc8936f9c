"""Messages in the form that may be kept: markers in place of secrets and personal data, all else as it came. Pure."""

import hashlib
import threading
from collections import Counter, OrderedDict
from collections.abc import Mapping
from typing import Any, Final

from commontrace.safety.redaction import redact

OPAQUE: Final = frozenset(
    {
        "call_id",
        "encrypted_content",
        "id",
        "media_type",
        "mimeType",
        "role",
        "signature",
        "thoughtSignature",
        "tool_call_id",
        "tool_use_id",
        "type",
    }
)
"""What providers need byte for byte and what holds no words: ids, signatures, sealed thoughts, types."""

# What a caller of a tool wrote, and what came back: no field of it is a provider's.
_PAYLOAD: Final = frozenset({"arguments", "args", "input", "response", "schema"})
_MEDIA: Final = frozenset({"media_type", "mimeType", "format"})
_INLINE: Final = "data:"
_REMEMBERED: Final = 4096


class _Safe:
    """Texts that came out of redaction lately, by their digests: what was done on this side need not be done again."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._digests: OrderedDict[bytes, None] = OrderedDict()

    def holds(self, digest: bytes) -> bool:
        with self._lock:
            return digest in self._digests

    def add(self, digest: bytes) -> None:
        with self._lock:
            self._digests[digest] = None
            if len(self._digests) > _REMEMBERED:
                self._digests.popitem(last=False)


_SAFE: Final = _Safe()


def redacted_message(message: Mapping[str, Any], found: Counter[str]) -> dict[str, Any]:
    """A message in any shape, redacted; what is opaque stays byte for byte. `found` counts by type."""
    return {name: _field(name, value, message, found) for name, value in message.items()}


def redacted_value(value: Any, found: Counter[str]) -> Any:
    """A JSON value of somebody's own, redacted whole, keys included."""
    if isinstance(value, str):
        return redacted_text(value, found)
    if isinstance(value, Mapping):
        return {redacted_text(name, found): redacted_value(item, found) for name, item in value.items()}
    return [redacted_value(item, found) for item in value] if isinstance(value, (list, tuple)) else value


def redacted_text(text: str, found: Counter[str]) -> str:
    """A text, redacted; everything else of it stays as it is."""
    digest = hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=16).digest()
    if _SAFE.holds(digest):
        return text
    safe = redact(text)
    found.update(item.type for item in safe.found)
    if safe.found:
        digest = hashlib.blake2b(safe.text.encode("utf-8", "surrogatepass"), digest_size=16).digest()
    _SAFE.add(digest)
    return safe.text


def _field(name: str, value: Any, holder: Mapping[str, Any], found: Counter[str]) -> Any:
    if name in OPAQUE or (name == "data" and _is_opaque_data(holder)):
        return value
    return redacted_value(value, found) if name in _PAYLOAD else _inner(value, found)


def _is_opaque_data(holder: Mapping[str, Any]) -> bool:
    """Whether the `data` of a part is a picture, a file or a sealed thought."""
    return holder.get("type") in {"redacted_thinking", "base64"} or not _MEDIA.isdisjoint(holder)


def _inner(value: Any, found: Counter[str]) -> Any:
    if isinstance(value, str):
        return value if value.startswith(_INLINE) and ";base64," in value[:100] else redacted_text(value, found)
    if isinstance(value, Mapping):
        return redacted_message(value, found)
    return [_inner(item, found) for item in value] if isinstance(value, (list, tuple)) else value
