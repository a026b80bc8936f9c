"""The cheapest set of actions that brings a window within a budget. Pure.

The least risk comes first, and among equals what stands furthest back: a prompt cache holds only what is in front of
the first change. Where nothing smaller is enough, the oldest messages are covered by one summary.
"""

from collections import defaultdict
from collections.abc import Sequence
from typing import Final

from commontrace.errors import InvalidInputError
from commontrace.models.contexts.compression import BudgetPlan, PlannedAction, Risk
from commontrace_backend.contexts.compression.compaction import KEEP_NEWEST, Proposal
from commontrace_backend.contexts.compression.items import Item, shown, touchable
from commontrace_backend.tokens import FRAMING

SMALLEST_SUMMARY: Final = 60
"""Tokens below which a summary says nothing."""
_LARGEST_SUMMARY: Final = 2_000
_SHARE: Final = 5  # a summary gets a fifth of what it covers
_RISKS: Final[dict[Risk, int]] = {"low": 0, "medium": 1, "high": 2}


def plan(
    items: Sequence[Item], budget: int, proposals: Sequence[Proposal], keep_newest: int = KEEP_NEWEST
) -> BudgetPlan:
    """Choose what to do to a window so that it costs at most `budget` tokens.

    Args:
        items: the window.
        budget: tokens that it may cost.
        proposals: what `propose` found in it.
        keep_newest: groups at the end that no summary covers.

    Raises:
        InvalidInputError: no set of actions gets there; `extra["at_least"]` is the least that can be reached.
    """
    window = shown(items)
    total = _cost(window)
    behind = _behind(window)
    ranked = sorted(proposals, key=lambda one: (_RISKS[one.risk], behind[one.items[0].slot_id] - one.tokens_saved))
    excess = total - budget
    chosen = _enough(ranked, excess)
    if _saved(chosen) < excess:
        cover = _cover(window, budget, chosen, keep_newest)
        covered = {item.slot_id for item in cover.items}
        chosen = [*(one for one in chosen if one.items[0].slot_id not in covered), cover]
    chosen = _needed(chosen, excess)
    return BudgetPlan(
        budget=budget,
        tokens_before=total,
        tokens_after=total - _saved(chosen),
        rebilled=max((behind[one.items[0].slot_id] for one in chosen), default=0) - _saved(chosen),
        actions=[_described(one, behind[one.items[0].slot_id] - one.tokens_saved) for one in chosen],
    )


def _cost(items: Sequence[Item]) -> int:
    return sum(item.tokens for item in items)


def _saved(chosen: Sequence[Proposal]) -> int:
    return sum(one.tokens_saved for one in chosen)


def _behind(window: Sequence[Item]) -> dict[str, int]:
    """Slot to the tokens from it to the end of the window: what a prompt cache loses when it changes."""
    found: dict[str, int] = {}
    tokens = 0
    for item in reversed(window):
        tokens += item.tokens
        found[item.slot_id] = tokens
    return found


def _enough(ranked: Sequence[Proposal], wanted: int) -> list[Proposal]:
    """From the best on until enough is saved; a message that one changes is left alone by those after it."""
    chosen: list[Proposal] = []
    taken: set[str] = set()
    saved = 0
    for one in ranked:
        if saved >= wanted:
            break
        slots = {item.slot_id for item in one.items}
        if taken.isdisjoint(slots):
            chosen.append(one)
            taken |= slots
            saved += one.tokens_saved
    return chosen


def _cover(window: Sequence[Item], budget: int, chosen: Sequence[Proposal], keep_newest: int) -> Proposal:
    """A summary of as few of the oldest messages as will do; what was chosen inside them is not needed then."""
    saved: dict[int, int] = defaultdict(int)
    for one in chosen:
        saved[one.items[0].group] += one.tokens_saved
    covered: list[Item] = []
    source = 0  # tokens that the summary takes the place of; it must halve them to be worth its loss
    rest = least = _cost(window) - _saved(chosen)
    for group in touchable(window, keep_newest):
        covered += group
        left = _cost(group) - saved[group[0].group]
        source += left
        rest -= left
        words = max(SMALLEST_SUMMARY, min(_LARGEST_SUMMARY, source // _SHARE))
        if rest + words + FRAMING <= budget and 2 * (words + FRAMING) <= source:
            return _covering(covered, words)
    least = min(least, rest + SMALLEST_SUMMARY + FRAMING)
    if least > budget:
        raise InvalidInputError(
            f"Impossible: this window cannot cost less than {least} tokens and keep what is pinned, important, "
            "instructing or newest.",
            f"Give at least {least}, or unpin something.",
            {"at_least": least},
        )
    return _covering(covered, budget - rest - FRAMING)


def _covering(covered: Sequence[Item], words: int) -> Proposal:
    items = sorted(covered, key=lambda item: item.position)
    reason = f"the {len(items)} oldest messages, to {items[-1].position}, in a summary of at most {words} tokens"
    saved = _cost(items) - words - FRAMING
    return Proposal("old_messages", "cover", tuple(items), saved, "high", reason, target_tokens=words)


def _needed(chosen: Sequence[Proposal], wanted: int) -> list[Proposal]:
    """Without those that the others make needless, the worst tried first; a summary was the last resort and stays."""
    spare = _saved(chosen) - wanted
    kept: list[Proposal] = []
    for one in reversed(chosen):
        if one.action != "cover" and one.tokens_saved <= spare:
            spare -= one.tokens_saved
        else:
            kept.append(one)
    return kept[::-1]


def _described(one: Proposal, rebilled: int) -> PlannedAction:
    return PlannedAction(
        action=one.action,
        kind=one.kind,
        slots=[item.slot_id for item in one.items],
        positions=[item.position for item in one.items],
        tokens_saved=one.tokens_saved,
        rebilled=rebilled,
        risk=one.risk,
        reason=one.reason,
        messages=dict(one.messages),
        target_tokens=one.target_tokens,
    )
