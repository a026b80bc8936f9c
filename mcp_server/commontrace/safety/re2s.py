"""Patterns run by RE2: linear time, whatever the text and the pattern."""

import functools
from collections.abc import Iterator
from typing import Protocol


class Match(Protocol):
    """What a pattern found."""

    def span(self, group: int = 0) -> tuple[int, int]:
        """Start and end; -1 for a group that took no part."""
        ...


class Pattern(Protocol):
    """A pattern over bytes, in which a byte is a character."""

    groups: int

    def finditer(self, text: bytes) -> Iterator[Match]:
        """Every match, from left to right."""
        ...

    def search(self, text: bytes) -> Match | None:
        """The first match."""
        ...


@functools.cache
def compiled(regex: str) -> Pattern:
    """A pattern of RE2 over bytes, in which a byte is a character."""
    import re2  # type: ignore[import-untyped]  # it has no annotations

    options = re2.Options()
    options.encoding = re2.Options.Encoding.LATIN1
    options.log_errors = False
    pattern: Pattern = re2.compile(regex.encode(), options)
    return pattern
