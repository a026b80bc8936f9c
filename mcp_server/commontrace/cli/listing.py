"""Lists on the command line: so many items, and a word where there are more."""

from collections.abc import Callable
from typing import Final, TypeVar

import click

from commontrace.cli.output import note

T = TypeVar("T")

LIMIT: Final = click.option(
    "-n", "--limit", type=click.IntRange(1, 100_000), default=50, show_default=True, help="How many at most."
)
"""The option of every list."""


def first(ask: Callable[[int], list[T]], limit: int) -> list[T]:
    """The first items of a list; standard error says where there are more.

    Args:
        ask: gives as many items as it is told.
        limit: how many are wanted.
    """
    found = ask(limit + 1)
    if len(found) > limit:
        note((f"There are more than {limit:,}: --limit shows more.", "dim"))
    return found[:limit]
