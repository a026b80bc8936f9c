"""Which messages of a history fit a budget. Pure.

What instructs the model and what is pinned is always in; then what is important; then the newest groups, back to the
first that does not fit, so that the window has no holes. A message with tool calls and the answers to them are a group.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from commontrace.errors import InvalidInputError
from commontrace.models.contexts import Priority

Levels = Mapping[int, Priority]
"""The priorities of messages by their places, those that are normal left out."""

Group = Sequence[int]
"""The places of messages that stay together."""


_STAYS: Final = "stays with what must be in"


@dataclass(frozen=True, slots=True)
class Sized:
    """A window as far as choosing goes.

    Attributes:
        tokens: what each message costs.
        fixed: why messages are in whatever the budget, by their places.
        newest: the groups of the others, the newest first.
        important: those of them that come before newer ones, by their last places.
    """

    tokens: Sequence[int]
    fixed: Mapping[int, str]
    newest: Sequence[Group]
    important: Collection[int]

    @classmethod
    def of(cls, tokens: Sequence[int], groups: Iterable[Group], system: Collection[int], levels: Levels) -> "Sized":
        """From what each message costs, which stay together, which instruct, and which are not of normal priority."""
        must = {place: "pinned" for place, level in levels.items() if level == "pinned"}
        must |= dict.fromkeys(system, "instructs the model")
        fixed: dict[int, str] = {}
        newest: list[Group] = []
        for group in groups:
            if must.keys().isdisjoint(group):
                newest.append(group)
            else:
                fixed |= {place: must.get(place, _STAYS) for place in group}
        newest.sort(key=lambda group: -group[-1])
        places = {place for place, level in levels.items() if level == "important"}
        important = {group[-1] for group in newest if not places.isdisjoint(group)} if places else set()
        return cls(tokens, fixed, newest, important)

    def cost(self, places: Iterable[int]) -> int:
        """What some messages cost together."""
        return sum(self.tokens[place] for place in places)


@dataclass(frozen=True, slots=True)
class Choice:
    """The places that are in, in order, and why some are; the others are older than what fits the budget."""

    included: Sequence[int]
    reasons: Mapping[int, str]


def choose(sized: Sized, budget: int | None) -> Choice:
    """Choose within a budget of tokens; raises InvalidInputError if not even what must be in fits."""
    if budget is None:
        reasons = {place: why for place, why in sized.fixed.items() if why != _STAYS}
        return Choice(range(len(sized.tokens)), reasons)
    last, older = sized.newest[:1], sized.newest[1:]
    needed = sized.cost(sized.fixed) + sum(map(sized.cost, last))
    if needed > budget:
        raise impossible(needed)
    left = budget - needed
    chosen = {place: "" for group in last for place in group}
    for group in older if sized.important else ():
        if group[-1] in sized.important and (cost := sized.cost(group)) <= left:
            left -= cost
            chosen |= dict.fromkeys(group, "important")
    for group in older:
        if group[-1] not in sized.important:
            left -= sized.cost(group)
            if left < 0:
                break
            chosen |= dict.fromkeys(group, "")
    reasons = {place: why for place, why in chosen.items() if why}
    return Choice(sorted([*sized.fixed, *chosen]), reasons | dict(sized.fixed))


def standing(priority: Priority, *, system: bool) -> str:
    """Why a message is always in; empty where it is not."""
    if system:
        return "instructs the model"
    return "pinned" if priority == "pinned" else ""


def impossible(needed: int) -> InvalidInputError:
    """A budget that is too small, and what would do."""
    return InvalidInputError(
        f"Impossible: what instructs the model, what is pinned and the newest message need {needed} tokens.",
        f"Give at least {needed}.",
    )
