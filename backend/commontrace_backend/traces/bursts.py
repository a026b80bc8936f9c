"""Bursts: many accounts on one author's public traces within an hour, all of them new or of one lineage. Pure.

What counts are accounts, not outcomes: one that reports on much of what it uses is only diligent.
"""

from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

WINDOW: Final = timedelta(hours=1)

MANY: Final = 8
"""Accounts within the window from which on their outcomes are left out."""

YOUNG: Final = timedelta(days=7)
"""How old an account must be to be one of its own, and not one of a crowd of new ones."""


@dataclass(frozen=True, slots=True)
class Act:
    """Somebody's outcome on a version.

    Attributes:
        key: which one it is.
        account: whose it is.
        at: when it was reported, or changed.
        lineage_id: the root of the invitations that led to who reported it.
        joined: when they were made known to the store.
    """

    key: Hashable
    account: Hashable
    at: datetime
    lineage_id: str
    joined: datetime


def burst(acts: Sequence[Act]) -> set[Hashable]:
    """The keys of those that are part of a burst, in whatever order they come; few at a time are none."""
    found = _crowded([act for act in acts if act.at - act.joined < YOUNG], lambda _: None)
    return found | _crowded(acts, lambda act: act.lineage_id)


def _crowded(acts: Sequence[Act], of: Callable[[Act], Hashable]) -> set[Hashable]:
    groups: dict[Hashable, list[Act]] = {}
    for act in sorted(acts, key=lambda act: act.at):
        groups.setdefault(of(act), []).append(act)
    found: set[Hashable] = set()
    for group in groups.values():
        for place, first in enumerate(group):
            within = [act for act in group[place:] if act.at - first.at <= WINDOW]
            if len({act.account for act in within}) >= MANY:
                found |= {act.key for act in within}
    return found
