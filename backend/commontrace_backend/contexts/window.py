"""Which messages of a history fit a budget. Pure.

What instructs the model is always in; then the newest groups, back to the first that does not fit, so that the window
has no holes. A message with tool calls and the answers to them are one group.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from commontrace.errors import InvalidInputError
from commontrace_backend.contexts.messages import Message
from commontrace_backend.contexts.providers import groups, is_system

FRAMING = 3
"""Tokens that each message costs beside its text, as OpenAI counts them."""


@dataclass(frozen=True, slots=True)
class Choice:
    """Positions that are in, and why each of the others is out."""

    included: frozenset[int]
    reasons: dict[int, str]


def choose(messages: Sequence[Message], tokens: Sequence[int], budget: int | None) -> Choice:
    """Choose within a budget of tokens; raises InvalidInputError if not even the instructions fit."""
    everything = frozenset(range(len(messages)))
    if budget is None:
        return Choice(everything, {})
    fixed = {position for position, message in enumerate(messages) if is_system(message)}
    left = budget - sum(tokens[position] for position in fixed)
    if left < 0:
        raise InvalidInputError(
            f"Impossible: the system messages alone need {budget - left} tokens.", f"Give at least {budget - left}."
        )
    chosen = set(fixed)
    for group in sorted(groups(messages), key=lambda group: -group[-1]):
        if chosen.issuperset(group):
            continue
        cost = sum(tokens[position] for position in group)
        if cost > left:
            break
        left -= cost
        chosen.update(group)
    return Choice(frozenset(chosen), dict.fromkeys(everything - chosen, "older than what fits the budget"))
