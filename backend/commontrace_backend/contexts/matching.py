"""What is looked for in texts: words as they are, or an expression that RE2 runs in linear time. Pure."""

import functools
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final, Protocol

from commontrace.errors import InvalidInputError

_AROUND: Final = 80
"""Characters of a long line that are shown on either side of a match."""


class _Match(Protocol):
    def start(self) -> int: ...

    def end(self) -> int: ...


class _Pattern(Protocol):
    def finditer(self, text: str) -> Iterator[_Match]: ...


@dataclass(frozen=True, slots=True)
class Found:
    """Where a text matches.

    Attributes:
        line: the first line that does, from 1.
        matches: how many lines do.
        excerpt: that line, or what of it is around the match.
    """

    line: int
    matches: int
    excerpt: str


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is looked for: words, or with `regex` an expression of RE2's; in any letter case unless `case` is set."""

    pattern: str
    regex: bool = False
    case: bool = False

    def find(self, text: str) -> Found | None:
        """Where a text matches; None where it does not. Raises InvalidInputError for what is no expression."""
        first: _Match | None = None
        lines: set[int] = set()
        at, line = 0, 1
        for match in _compiled(self).finditer(text):
            first = first or match
            line += text.count("\n", at, match.start())
            at = match.start()
            lines.add(line)
        return Found(min(lines), len(lines), _excerpt(text, first)) if first else None


def _excerpt(text: str, match: _Match) -> str:
    begin = text.rfind("\n", 0, match.start()) + 1
    end = text.find("\n", match.start())
    end = len(text) if end < 0 else end
    start, stop = max(begin, match.start() - _AROUND), min(end, max(match.end(), match.start()) + _AROUND)
    return f"{'…' if start > begin else ''}{text[start:stop]}{'…' if stop < end else ''}"


@functools.lru_cache(256)
def _compiled(wanted: Wanted) -> _Pattern:
    import re2  # type: ignore[import-untyped]  # it has no annotations

    options = re2.Options()
    options.log_errors = False
    options.literal = not wanted.regex
    options.case_sensitive = wanted.case
    try:
        pattern: Any = re2.compile(f"(?m){wanted.pattern}" if wanted.regex else wanted.pattern, options)
    except re2.error as error:
        said = error.args[0] if error.args else error
        words = (said.decode() if isinstance(said, bytes) else str(said)).replace("(?m)", "", 1)  # that is our own
        raise InvalidInputError(
            f"{wanted.pattern!r} is no regular expression: {words}.",
            "Use RE2's syntax, which has no look-around and no back-references, or look for the words as they are.",
        ) from None
    found: _Pattern = pattern
    return found
