"""What a tool printed, shortened: its head, its tail and its errors stay. Pure."""

import re
from collections.abc import Mapping, Sequence
from typing import Final

from commontrace.providers.messages import Message, Part
from commontrace_backend.contexts.compression.turns import is_error_line

_HEAD: Final = 8  # lines
_TAIL: Final = 8
_ERRORS: Final = 12
_LINE_HEAD: Final = 200  # characters of a line
_LINE_TAIL: Final = 80
_BREAK: Final = re.compile(r"\r?\n")


def shortened(text: str, slot_id: str) -> str:
    """The first and last lines of an output and those that tell of errors, each gap with how much is left out.

    Lines longer than 280 characters lose their middle. The last line says which slot has the whole.
    """
    lines = _BREAK.split(text)
    last = len(lines) - _TAIL
    kept = {number for number in range(len(lines)) if number < _HEAD or number >= last}
    errors = [number for number in range(_HEAD, max(_HEAD, last)) if is_error_line(lines[number])]
    kept.update(errors[:_ERRORS])
    shown = _with_gaps([(number, _clipped(lines[number])) for number in sorted(kept)])
    return "\n".join([*shown, f"[shortened from {len(text):,} characters; slot {slot_id} has the whole]"])


def _with_gaps(kept: Sequence[tuple[int, str]]) -> list[str]:
    found: list[str] = []
    expected = 0
    for number, line in kept:
        if number > expected:
            found.append(f"[{number - expected} lines left out]")
        found.append(line)
        expected = number + 1
    return found


def _clipped(line: str) -> str:
    if len(line) <= _LINE_HEAD + _LINE_TAIL:
        return line
    gap = len(line) - _LINE_HEAD - _LINE_TAIL
    return f"{line[:_LINE_HEAD]} [{gap} characters left out] {line[-_LINE_TAIL:]}"


def with_results(message: Message, texts: Mapping[int, str]) -> Message:
    """The message with other words in its tool results, by their place among its parts; what is no text stays."""
    parts = [
        {**part, "content": _content(part, texts[place])} if place in texts else part
        for place, part in enumerate(message["parts"])
    ]
    return {**message, "parts": parts}


def _content(part: Part, text: str) -> str | list[object]:
    content = part.get("content")
    others = [block for block in content if not _is_text(block)] if isinstance(content, list) else []
    return [{"type": "text", "text": text}, *others] if others else text


def _is_text(block: object) -> bool:
    return isinstance(block, dict) and block.get("type") == "text"
