"""Which messages of a history fit a budget. Pure.

What instructs the model is always in; then the newest groups, back to the first that does not fit, so that the window
has no holes. A message with tool calls and the answers to them are one group.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from commontrace.errors import InvalidInputError
from commontrace.providers.messages import Message
from commontrace.providers.rendering import groups, is_system

FRAMING = 3
"""Tokens that each message costs beside its text, as OpenAI counts them."""


@dataclass(frozen=True, slots=True)
class Choice:
    """Positions that are in, and why each of the others is out."""

    included: frozenset[int]
    reasons: dict[int, str]


def choose(messages: Sequence[Message], tokens: Sequence[int], budget: int | None) -> Choice:
    """Choose within a budget of tokens; raises InvalidInputError if not even the newest group fits."""
    everything = frozenset(range(len(messages)))
    if budget is None:
        return Choice(everything, {})
    chosen = {position for position, message in enumerate(messages) if is_system(message)}
    used = sum(tokens[position] for position in chosen)
    newest_first = sorted(groups(messages), key=lambda group: -group[-1])
    for number, group in enumerate(group for group in newest_first if not chosen.issuperset(group)):
        needed = used + sum(tokens[position] for position in group)
        if needed > budget:
            if number == 0:
                raise _impossible(needed)
            break
        used = needed
        chosen.update(group)
    if used > budget:
        raise _impossible(used)
    return Choice(frozenset(chosen), dict.fromkeys(everything - chosen, "older than what fits the budget"))


def _impossible(needed: int) -> InvalidInputError:
    return InvalidInputError(
        f"Impossible: what instructs the model and the newest message need {needed} tokens.",
        f"Give at least {needed}.",
    )
