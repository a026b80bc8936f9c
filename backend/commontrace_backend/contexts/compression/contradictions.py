"""Statements of two sides that do not agree: one denies what the other says, or gives another number for it. Pure.

A heuristic on words, without a model: it reports and never decides.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from commontrace.providers.messages import Message
from commontrace_backend.contexts.compression.facts import content_words, facts, is_negated, sentences

_ALIKE: Final = 0.75  # share of the words of the shorter statement that the other one has
_FEWEST: Final = 2  # words that both must be about
_MOST: Final = 2_000  # statements of a side that are looked at, the newest
_REPORTED: Final = 50


@dataclass(frozen=True, slots=True)
class _Statement:
    text: str
    about: frozenset[str]
    denied: bool
    numbers: frozenset[str]


def contradictions(ours: Sequence[Message], theirs: Sequence[Message]) -> list[str]:
    """Pairs of statements that do not agree, in words; at most fifty.

    Two statements are about the same if the one with fewer content words (two at least) has three quarters of them in
    common with the other; they contradict each other if just one is negated, or if both give numbers and none is the
    same. Only what people and models say is compared, not what tools printed.
    """
    mine = _statements(ours)
    by_word: dict[str, list[int]] = defaultdict(list)
    for place, statement in enumerate(mine):
        for word in statement.about:
            by_word[word].append(place)
    found = []
    for other in _statements(theirs):
        near = sorted({place for word in other.about for place in by_word[word]})
        found += [_worded(mine[place], other) for place in near if _disagree(mine[place], other)]
    return list(dict.fromkeys(found))[:_REPORTED]


def _statements(messages: Iterable[Message]) -> list[_Statement]:
    texts = [part["text"] for message in messages for part in message["parts"] if part["type"] == "text"]
    said = [sentence for text in texts for sentence in sentences(text)]
    made = [
        _Statement(text, _subject(text), is_negated(text), frozenset(facts("numbers", text)))
        for text in dict.fromkeys(said[-_MOST:])
    ]
    return [statement for statement in made if len(statement.about) >= _FEWEST]


def _subject(text: str) -> frozenset[str]:
    return frozenset(word for word in content_words(text) if not word[0].isdigit())


def _disagree(one: _Statement, other: _Statement) -> bool:
    common = len(one.about & other.about)
    if common < _FEWEST or common < _ALIKE * min(len(one.about), len(other.about)):
        return False
    if one.denied != other.denied:
        return True
    return bool(one.numbers and other.numbers) and one.numbers.isdisjoint(other.numbers)


def _worded(one: _Statement, other: _Statement) -> str:
    return f"ours: “{one.text}” — theirs: “{other.text}”"
