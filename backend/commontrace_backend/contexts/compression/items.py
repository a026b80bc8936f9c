"""A message of a window as everything here looks at it."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final, Literal

from commontrace.providers.messages import Message
from commontrace.providers.rendering import is_system

Priority = Literal["skip", "normal", "important", "pinned"]

KEPT: Final = frozenset({"important", "pinned"})
"""Priorities that nothing here ever proposes to touch."""


@dataclass(frozen=True, slots=True)
class Item:
    """A message in a window.

    Attributes:
        position: its place in the window, from 0.
        slot_id: of its slot.
        message: in the canonical form.
        tokens: what it costs, its frame included.
        priority: skip means that the window does not show it.
        age: messages behind it.
        group: number of its group; calls and what answers them are one.
        summary: whether it stands for messages that it covers.
        commit_id: the commit that introduced it.
    """

    position: int
    slot_id: str
    message: Message
    tokens: int
    priority: Priority
    age: int
    group: int
    summary: bool
    commit_id: str


def shown(items: Iterable[Item]) -> list[Item]:
    """What the window shows, in order."""
    return sorted((item for item in items if item.priority != "skip"), key=lambda item: item.position)


def by_group(items: Iterable[Item]) -> list[list[Item]]:
    """The items of each group, in order of the groups' first items."""
    found: dict[int, list[Item]] = defaultdict(list)
    for item in items:
        found[item.group].append(item)
    return list(found.values())


def whole_groups(chosen: Iterable[Item], items: Sequence[Item]) -> list[Item]:
    """The chosen items and whatever else belongs to their groups, in the order of `items`."""
    wanted = {item.group for item in chosen}
    return [item for item in items if item.group in wanted]


def touchable(items: Sequence[Item], keep_newest: int) -> list[list[Item]]:
    """The groups that may be changed: none of the newest, none that instructs, none with a kept message in it."""
    groups = by_group(shown(items))
    newest_first = sorted(groups, key=lambda group: -group[-1].position)
    newest = {group[0].group for group in newest_first[:keep_newest]}
    return [
        group
        for group in groups
        if group[0].group not in newest and not any(item.priority in KEPT or is_system(item.message) for item in group)
    ]
