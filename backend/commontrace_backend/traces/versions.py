"""What a version is: its content, addressed by a hash, and how two of them differ. Pure."""

import difflib
import hashlib
import json
from typing import Any

from commontrace.models.traces import FieldChange, TraceContent


def canonical(content: TraceContent) -> bytes:
    """The bytes that are hashed: JSON with sorted keys and no spaces, in UTF-8, fields at their default left out.

    Leaving defaults out keeps the ids of old versions when a field is added to the contract.
    """
    fields = content.model_dump(mode="json", exclude_defaults=True)
    return json.dumps(fields, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


def version_id(content: TraceContent) -> str:
    """SHA-256 of the canonical form, in hexadecimal."""
    return hashlib.sha256(b"commontrace trace 1\n" + canonical(content)).hexdigest()


def changes(before: TraceContent, after: TraceContent) -> list[FieldChange]:
    """The fields that differ, each as a unified diff of its lines."""
    old, new = before.model_dump(mode="json"), after.model_dump(mode="json")
    return [FieldChange(field=name, diff=_diff(old[name], new[name])) for name in old if old[name] != new[name]]


def _diff(before: Any, after: Any) -> str:
    return "\n".join(difflib.unified_diff(_lines(before), _lines(after), "before", "after", lineterm="", n=2))


def _lines(value: Any) -> list[str]:
    text = value if isinstance(value, str) else json.dumps(value, indent=1, ensure_ascii=False)
    return text.split("\n")
