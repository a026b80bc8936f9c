"""Secrets and personal data replaced in place by typed markers."""

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Final

from commontrace.safety.keywords import Keywords
from commontrace.safety.nearby import values_near
from commontrace.safety.redaction_rules import RULES
from commontrace.safety.secret_rules import found_in
from commontrace.safety.views import decoded, views

_MARKER: Final = re.compile(r"\[redacted (?:secret|pii):[a-z0-9-]{1,60}\]")
_KEYWORDS: Final = Keywords([rule.keywords for rule in RULES])
_LOGIN: Final = re.compile(r"[\w.@+-]{2,60}:(?=\S*[0-9])(?=\S*[A-Za-z])\S{6,100}")
_LAST: Final = 10_000
"""The rank of what is known to hold a secret and not which."""
_PASSES: Final = 5
"""Taking one secret out can bare another. Only texts made for it need more than two passes."""


@dataclass(frozen=True, slots=True)
class Found:
    """What was redacted and where: character offsets into the text that was given."""

    type: str
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Redacted:
    """The text with markers in place of what was found."""

    text: str
    found: tuple[Found, ...]


def redact(text: str) -> Redacted:
    """Replace every secret and personal datum by `[redacted TYPE]`. Redacting twice changes nothing."""
    found: list[Found] = []
    masked = _MARKER.sub(lambda match: _mask(len(match[0])), text)
    for _ in range(_PASSES):
        new = _merged(sorted(_all_matches(masked)))
        if not new:
            break
        masked = "".join(_pieces(masked, new, lambda item: _mask(item.end - item.start)))
        found += new
    found.sort(key=lambda item: item.start)
    return Redacted("".join(_pieces(text, found, lambda item: f"[redacted {item.type}]")), tuple(found))


def _mask(length: int) -> str:
    return "\0" * length


def _pieces(text: str, found: Iterable[Found], stand_in: Callable[[Found], str]) -> Iterator[str]:
    position = 0
    for item in found:
        yield text[position : item.start]
        yield stand_in(item)
        position = item.end
    yield text[position:]


def _all_matches(text: str) -> Iterator[tuple[int, int, int, str]]:
    """What fits the text, what fits other readings of it, and what a run of base64 hides."""
    yield from _matches(text)
    for view in views(text):
        for start, end, rank, kind in _matches(view.text):
            place = view.origin(start, end)
            if place is not None:
                yield *place, rank, kind
    for start, end, said in decoded(text):
        if _LOGIN.fullmatch(said) or any(kind.startswith("secret:") for *_, kind in _matches(said)):
            yield start, end, _LAST, "secret:encoded"


def _matches(text: str) -> Iterator[tuple[int, int, int, str]]:
    """Start, end, rank and type of everything that fits; of two that overlap the lower rank names it."""
    for rank in _KEYWORDS.rules(text):
        rule = RULES[rank]
        group = "value" if "value" in rule.pattern.groupindex else 0
        for match in rule.pattern.finditer(text):
            if rule.holds(match[group]):
                yield match.start(group), match.end(group), rank, rule.type
    for rank, (start, end, kind) in enumerate(found_in(text), len(RULES)):
        yield start, end, rank, kind
    yield from ((start, end, _LAST, "secret:nearby-value") for start, end in values_near(text))


def _merged(matches: Iterable[tuple[int, int, int, str]]) -> list[Found]:
    """Matches that overlap become one, of the type that the rules name first."""
    spans: list[tuple[int, int, int, str]] = []
    for start, end, rank, kind in matches:
        if spans and start < spans[-1][1]:
            first, last, before, name = spans[-1]
            spans[-1] = (first, max(last, end), *min((before, name), (rank, kind)))
        else:
            spans.append((start, end, rank, kind))
    return [Found(kind, start, end) for start, end, _, kind in spans]
