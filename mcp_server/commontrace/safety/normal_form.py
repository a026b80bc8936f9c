"""Text without hidden or deceptive characters, and which kinds were found."""

import re
from dataclasses import dataclass
from typing import Final

_EMOJI: Final = "\u203c-\u3299\U0001f000-\U0001faff"
_JOINING: Final = "\u0600-\u08ff\u0900-\u0dff\u1780-\u17ff"  # scripts whose spelling needs joiners
_MARKS: Final = "\u0300-\u036f\u0483-\u0489\u1ab0-\u1aff\u1dc0-\u1dff\u20d0-\u20df\u20e4-\u20ff\ufe20-\ufe2f"

# In this order: an escape sequence must go before its control character does.
_HIDDEN: Final[tuple[tuple[str, re.Pattern[str]], ...]] = tuple(
    (name, re.compile(pattern))
    for name, pattern in (
        ("terminal escape", r"\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)|(?:\x1b\[|\x9b)[0-?]*[ -/]*[@-~]|\x1b[ -/]*[0-~]"),
        ("tag block", "[\U000e0000-\U000e007f]"),
        ("bidi control", "[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]"),
        ("zero-width", f"[\u200b\u2060-\u2064\ufeff\u180e]|(?<![{_EMOJI}\ufe0f{_JOINING}])[\u200c\u200d]"),
        ("variation selector", f"[\ufe00-\ufe0e\U000e0100-\U000e01ef]|(?<![{_EMOJI}0-9#*\u00a9\u00ae])\ufe0f"),
        ("invisible filler", "[\u00ad\u034f\u115f\u1160\u17b4\u17b5\u3164\uffa0\u2800\ufff9-\ufffb]"),
        ("private use", "[\ue000-\uf8ff\U000f0000-\U000ffffd\U00100000-\U0010fffd]"),
        ("lone surrogate", "[\ud800-\udfff]"),
        ("stack of marks", f"(?<=[{_MARKS}]{{4}})[{_MARKS}]+"),
        ("control character", r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x84\x86-\x9f]"),
    )
)
_UNUSUAL: Final = re.compile(r"[^\n\t -~]")
_LINES: Final = re.compile("\r\n?|[\u0085\u2028\u2029]")
_OVERWRITING: Final = re.compile(r"[^\r\n]\r(?=[^\r\n])")  # what follows hides, on a terminal, what stood before


@dataclass(frozen=True, slots=True)
class Cleaned:
    """A text in normal form, and the kinds of hidden characters that were taken out."""

    text: str
    hidden: tuple[str, ...]


def clean(text: str) -> Cleaned:
    r"""Take out what a reader cannot see; line ends become `\\n`. Idempotent, linear in the length."""
    if not _UNUSUAL.search(text):
        return Cleaned(text, ())
    hidden = ["carriage return"] if _OVERWRITING.search(text) else []
    text, before = _LINES.sub("\n", text), ""
    while text != before:  # taking one out can join the halves of another
        before = text
        for name, pattern in _HIDDEN:
            text, count = pattern.subn("", text)
            if count:
                hidden.append(name)
    return Cleaned(text, tuple(dict.fromkeys(hidden)))
