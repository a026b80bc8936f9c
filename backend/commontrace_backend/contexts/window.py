"""Which messages of a history fit a budget. Pure.

What instructs the model and what is pinned is always in; then what is important; then the newest groups, back to the
first that does not fit, so that the window has no holes. A message with tool calls and the answers to them are a group.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Protocol

from commontrace.errors import InvalidInputError
from commontrace.providers.messages import Message
from commontrace.providers.rendering import groups, is_system
from commontrace_backend.contexts.view import Shown

FRAMING: Final = 3
"""Tokens that each message costs beside its text, as OpenAI counts them."""


class Counted(Protocol):
    """A message of a window with its slot and what it costs."""

    @property
    def slot(self) -> Shown:
        """Where it stands."""
        ...

    @property
    def message(self) -> Message:
        """What it says."""
        ...

    @property
    def tokens(self) -> int:
        """What it costs."""
        ...


@dataclass(frozen=True, slots=True)
class Choice:
    """Positions that are in, and why each is in or out."""

    included: frozenset[int]
    reasons: dict[int, str]


def choose(found: Sequence[Counted], budget: int | None) -> Choice:
    """Choose within a budget of tokens; raises InvalidInputError if not even what must be in fits."""
    everything = frozenset(range(len(found)))
    reasons = {position: standing(content) for position, content in enumerate(found)}
    always = {position: reason for position, reason in reasons.items() if reason}
    if budget is None:
        return Choice(everything, always)
    together = groups([content.message for content in found])
    chosen = {position for group in together if not always.keys().isdisjoint(group) for position in group}
    used = sum(found[position].tokens for position in chosen)
    left = sorted((group for group in together if chosen.isdisjoint(group)), key=lambda group: -group[-1])
    needed = used + _cost(found, left[0]) if left else used
    if needed > budget:
        raise impossible(needed)
    important = [group for group in left[1:] if any(found[at].slot.priority == "important" for at in group)]
    newest = [group for group in left if group not in important]
    why = dict.fromkeys(chosen, "stays with what must be in") | always
    for group in [*newest[:1], *important]:
        if used + _cost(found, group) <= budget:
            used += _cost(found, group)
            chosen.update(group)
            why.update(dict.fromkeys(group, "important") if group in important else {})
    for group in newest[1:]:
        if used + _cost(found, group) > budget:
            break
        used += _cost(found, group)
        chosen.update(group)
    out = dict.fromkeys(everything - chosen, "older than what fits the budget")
    return Choice(frozenset(chosen), why | out)


def standing(content: Counted) -> str:
    """Why a message is always in; empty where it is not."""
    if is_system(content.message):
        return "instructs the model"
    return "pinned" if content.slot.priority == "pinned" else ""


def _cost(found: Sequence[Counted], group: Sequence[int]) -> int:
    return sum(found[position].tokens for position in group)


def impossible(needed: int) -> InvalidInputError:
    """A budget that is too small, and what would do."""
    return InvalidInputError(
        f"Impossible: what instructs the model, what is pinned and the newest message need {needed} tokens.",
        f"Give at least {needed}.",
    )
