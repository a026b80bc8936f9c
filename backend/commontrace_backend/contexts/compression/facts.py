"""What a text states that a summary easily loses: names, numbers, paths, addresses, and what must not be."""

import re
from collections import Counter
from collections.abc import Iterable, Iterator
from typing import Final, Literal, get_args

Kind = Literal["names", "numbers", "paths", "urls", "negations"]
KINDS: Final[tuple[Kind, ...]] = get_args(Kind)

_URL: Final = re.compile(r"\b(?:https?|ftp|ssh|git|file|postgresql|sqlite|redis)://[^\s<>\"'`)\]}|\\]+")
_PATH: Final = re.compile(
    r"(?<![\w/.~-])(?:"
    r"(?:~|\.{1,2})?/[\w.@+-]+(?:/[\w.@+-]+)*/?"  # from the root, the home or here
    r"|[\w.@+-]+(?:/[\w.@+-]+){2,}/?"  # at least two slashes
    r"|[\w.@+-]+/[\w@+-]*\.\w{1,5}"
    r"|[A-Za-z]:\\[\w.\\-]+"
    r"|[\w-]+(?:\.[\w-]+)?\.(?:py|pyi|js|mjs|ts|tsx|jsx|rs|go|java|kt|rb|php|c|h|cc|cpp|cs|sh|sql|md|rst|txt|json|"
    r"jsonl|toml|yaml|yml|ini|cfg|conf|lock|log|csv|html|css|xml|proto|db|env)"
    r")(?![\w/])"
)
_NUMBER: Final = re.compile(r"(?<![\w.$-])[#$€£v]?-?\d+(?:[.,:_/T-]?\d+)*(?:\s?%|[a-zA-Z]{1,3}\b)?(?![\w])")
_NAME: Final = re.compile(
    r"\b[A-Za-z]\w*(?:\.[A-Za-z_]\w*)+(?:\(\))?"  # dotted
    r"|\b_*[A-Za-z][A-Za-z0-9]*(?:_[A-Za-z0-9]+)+\b(?:\(\))?"  # snake and constant case
    r"|\b[A-Za-z][a-z0-9]+(?:[A-Z][A-Za-z0-9]*)+\b|\b[A-Z]{2,}[a-z]+[A-Za-z]*\b"  # camel case
    r"|\b[A-Za-z_]\w*\(\)"
    r"|\b[A-Z]{2,}[0-9]*(?:-\d+)?\b|--[a-z][a-z-]+"  # acronyms, tickets, options
    r"|(?<=[a-z,;] )[A-Z][a-z]{2,}\b"  # capitalised within a sentence
)
_QUOTED: Final = re.compile(r"`([^`\n]{2,60})`")
_NEGATED: Final = re.compile(
    r"\b(?:not|never|no longer|cannot|without|neither|nor|avoid|forbid|forbidden|except|unless|must not|"
    r"(?:do|does|did|is|are|was|were|has|have|had|ca|wo|should|could|would|must)n['’]t)\b",
    re.IGNORECASE,
)
_SENTENCE: Final = re.compile(r"(?<=[.!?;])\s+(?=[\"'`(*A-Z0-9])")
_WORD: Final = re.compile(r"\w+")
_MARKS: Final = ".,;:!?'\"`)]}*"
_SHORT: Final = 3  # letters; shorter words bind a sentence together and say little
_LONGEST_LINE: Final = 2_000  # characters; longer ones are data, in which nothing is worded


def sentences(text: str) -> Iterator[str]:
    """The sentences of a text, line by line, without the space around them."""
    for line in text.splitlines():
        yield from (found.strip() for found in _SENTENCE.split(line[:_LONGEST_LINE]) if found.strip())


def is_negated(sentence: str) -> bool:
    """Whether a sentence says what is not, or must not be."""
    return _NEGATED.search(sentence) is not None


def facts(kind: Kind, text: str) -> Counter[str]:
    """What of this kind is in a text, with how often."""
    return Counter(_FINDERS[kind](text))


def weight(text: str) -> int:
    """How many facts a text states."""
    return sum(1 for kind in KINDS for _ in _FINDERS[kind](text))


def _urls(text: str) -> Iterator[str]:
    return (match[0].rstrip(_MARKS) for match in _URL.finditer(text))


def _paths(text: str) -> Iterator[str]:
    return (match[0].rstrip(_MARKS) for match in _PATH.finditer(_URL.sub(" ", text)))


def _numbers(text: str) -> Iterator[str]:
    plain = _PATH.sub(" ", _URL.sub(" ", text))
    return (bare_number(match[0]) for match in _NUMBER.finditer(plain))


def bare_number(text: str) -> str:
    """A number without what separates its thousands: 1,000 is 1000."""
    return re.sub(r"(?<=\d)[,_](?=\d{3}(?!\d))", "", text.rstrip(_MARKS))


def _names(text: str) -> Iterator[str]:
    plain = _PATH.sub(" ", _URL.sub(" ", text))
    yield from (match[1] for match in _QUOTED.finditer(plain))
    yield from (match[0].removesuffix("()") for match in _NAME.finditer(_QUOTED.sub(" ", plain)))


def _negations(text: str) -> Iterator[str]:
    return (sentence for sentence in sentences(text) if is_negated(sentence))


_FINDERS: Final = {"names": _names, "numbers": _numbers, "paths": _paths, "urls": _urls, "negations": _negations}


def content_words(sentence: str) -> frozenset[str]:
    """The words that a sentence is about, in small letters."""
    return frozenset(
        word for word in _WORD.findall(sentence.lower()) if len(word) > _SHORT and not _NEGATED.fullmatch(word)
    )


def says(negation: str, negated: Iterable[frozenset[str]]) -> bool:
    """Whether one of the negated sentences of a summary, by their content words, says what this one says.

    It does when it has at least half of the content words; wording changes in a summary, what it is about must not.
    """
    wanted = content_words(negation)
    return any(2 * len(wanted & words) >= len(wanted) for words in negated)
