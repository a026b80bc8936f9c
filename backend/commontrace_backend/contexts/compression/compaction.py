"""What a window holds that it could do without: each found thing with what to do about it. Pure.

Pinned and important messages, what instructs the model, and the newest groups are never touched; groups stay whole.
"""

import json
import re
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import Final

from commontrace.models.contexts.compression import PlanAction, PlanKind, Risk
from commontrace.providers.messages import Message, as_text
from commontrace_backend.contexts.compression.items import Item, by_group, shown, touchable
from commontrace_backend.contexts.compression.output import shortened, with_results
from commontrace_backend.contexts.compression.turns import Turn, result_text, turns_of

Cost = Callable[[Message], int]
Group = Sequence[Item]

KEEP_NEWEST: Final = 2
"""Groups at the end of a window that are left alone: what the agent works on."""
_LONG_RESULT: Final = 500  # tokens of a message with a tool result
_WORTH_A_COPY: Final = 20  # tokens; shorter ones, such as "go on", are said again on purpose
_ALIKE: Final = 0.5  # share of words that the arguments of a call and of its retry have in common
_RETRIES: Final = 10  # successes behind a failure among which its retry is looked for
_WORD: Final = re.compile(r"\w+")


@dataclass(frozen=True, slots=True)
class Proposal:
    """Something to do to a window.

    Attributes:
        kind: what was found.
        action: skip, edit or cover.
        items: what it changes, in order.
        tokens_saved: by it alone; at least 1.
        risk: of losing what the agent needs.
        reason: in words.
        messages: for an edit, slot to the message it gets.
        target_tokens: for a cover, the most that its summary may cost, without its frame.
    """

    kind: PlanKind
    action: PlanAction
    items: tuple[Item, ...]
    tokens_saved: int
    risk: Risk
    reason: str
    messages: Mapping[str, Message] = field(default_factory=dict)
    target_tokens: int | None = None


def propose(items: Sequence[Item], cost: Cost, keep_newest: int = KEEP_NEWEST) -> list[Proposal]:
    """Everything that the detectors find, most certain first; several proposals can be about one message.

    Args:
        items: the window.
        cost: the tokens of a message.
        keep_newest: groups at the end that are left alone.
    """
    window = shown(items)
    free = touchable(window, keep_newest)
    turns = turns_of(window)
    return [
        *stale_reads(turns, free, cost),
        *duplicates(by_group(window), free),
        *failed_turns(turns, free),
        *long_results(turns, free, cost),
    ]


def stale_reads(turns: Sequence[Turn], free: Sequence[Group], cost: Cost) -> Iterator[Proposal]:
    """Reads of files that were read or written again later; their results become one line."""
    same_file: dict[str, list[Turn]] = defaultdict(list)
    for turn in turns:
        same_file[turn.path].append(turn)
    for item, answered in _answers(turns, free):
        reads = [turn for turn in answered if turn.act == "read" and not turn.failed]
        later = {turn.place: found for turn in reads if (found := _superseding(turn, same_file[turn.path]))}
        if not later:
            continue
        said = {place: _why(found) for place, found in later.items()}
        texts = {place: f"[left out: {why}; slot {item.slot_id} has the whole]" for place, why in said.items()}
        risk: Risk = "medium" if any(found.act == "edit" for found in later.values()) else "low"
        yield from _edited("stale_read", item, texts, cost, (risk, "; ".join(said.values())))


def _answers(turns: Sequence[Turn], free: Sequence[Group]) -> list[tuple[Item, list[Turn]]]:
    """The messages with results that may be changed, each with the turns whose results it holds."""
    owned = {item.slot_id for group in free for item in group}
    found: dict[str, tuple[Item, list[Turn]]] = {}
    for turn in turns:
        if turn.answer is not None and turn.answer.slot_id in owned:
            found.setdefault(turn.answer.slot_id, (turn.answer, []))[1].append(turn)
    return list(found.values())


def _superseding(read: Turn, same_file: Sequence[Turn]) -> Turn | None:
    """What is behind a read that says anew what is in the file; else the first edit that made it stale."""
    done = [later for later in same_file if later.done and later.caller.position > read.caller.position]
    anew = (one for one in done if one.act == "write" or (one.act == "read" and one.extent in {"", read.extent}))
    return next(anew, None) or next((one for one in done if one.act == "edit"), None)


def _why(later: Turn) -> str:
    return f"{later.path} was {'read' if later.act == 'read' else 'written'} again at {later.caller.position}"


def _edited(
    kind: PlanKind, item: Item, texts: Mapping[int, str], cost: Cost, why: tuple[Risk, str]
) -> Iterator[Proposal]:
    message = with_results(item.message, texts)
    saved = item.tokens - cost(message)
    if saved > 0:
        yield Proposal(kind, "edit", (item,), saved, *why, messages={item.slot_id: message})


def duplicates(groups: Sequence[Group], free: Sequence[Group]) -> Iterator[Proposal]:
    """Groups that the window has again, word for word, further down."""
    last = {_words_of(group): group[0] for group in groups}
    for group in free:
        again = last[_words_of(group)]
        if again.slot_id != group[0].slot_id and _cost(group) >= _WORTH_A_COPY:
            why = f"said again, word for word, at {again.position}"
            yield Proposal("duplicate", "skip", tuple(group), _cost(group), "low", why)


def _words_of(group: Group) -> str:
    """What a group says, whatever the ids of its calls are."""
    said = [
        {**item.message, "parts": [{**part, "id": "", "call_id": ""} for part in item.message["parts"]]}
        for item in group
    ]
    return json.dumps(said, sort_keys=True)


def _cost(group: Group) -> int:
    return sum(item.tokens for item in group)


def failed_turns(turns: Sequence[Turn], free: Sequence[Group]) -> Iterator[Proposal]:
    """Groups whose every call failed and was made again with success."""
    calls: dict[int, list[Turn]] = defaultdict(list)
    successes: dict[str, list[Turn]] = defaultdict(list)
    for turn in turns:
        calls[turn.caller.group].append(turn)
        if turn.done:
            successes[turn.name].append(turn)
    for group in free:
        called = calls.get(group[0].group, [])
        retries = [retry for turn in called if turn.failed and (retry := _retry(turn, successes[turn.name]))]
        if called and len(retries) == len(called):
            last = max(retry.caller.position for retry in retries)
            risk: Risk = "low" if last == group[-1].position + 1 else "medium"
            why = f"{called[0].call['name']} failed and succeeded when it was called again at {last}"
            yield Proposal("failed_turn", "skip", tuple(group), _cost(group), risk, why)


def _retry(failure: Turn, successes: Sequence[Turn]) -> Turn | None:
    """The first of the next successes of the same tool with the same file or much the same arguments."""
    behind = (later for later in successes if later.caller.position > failure.caller.position)
    return next((later for later in islice(behind, _RETRIES) if _alike(failure, later)), None)


def _alike(turn: Turn, later: Turn) -> bool:
    if turn.path:
        return turn.path == later.path
    words, others = (set(_WORD.findall(as_text(one.call.get("arguments")).lower())) for one in (turn, later))
    return len(words & others) >= _ALIKE * len(words | others)


def long_results(turns: Sequence[Turn], free: Sequence[Group], cost: Cost) -> Iterator[Proposal]:
    """Results of more than 500 tokens: head, tail and errors stay."""
    for item, answered in _answers(turns, free):
        if item.tokens > _LONG_RESULT:
            said = {turn.place: result_text(item.message["parts"][turn.place]) for turn in answered}
            short = {place: shortened(text, item.slot_id) for place, text in said.items()}
            texts = {place: text for place, text in short.items() if len(text) < len(said[place])}
            names = ", ".join(dict.fromkeys(turn.call["name"] for turn in answered))
            why = f"{names} answered at length; head, tail and errors stay"
            yield from _edited("tool_result", item, texts, cost, ("medium", why))
