"""A summary without a model: the sentences and lines that an agent needs again, taken word for word. Pure.

Every line is weighed by what it is (an order, a decision, an error, a fix) and by the facts that it states; the best by
weight for their tokens are taken until the target is reached, none that says again what one before it said. The same
messages give the same summary.
"""

from collections.abc import Callable, Sequence
from typing import Final

from commontrace.errors import InvalidInputError
from commontrace.patterns import missing_keeps
from commontrace.providers.messages import Message, text_of
from commontrace_backend.contexts.compression.candidates import KNOWN, SECTIONS, Candidate, candidates_of
from commontrace_backend.contexts.compression.facts import content_words

Count = Callable[[str], int]

_LEAST: Final = 0.6  # weight; what is less is left out even where there is room
_REPEATED: Final = 0.7  # share of the content words of a line that one before it has
_FRAME: Final = 8  # tokens added to a line's, so that short ones do not win by their shortness alone


def summarize_extractive(
    messages: Sequence[Message],
    target_tokens: int,
    count: Count,
    keep: Sequence[str] = (),
    sections: Sequence[str] = SECTIONS,
) -> str:
    """Summarise messages by what they say themselves.

    Args:
        messages: canonical, in order.
        target_tokens: the most that the summary may have; it never has more than its source either.
        count: the tokens of a text.
        keep: must-keep patterns, as `commontrace.patterns` reads them; what they find is in the summary.
        sections: the headings that it may have; others only where there is nothing for these.

    Raises:
        InvalidInputError: there is nothing to summarise, or too little room for one line or for what must be kept.
    """
    texts = [text_of(message) for message in messages]
    room = min(target_tokens, sum(count(text) for text in texts))
    offered = candidates_of(messages)
    found = [line for line in offered if line.section in sections] or offered
    kept = _kept(found, missing_keeps(texts, "", keep), room, count)
    chosen = _chosen(kept, found, room, count)
    text = _written(chosen) or _cut(found, room, count)
    if not text:
        raise InvalidInputError(
            f"{len(messages)} messages cannot be summarised in {max(room, 0)} tokens.",
            "Give a larger target_tokens, or name messages that say more.",
        )
    return text


def _kept(found: Sequence[Candidate], values: Sequence[str], room: int, count: Count) -> list[Candidate]:
    """Lines that hold what must be kept: with what was said around it where there is room, else bare."""
    worded: list[Candidate] = []
    bare = [Candidate(len(found) + number, KNOWN, value, 0) for number, value in enumerate(values)]
    for alone in bare:
        if not any(alone.text in line.text for line in worded):
            worded.append(next((line for line in found if alone.text in line.text), alone))
    if count(_written(worded)) <= room:
        return worded
    needed = count(_written(bare))
    if needed > room:
        raise InvalidInputError(
            f"What must be kept needs {needed} tokens alone, and the summary may have {room}.",
            "Give a larger target_tokens, narrower patterns, or keep the messages.",
        )
    return bare


def _chosen(kept: Sequence[Candidate], found: Sequence[Candidate], room: int, count: Count) -> list[Candidate]:
    """What must be in, then the best until the room is used."""
    tokens = {line.number: count(f"- {line.text}\n") for line in found}
    headings = {section: count(f"{section}:\n") for section in SECTIONS}
    worth = [line for line in found if line.weight >= _LEAST]
    best = sorted(worth, key=lambda line: (-line.weight / (tokens[line.number] + _FRAME) ** 0.5, line.number))
    chosen = list(kept)
    used = count(_written(chosen))
    said = [content_words(line.text) for line in chosen]
    for line in best:
        heading = 0 if any(other.section == line.section for other in chosen) else headings[line.section]
        needed = used + tokens[line.number] + heading
        words = content_words(line.text)
        repeated = line in chosen or (words and any(len(words & other) >= _REPEATED * len(words) for other in said))
        if needed <= room and not repeated:
            chosen.append(line)
            said.append(words)
            used = needed
    while len(chosen) > len(kept) and count(_written(chosen)) > room:
        chosen.pop()
    return chosen


def _written(lines: Sequence[Candidate]) -> str:
    """Under their headings, in the order of the source."""
    ordered = sorted(lines, key=lambda line: line.number)
    blocks = ((section, [line.text for line in ordered if line.section == section]) for section in SECTIONS)
    return "\n".join("\n".join((f"{section}:", *(f"- {text}" for text in texts))) for section, texts in blocks if texts)


def _cut(found: Sequence[Candidate], room: int, count: Count) -> str:
    """The start of the weightiest line, where not one fits whole; empty if nothing fits."""
    text = max(found, key=lambda line: line.weight).text if found else ""
    while text and count(text) > room:
        text = text[: len(text) * 3 // 4]
    return text.rstrip()
