"""What every rendering of canonical messages relies on: who speaks, pairs of calls and results, names and ids. Pure.

A result whose call is not in the window is left out, a call without a result gets a marker result, and neither changes
the history: validity is a matter of rendering. What a provider cannot carry is noted on the way.
"""

import hashlib
import json
import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from commontrace.errors import InvalidInputError
from commontrace.models.canonical import canonical
from commontrace.providers.media import read_media
from commontrace.providers.parts import (
    REASONING,
    Message,
    Part,
    PartTypes,
    answers_of,
    calls_of,
    is_hidden,
    rule_of,
    text_of_part,
)

OPEN_CALL: Final = "(no result was recorded)"
LEFT_OUT: Final = "(earlier messages were left out)"
SYSTEM: Final = frozenset({"system", "developer"})
_MODEL: Final = frozenset({"assistant", "reasoning", "output"})
_NOT_IN_NAMES: Final = re.compile(r"[^a-zA-Z0-9_-]")
_DIGEST: Final = 8

Answers = dict[tuple[int, int], Part]
"""The result of each call that has one, by the position of its message and its number in there."""


@dataclass(slots=True)
class Sending:
    """A rendering under way: the custom types, the message at hand, and what the provider will not be told."""

    types: PartTypes
    losses: list[tuple[int, str]] = field(default_factory=list)
    position: int = 0

    def lose(self, what: str) -> None:
        """Note that something of the message at hand does not reach the provider as it is."""
        self.losses.append((self.position, what))

    def lose_fields(self, holder: Part, name: str, sent: Iterable[str]) -> None:
        """Note the fields of a part or message that are not sent."""
        left = sorted(holder.keys() - {"type", *sent})
        if left:
            self.lose(f"the field {', '.join(left)} of {name} is not sent")

    def words(self, part: Part) -> str:
        """A part that has no shape of its own at this provider, as text; empty where it is not sent at all."""
        kind = part["type"]
        if is_hidden(part, self.types):
            return ""
        if kind in REASONING:
            self.lose(f"{kind} is left out")
            return ""
        if kind == "text":
            self.lose_fields(part, "a text", {"text"})
        elif not rule_of(part, self.types):
            self.lose(f"{kind} is sent as a few words" if read_media(part) else f"{kind} is sent as text")
        return text_of_part(part, self.types)


def is_system(message: Message) -> bool:
    """Whether a message instructs the model."""
    return message["role"] in SYSTEM


def is_model(message: Message) -> bool:
    """Whether the model made a message. Only the model calls tools."""
    return message["role"] in _MODEL


def groups(messages: Iterable[Message]) -> list[list[int]]:
    """Positions that stay together: a message with tool calls and every message that answers them."""
    return linked((calls_of(message), answers_of(message)) for message in messages)


def linked(links: Iterable[tuple[Sequence[str], Sequence[str]]]) -> list[list[int]]:
    """As `groups`, from the ids of the calls that each message makes, and of those that it answers."""
    group_of: dict[str, list[int]] = {}
    found: list[list[int]] = []
    for position, (calls, answers) in enumerate(links):
        owner = next((group_of[call] for call in answers if call in group_of), None) if answers else None
        if owner is None:
            owner = []
            found.append(owner)
        owner.append(position)
        if calls:
            group_of.update(dict.fromkeys(calls, owner))
    return found


def model_calls(message: Message) -> list[Part]:
    """The calls that a provider accepts: those of the model."""
    return [part for part in message["parts"] if part["type"] == "tool_call"] if is_model(message) else []


def answers_to_calls(messages: Sequence[Message], sending: Sending) -> Answers:
    """The first result behind each call; models use ids again, and then the latest call with that id is meant."""
    latest: dict[str, tuple[int, int]] = {}
    found: Answers = {}
    for sending.position, message in enumerate(messages):
        calls = enumerate(model_calls(message))
        latest.update({part["id"]: (sending.position, number) for number, part in calls})
        for part in message["parts"]:
            place = latest.get(part["call_id"]) if part["type"] == "tool_result" else None
            if place and place not in found:
                found[place] = part
            elif part["type"] == "tool_result":
                sending.lose("a tool result is left out, its call " + ("has one already" if place else "is not there"))
    return found


def distinct(ids: Iterable[str], taken: Counter[str], longest: int = 64) -> list[str]:
    """The same ids, with a number at the end of each that was there before; `taken` is kept up to date."""
    found = []
    for wanted in ids:
        name = wanted
        while taken[name]:
            taken[wanted] += 1
            number = f"_{taken[wanted]}"
            name = wanted[: longest - len(number)] + number
        taken[name] += 1
        found.append(name)
    return found


def shortened(text: str, longest: int) -> str:
    """A text of at most so many characters and at least one; a cut one ends in a digest of the whole."""
    if len(text) <= longest:
        return text or "_"
    return f"{text[: longest - _DIGEST - 1]}_{hashlib.sha256(text.encode()).hexdigest()[:_DIGEST]}"


def tool_name(name: str, longest: int) -> str:
    """A tool's name in the letters that OpenAI, Anthropic and Gemini all take, at most so many of them.

    Give the tools of a request the same names: `tool_name(tool, 64)` for OpenAI and Gemini, 128 for Anthropic.
    """
    plain = _NOT_IN_NAMES.sub("_", name)
    return shortened(plain if plain[:1].isalpha() or plain[:1] == "_" else f"_{plain}", longest)


def safe_id(called: str, longest: int) -> str:
    """An id of a call in the letters that every provider takes."""
    return shortened(_NOT_IN_NAMES.sub("_", called), longest)


def arguments_of(part: Part) -> dict[str, Any]:
    """The arguments of a call as an object; what is none stands under a name of its own."""
    value = part.get("arguments")
    if part.get("custom"):
        return {"input": value}
    if isinstance(value, str):
        value = _read_object(value)
    if value is None:
        return {}
    return value if isinstance(value, dict) else {"arguments": value}


def _read_object(text: str) -> Any:
    try:
        value = json.loads(text)
        canonical(value)
    except (ValueError, RecursionError, InvalidInputError):  # such as NaN, which no JSON body can carry
        return {"arguments": text}
    return value


def add_turn(turns: list[dict[str, Any]], role: str, blocks: list[Part], name: str) -> None:
    """Put blocks under `name` of the last turn if it has the same role, else into a turn of their own."""
    if blocks and turns and turns[-1]["role"] == role:
        turns[-1][name] += blocks
    elif blocks:
        turns.append({"role": role, name: blocks})
