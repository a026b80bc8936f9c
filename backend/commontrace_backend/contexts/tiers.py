"""Older messages at a lower resolution: whole, shortened, or one line. Pure.

Every group that fits as a line is in; then from the newest on, groups are shown shortened and at last whole, as far as
the budget goes. What instructs the model, what is pinned and the newest group are always whole.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from operator import itemgetter
from typing import Final, Literal

from commontrace.providers.messages import Message, calls_of, text_of
from commontrace.providers.rendering import groups, is_system
from commontrace_backend.contexts.compression.output import shortened, with_results
from commontrace_backend.contexts.contents import Content
from commontrace_backend.contexts.window import impossible, standing

Tier = Literal["whole", "shortened", "line", "out"]
Cost = Callable[[Message], int]
_LINE: Final = 160  # characters
_LONG: Final = 600  # characters of a text that is shortened


@dataclass(frozen=True, slots=True)
class Group:
    """Messages that stay together, at each resolution.

    Attributes:
        places: their places in the window.
        whole: as they are.
        tokens: what that costs.
        short: shortened, with what that costs.
        line: as one line, with what that costs.
        must: why they are always whole; empty where they are not.
    """

    places: list[int]
    whole: list[Message]
    tokens: int
    short: tuple[list[Message], int]
    line: tuple[list[Message], int]
    must: str


@dataclass(frozen=True, slots=True)
class Tiered:
    """What of a window is shown how.

    Attributes:
        messages: what is shown, in order.
        tiers: the resolution of each message of the whole window.
        tokens: what is shown costs.
        reasons: why, for each message of the whole window.
    """

    messages: list[Message]
    tiers: list[Tier]
    tokens: int
    reasons: dict[int, str]


def tiered(found: Sequence[Content], budget: int, cost: Cost) -> Tiered:
    """Choose a resolution for each group; raises InvalidInputError if what must be whole does not fit."""
    every = [_group(found, places, cost) for places in groups([content.message for content in found])]
    newest = max(every, key=lambda group: group.places[-1], default=None)
    chosen: dict[int, Tier] = {id(group): "whole" for group in every if group.must or group is newest}
    used = sum(group.tokens for group in every if id(group) in chosen)
    if used > budget:
        raise impossible(used)
    others = sorted((group for group in every if id(group) not in chosen), key=lambda group: -group.places[-1])
    for group in others:
        if used + group.line[1] > budget:
            break
        chosen[id(group)] = "line"
        used += group.line[1]
    lines = [group for group in others if id(group) in chosen]
    for tier in ("shortened", "whole"):
        for group in lines:
            more = _cost(group, tier) - _cost(group, chosen[id(group)])
            if used + more <= budget:
                chosen[id(group)] = tier
                used += more
    return _laid_out(found, every, chosen, used)


def _cost(group: Group, tier: str) -> int:
    return {"whole": group.tokens, "shortened": group.short[1], "line": group.line[1]}[tier]


def _group(found: Sequence[Content], places: list[int], cost: Cost) -> Group:
    whole = [found[place].message for place in places]
    tokens = sum(found[place].tokens for place in places)
    short = [_shortened(found[place]) for place in places]
    line = [_line(whole)]
    must = next(
        (
            reason
            for place in places
            if (reason := standing(found[place].slot.priority, system=is_system(found[place].message)))
        ),
        "",
    )
    # What is short already costs no less in another form: then it keeps its own.
    lower = min((short, sum(map(cost, short))), (whole, tokens), key=itemgetter(1))
    lowest = min((line, sum(map(cost, line))), lower, key=itemgetter(1))
    return Group(places, whole, tokens, lower, lowest, must)


def _shortened(content: Content) -> Message:
    """Long results and long texts with their heads and tails alone; calls stay as they are."""
    message, slot_id = content.message, content.slot.slot_id[:12]
    texts = {
        place: shortened(said, slot_id)
        for place, part in enumerate(message["parts"])
        if part["type"] == "tool_result" and len(said := text_of({"role": "tool", "parts": [part]})) > _LONG
    }
    short = with_results(message, texts)
    parts = [
        {**part, "text": shortened(part["text"], slot_id)}
        if part["type"] == "text" and len(part["text"]) > _LONG
        else part
        for part in short["parts"]
    ]
    return {**short, "parts": parts}


def _line(messages: Sequence[Message]) -> Message:
    """A group in one line: what its first message says, and how many results there were."""
    first = messages[0]
    said = " ".join(text_of(first).split())
    answers = len(messages) - 1 if calls_of(first) else 0
    more = f" → {answers} result{'' if answers == 1 else 's'}" if answers else ""
    text = f"[earlier] {said[:_LINE]}{'…' if len(said) > _LINE else ''}{more}"
    return {"role": "assistant" if first["role"] == "assistant" else "user", "parts": [{"type": "text", "text": text}]}


def _laid_out(found: Sequence[Content], every: Sequence[Group], chosen: dict[int, Tier], used: int) -> Tiered:
    tiers: list[Tier] = ["out"] * len(found)
    reasons: dict[int, str] = {}
    shown: dict[int, list[Message]] = {}
    for group in every:
        tier = chosen.get(id(group), "out")
        said = {"whole": group.whole, "shortened": group.short[0], "line": group.line[0], "out": []}[tier]
        for at, place in enumerate(group.places):
            tiers[place] = tier
            reasons[place] = group.must or _WHY[tier]
            shown[place] = said[at : at + 1]
    return Tiered([message for place in sorted(shown) for message in shown[place]], tiers, used, reasons)


_WHY: Final = {
    "whole": "fits",
    "shortened": "shortened: older than what fits whole",
    "line": "one line: older than what fits shortened",
    "out": "older than what fits the budget",
}
