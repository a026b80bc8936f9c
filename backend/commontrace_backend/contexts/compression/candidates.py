"""What a summary may be made of: sentences, calls and lines of output, each with its section and its weight. Pure."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from commontrace.providers.messages import Message, Part, as_text
from commontrace_backend.contexts.compression.facts import content_words, is_negated, sentences, weight
from commontrace_backend.contexts.compression.turns import arguments_of, is_error_line, is_failure, result_text

ASKED, DECIDED, PROBLEMS, DONE, KNOWN = SECTIONS = ("Asked", "Decided", "Problems and fixes", "Done", "Known")
"""The headings of a summary, in order."""
FACTS = (DECIDED, PROBLEMS, KNOWN)
"""Those under which stands what holds on, whoever asked for it and however it was done."""

_LONGEST: Final = 300  # characters of a line
_ERRORS: Final = 4  # lines of one output
_FACTS: Final = 6  # that count towards the weight of a line
_LAST_RESORT: Final = -10.0  # weight of what is taken only where there is nothing else
_MARKER: Final = re.compile(r"^(?:(?:[#>*•-]+|\d{1,2}[.)])\s+)+")
_FILLER: Final = re.compile(
    r"(?i)(?:now )?(?:let me|let's|i'll|i will|i'm going to|now i|next,? i|looking at"
    r"|sure|great|perfect|okay|ok|thanks)\b"
)
_DECISION: Final = re.compile(
    r"(?i)\b(?:decid\w+|decision|chos\w+|choose|agreed|settled|we(?:'ll| will| should)? (?:use|keep|go)|instead of"
    r"|rather than|must|always|never|prefer\w*|requirement|constraint|conclusion|plan is)\b"
)
_FIX: Final = re.compile(
    r"(?i)\b(?:fix(?:ed|es)?|solved|resolved|root cause|caused? by|because|turned out"
    r"|the (?:problem|bug|issue|cause|reason)|works now|workaround|passes|passed)\b"
)
_CHANGES: Final = re.compile(r"(?i)write|edit|create|patch|replace|insert|delete|remove|move|commit|push|install")
_MAIN: Final = ("command", "cmd", "file_path", "path", "filename", "query", "pattern", "url", "code", "input")


@dataclass(frozen=True, slots=True)
class Candidate:
    """A line that a summary may have.

    Attributes:
        number: its place among the candidates, in order of the source.
        section: the heading that it stands under.
        text: one line of at most 300 characters.
        weight: how much an agent needs it.
    """

    number: int
    section: str
    text: str
    weight: float


def candidates_of(messages: Sequence[Message]) -> list[Candidate]:
    """Every line that these messages offer, each once, in order."""
    calls: dict[str, str] = {}
    found: dict[str, Candidate] = {}
    for message in messages:
        for part in message["parts"]:
            for section, text, worth in _of_part(part, message["role"], calls):
                line = _line(text)
                if line and line not in found:
                    found[line] = Candidate(len(found), section, line, worth + 0.4 * min(weight(line), _FACTS))
    return list(found.values())


def _of_part(part: Part, role: str, calls: dict[str, str]) -> Iterator[tuple[str, str, float]]:
    if part["type"] == "text":
        yield from _of_text(part["text"], asked=role != "assistant")
    elif part["type"] == "tool_call":
        calls[part["id"]] = _called(part["name"], arguments_of(part) or {"": part.get("arguments")})
        yield DONE, calls[part["id"]], 2.0 if _CHANGES.search(part["name"]) else 1.0
    elif part["type"] == "tool_result":
        yield from _of_result(part, calls.get(part["call_id"], ""))
    else:
        yield KNOWN, f"[{part['type']}]", _LAST_RESORT


def _of_text(text: str, *, asked: bool) -> Iterator[tuple[str, str, float]]:
    fenced = False
    for line in map(str.strip, text.splitlines()):
        if line.startswith("```"):
            fenced = not fenced
        elif fenced:
            yield KNOWN, line, _LAST_RESORT
        else:
            yield from (_of_sentence(said, asked=asked) for said in sentences(_MARKER.sub("", line)))


def _of_sentence(sentence: str, *, asked: bool) -> tuple[str, str, float]:
    negated = 1.5 if is_negated(sentence) else 0.0
    if asked:
        return ASKED, sentence, (3.0 if len(content_words(sentence)) > 1 else 0.3) + negated
    if _FILLER.match(sentence) or sentence.endswith(":"):
        return KNOWN, sentence, 0.1
    if _FIX.search(sentence) or is_error_line(sentence):
        return PROBLEMS, sentence, 3.0 + negated
    if _DECISION.search(sentence):
        return DECIDED, sentence, 3.0 + negated
    return KNOWN, sentence, 0.6 + negated


def _of_result(part: Part, call: str) -> Iterator[tuple[str, str, float]]:
    lines = [line for line in result_text(part).splitlines() if line.strip()]
    errors = [line for line in lines if is_error_line(line)][-_ERRORS:]
    failed = is_failure(part)
    if failed and call:
        yield PROBLEMS, f"{call}: failed", 1.5
    for line in errors:
        yield PROBLEMS, line, 2.5 if failed else 1.2
    # The end of what a command printed sums it up; what is indented is the end of a file.
    if lines and lines[-1] not in errors and (failed or not lines[-1][0].isspace()):
        yield (PROBLEMS, lines[-1], 2.5) if failed else (KNOWN, lines[-1], 0.5)


def _called(name: str, arguments: Mapping[str, object]) -> str:
    """The tool and what says most about the call."""
    main = next((arguments[field] for field in _MAIN if arguments.get(field)), None)
    said = as_text(main if main is not None else next(iter(arguments.values()), None) or "")
    return f"{name} {said}"


def _line(text: str) -> str:
    line = " ".join(text[: 2 * _LONGEST].split())
    return line if len(line) <= _LONGEST else line[:_LONGEST].rsplit(" ", 1)[0] + " …"
