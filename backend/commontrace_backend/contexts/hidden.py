"""Why a message of a history is not in its window, in words. Pure."""

from typing import Final

from commontrace_backend.contexts.state import Slot
from commontrace_backend.contexts.view import View

_SHORT: Final = 10

_WORDS: Final = {
    "removed": "it was removed",
    "expanded": "a summary that was expanded",
}


def why_not(view: View, slot: Slot) -> str:
    """Why a slot is not shown; empty where it is."""
    why = view.hidden(slot)
    if why is None or why in _WORDS:
        return _WORDS[why] if why else ""
    if why == "skipped":
        reason = next((value["reason"] for value in slot.values("priority") if value["level"] == "skip"), "")
        return f"it is skipped: {reason}" if reason else "it is skipped"
    summary = "another summary" if slot.is_summary else "the summary"
    return f"{summary} {why[:_SHORT]} stands for it"
