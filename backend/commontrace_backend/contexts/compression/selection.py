"""Which messages an operation means: `type:tool tokens>2000 age>50 -role:user 3..17`. Pure.

Every term must hold. A minus in front turns one round; double quotes keep a value with spaces together.
"""

import operator
import re
import shlex
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from commontrace.errors import InvalidInputError
from commontrace.patterns import values_of
from commontrace.providers.messages import text_of
from commontrace_backend.contexts.compression.items import Item, shown
from commontrace_backend.contexts.compression.turns import turns_of

_LONGEST: Final = 1_000
_TYPES: Final[Mapping[str, frozenset[str]]] = {
    "tool": frozenset(("tool_call", "tool_result")),
    "call": frozenset(("tool_call",)),
    "result": frozenset(("tool_result",)),
    "reasoning": frozenset(("thinking", "redacted_thinking", "reasoning")),
    "image": frozenset(("image", "image_url", "input_image")),
}
_PRIORITIES: Final = ("skip", "normal", "important", "pinned")
_COMPARE: Final[Mapping[str, Callable[[int, int], bool]]] = {
    ">=": operator.ge,
    "<=": operator.le,
    ">": operator.gt,
    "<": operator.lt,
    "=": operator.eq,
    ":": operator.eq,
}
_RANGE: Final = re.compile(r"(\d*)(\.\.)?(\d*)")
_NUMERIC: Final = re.compile(r"(tokens|age)(>=|<=|>|<|=|:)(\d+)(k?)")
_POSSIBLE: Final = (
    "Terms are type:, role:, name:, text:, priority:, slot:, commit:, summary:yes, tokens>2000, age>50, 3..17, each "
    'with a minus in front to turn it round; quote a value with spaces, as in text:"two words".'
)

Names = Mapping[str, frozenset[str]]
"""The tools that a message calls or answers, by its slot."""
Test = Callable[[Item, Names], bool]


@dataclass(frozen=True, slots=True)
class Query:
    """A query as it was written, and its terms as tests."""

    text: str
    tests: tuple[Test, ...]


def parse_query(text: str) -> Query:
    """Read a query.

    Raises:
        InvalidInputError: a term that cannot be read; it is named, with what is possible.
    """
    if len(text) > _LONGEST:
        raise InvalidInputError(f"A query has at most {_LONGEST} characters.", "Say less, or ask several times.")
    words = shlex.shlex(text, posix=True, punctuation_chars="")
    words.whitespace_split, words.quotes, words.escape, words.commenters = True, '"', "", ""
    try:
        tests = tuple(_term(word) for word in words)
    except ValueError:
        raise InvalidInputError(f"The query {text} has a quote that is not closed.", 'Close it with ".') from None
    if not tests:
        raise InvalidInputError("The query is empty.", _POSSIBLE)
    return Query(text, tests)


def select(query: Query, items: Sequence[Item]) -> list[Item]:
    """The items that every term holds for, in their order."""
    names = _tools(items)
    return [item for item in items if all(test(item, names) for test in query.tests)]


def _tools(items: Sequence[Item]) -> Names:
    found: dict[str, set[str]] = {}
    for turn in turns_of(shown(items)):
        for item in (turn.caller, turn.answer):
            if item is not None:
                found.setdefault(item.slot_id, set()).add(turn.call["name"].lower())
    return {slot: frozenset(names) for slot, names in found.items()}


def _term(word: str) -> Test:
    if word.startswith("-") and len(word) > 1:
        positive = _term(word[1:])
        return lambda item, names: not positive(item, names)
    numbers = _RANGE.fullmatch(word)
    if numbers and (numbers[1] or numbers[3]):
        return _positions(word, numbers)
    compared = _NUMERIC.fullmatch(word.lower())
    if compared:
        return _comparison(*compared.groups())
    field, colon, value = word.partition(":")
    if not colon or not value or field.lower() not in _FIELDS:
        raise InvalidInputError(f"The query has a term that is none: {word}.", _POSSIBLE)
    return _FIELDS[field.lower()](value)


def _positions(word: str, numbers: re.Match[str]) -> Test:
    first = int(numbers[1] or 0)
    last = int(numbers[3]) if numbers[3] else None if numbers[2] else first
    if last is not None and last < first:
        raise InvalidInputError(f"The range {word} ends before it begins.", f"Write {last}..{first}.")
    return lambda item, _: first <= item.position and (last is None or item.position <= last)


def _comparison(field: str, sign: str, digits: str, thousand: str) -> Test:
    compare, limit = _COMPARE[sign], int(digits) * (1_000 if thousand else 1)
    if field == "tokens":
        return lambda item, _: compare(item.tokens, limit)
    return lambda item, _: compare(item.age, limit)


def _type(value: str) -> Test:
    wanted = _TYPES.get(value.lower(), frozenset((value,)))
    return lambda item, _: any(part["type"] in wanted for part in item.message["parts"])


def _role(value: str) -> Test:
    return lambda item, _: item.message["role"] == value


def _name(value: str) -> Test:
    return lambda item, names: value.lower() in names.get(item.slot_id, frozenset())


def _text(value: str) -> Test:
    if value[0] == value[-1] == "/" and len(value) > 2:  # noqa: PLR2004 - two slashes and what is between
        values_of(value, "")  # a pattern that cannot be read is said before anything is searched
        return lambda item, _: bool(values_of(value, text_of(item.message)))
    wanted = value.casefold()
    return lambda item, _: wanted in text_of(item.message).casefold()


def _priority(value: str) -> Test:
    if value.lower() not in _PRIORITIES:
        raise InvalidInputError(f"{value} is no priority.", f"Use one of {', '.join(_PRIORITIES)}.")
    return lambda item, _: item.priority == value.lower()


def _summary(value: str) -> Test:
    if value.lower() not in {"yes", "no"}:
        raise InvalidInputError(f"summary:{value} is neither yes nor no.", "Write summary:yes or summary:no.")
    return lambda item, _: item.summary == (value.lower() == "yes")


def _slot(value: str) -> Test:
    return lambda item, _: item.slot_id.startswith(value)


def _commit(value: str) -> Test:
    return lambda item, _: item.commit_id.startswith(value)


_FIELDS: Final[Mapping[str, Callable[[str], Test]]] = {
    "type": _type,
    "role": _role,
    "name": _name,
    "text": _text,
    "priority": _priority,
    "slot": _slot,
    "commit": _commit,
    "summary": _summary,
}
