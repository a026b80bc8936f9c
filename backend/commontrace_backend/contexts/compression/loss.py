"""What a summary does not say that its source said. Pure."""

import re
from collections import Counter
from collections.abc import Sequence
from typing import Final

from commontrace.models.contexts.compression import Loss, LossReport
from commontrace.patterns import missing_keeps, values_of
from commontrace.providers.messages import Message, Part, as_text, text_of
from commontrace_backend.contexts.compression.facts import (
    KINDS,
    Kind,
    bare_number,
    content_words,
    facts,
    is_negated,
    says,
    sentences,
)
from commontrace_backend.contexts.compression.turns import is_error_line, result_text

_EXAMPLES: Final = 20
_LONGEST: Final = 200  # characters of an example
_READ: Final = 200_000  # characters of a message; what is longer is data
_LINE: Final = 2_000  # characters of a line that a tool printed
_WORDISH: Final = re.compile(r"\w")


def losses(messages: Sequence[Message], summary: str, keep: Sequence[str] = ()) -> LossReport:
    """Compare a summary with the messages that it stands for.

    Of what tools printed only the lines that tell of errors are asked for: nobody misses every name in a file. A name,
    path or address is kept if the summary has it as a word of its own, a number also with or without what separates its
    thousands, a negation if a negated sentence has at least half of its content words.

    Args:
        messages: canonical; what the summary stands for.
        summary: its text.
        keep: must-keep patterns, as `commontrace.patterns` reads them; these are looked for in everything.

    Raises:
        InvalidInputError: a pattern is empty, or no expression of RE2's.
    """
    sources = [_worded(message)[:_READ] for message in messages]
    found = {kind: _loss(kind, sources, summary) for kind in KINDS}
    texts = [text_of(message) for message in messages]
    wanted = Counter(value for text in texts for pattern in keep for value in values_of(pattern, text))
    return LossReport(**found, keeps=_reported(wanted, missing_keeps(texts, summary, keep)))


def _worded(message: Message) -> str:
    """What people and models said in a message, and the errors that tools printed."""
    return "\n".join(_words_of(part) for part in message["parts"])


def _words_of(part: Part) -> str:
    if part["type"] == "text":
        return str(part["text"])
    if part["type"] == "tool_call":
        return as_text(part.get("arguments") or "")
    if part["type"] == "tool_result":
        return "\n".join(line[:_LINE] for line in result_text(part).splitlines() if is_error_line(line))
    return ""


def _loss(kind: Kind, sources: Sequence[str], summary: str) -> Loss:
    said = sum((facts(kind, source) for source in sources), Counter[str]())
    if kind == "negations":
        negated = [content_words(sentence) for sentence in sentences(summary) if is_negated(sentence)]
        return _reported(said, [sentence for sentence in said if not says(sentence, negated)])
    where = bare_number(summary) if kind == "numbers" else summary
    return _reported(said, [fact for fact in said if not _has(where, fact)])


def _has(text: str, fact: str) -> bool:
    """Whether a text has a fact as a word of its own: 12 is not in 1,234."""
    start = text.find(fact)
    while start >= 0:
        before, after = text[start - 1 : start], text[start + len(fact) : start + len(fact) + 1]
        if not (_joins(before, fact[0]) or _joins(after, fact[-1])):
            return True
        start = text.find(fact, start + 1)
    return False


def _joins(outside: str, inside: str) -> bool:
    return bool(_WORDISH.match(outside) and _WORDISH.match(inside))


def _reported(said: Counter[str], missing: Sequence[str]) -> Loss:
    order = sorted(missing, key=lambda fact: -said[fact])
    return Loss(
        total=len(said),
        lost=len(missing),
        share_kept=1 - len(missing) / len(said) if said else 1,
        examples=[fact[:_LONGEST] for fact in order[:_EXAMPLES]],
    )
