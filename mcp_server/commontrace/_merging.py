"""What a model is asked that is to settle what two branches said at once, and what becomes of its answer. Pure."""

from typing import Final

from commontrace._summarizing import SummaryRequest
from commontrace.models.contexts import ConflictInfo, Resolution

_ROOM: Final = 2  # times the longer side
_LEAST: Final = 100  # tokens
_LETTERS: Final = 3  # a token, at the least
_WISH: Final = """\
The transcript is no conversation: it holds the versions of one and the same message that different people wrote.
Do not summarise. Write that one message so that it says what all versions mean, in their words where they agree; \
where they contradict each other, say what each of them says. Answer with the message alone."""


def wording(conflict: ConflictInfo) -> SummaryRequest | None:
    """What to ask for a conflict of words; None for one that is not about words."""
    said = [value.text for value in conflict.values if value.text]
    if conflict.kind != "content" or len(said) < len(conflict.values):
        return None
    room = max(_LEAST, _ROOM * max(map(len, said)) // _LETTERS)
    messages = [{"role": "user", "parts": [{"type": "text", "text": text}]} for text in said]
    return SummaryRequest(messages, room, _WISH)


def worded(conflict: ConflictInfo, text: str) -> Resolution:
    """A conflict settled by other words."""
    return Resolution(slot=conflict.slot_id, register_name=conflict.register_name, text=text)
