"""How two versions differ. Pure."""

import difflib
import json
from typing import Any

from commontrace.models.traces import FieldChange, TraceContent


def changes(before: TraceContent, after: TraceContent) -> list[FieldChange]:
    """The fields that differ, each as a unified diff of its lines."""
    old, new = before.model_dump(mode="json"), after.model_dump(mode="json")
    return [FieldChange(field=name, diff=_diff(old[name], new[name])) for name in old if old[name] != new[name]]


def _diff(before: Any, after: Any) -> str:
    return "\n".join(difflib.unified_diff(_lines(before), _lines(after), "before", "after", lineterm="", n=2))


def _lines(value: Any) -> list[str]:
    text = value if isinstance(value, str) else json.dumps(value, indent=1, ensure_ascii=False)
    return text.split("\n")
