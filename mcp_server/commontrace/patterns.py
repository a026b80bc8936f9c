"""What must be kept word for word: a literal text, or a /regular expression/ run by RE2 in linear time. Pure."""

import functools
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Protocol

from commontrace.errors import InvalidInputError


class _Match(Protocol):
    def __getitem__(self, group: int) -> str: ...


class _Regex(Protocol):
    def finditer(self, text: str) -> Iterator[_Match]: ...


def values_of(pattern: str, text: str) -> list[str]:
    """What a pattern stands for in a text, each value once, in order of appearance.

    A literal pattern stands for itself where the text holds it; `/PROJ-[0-9]+/` for every text that it matches.

    Raises:
        InvalidInputError: the pattern is empty, or no expression of RE2's.
    """
    regex = _regex(pattern)
    if regex is None:
        return [pattern] if pattern in text else []
    return list(dict.fromkeys(match[0] for match in regex.finditer(text) if match[0]))


def missing_keeps(sources: Iterable[str], summary: str, keep: Sequence[str]) -> list[str]:
    """The values that the patterns find in the sources and that the summary does not hold word for word.

    Raises:
        InvalidInputError: a pattern is empty, or no expression of RE2's.
    """
    found = dict.fromkeys(value for source in sources for pattern in keep for value in values_of(pattern, source))
    return [value for value in found if value not in summary]


@functools.lru_cache(256)
def _regex(pattern: str) -> _Regex | None:
    if not pattern.strip():
        raise InvalidInputError("A pattern of what to keep is empty.", "Give a text, or /a regular expression/.")
    if len(pattern) < 3 or not (pattern[0] == pattern[-1] == "/"):  # noqa: PLR2004 - two slashes and what is between
        return None
    import re2  # type: ignore[import-untyped]  # it has no annotations

    options = re2.Options()
    options.log_errors = False
    try:
        compiled: Any = re2.compile(pattern[1:-1], options)
    except re2.error as error:
        raise InvalidInputError(
            f"The pattern {pattern} is no regular expression: {_said(error)}.",
            "Use RE2's syntax, which has no look-around and no back-references, or a literal text.",
        ) from None
    regex: _Regex = compiled
    return regex


def _said(error: Exception) -> str:
    said = error.args[0] if error.args else error
    return said.decode("utf-8", "replace") if isinstance(said, bytes) else str(said)
