"""Text that says something else than it shows: letters that look like others, words out of sight."""

import re
import unicodedata
from collections.abc import Iterator
from typing import Final

_LOOKALIKES: Final = dict(
    zip(
        "аеорсухіјѕԁһӏԛԝѵАВЕКМНОРСТУХІЈЅΑΒΕΖΗΙΚΜΝΟΡΤΥΧοντιɡıʀɴɪ",
        "aeopcyxijsdhlqwvABEKMHOPCTYXIJSABEZHIKMNOPTYXovtigirni",
        strict=True,
    )
)
_CYRILLIC_OR_GREEK: Final = "".join(char for char in _LOOKALIKES if char >= "\u0370")
_MARK: Final = "[\u0300-\u036f\u0483-\u0489\u1ab0-\u1aff\u1dc0-\u1dff\u20d0-\u20dc]"
_SHAPED: Final = (
    "\uff21-\uff3a\uff41-\uff5a\u24b6-\u24e9\U0001d400-\U0001d7cb\U0001f130-\U0001f149\U0001f150-\U0001f169"
)

_Rules = tuple[tuple[str, float, re.Pattern[str]], ...]


def _rules(*rows: tuple[str, float, str]) -> _Rules:
    return tuple((reason, score, re.compile(pattern, re.IGNORECASE | re.MULTILINE)) for reason, score, pattern in rows)


_HOST: Final = "a host name in disguise"
_FOREIGN_RULES: Final = _rules(
    (
        "letters of another alphabet inside a word",
        0.6,
        f"[a-z][{_CYRILLIC_OR_GREEK}]{{1,20}}[a-z]|(?<![^\\W\\d_])[{_CYRILLIC_OR_GREEK}]{{1,20}}[a-z]{{2}}",
    ),
    ("letters that only look like letters", 0.4, f"[{_SHAPED}]{{3}}"),
    ("letters under stacks of marks", 0.4, f"(?:[^\\W_]? ?{_MARK}{{2,9}}){{4}}|(?:[^\\W_][\u0334-\u0338]){{4}}"),
    ("code indented by other spaces than code has", 0.2, "^[\u00a0\u2000-\u200a\u202f\u205f\u3000]{2}"),
    (_HOST, 0.5, r"https?://[^\s/?#]{0,100}[^\x00-\x7f\s/?#]"),
)
_RULES: Final = _rules(
    (_HOST, 0.5, r"\bxn--[a-z0-9]"),
    (
        "text pushed out of sight",
        0.5,
        (
            r"[^\S\n](?<![^\S\n][^\S\n])[^\S\n]{199,}+\S"  # a run of spaces is walked once, from where it begins
            r"|\s(?<!\s\s)[^\S\n]*+(?:\n[^\S\n]*+){39,}+\S"
        ),
    ),
    ("an HTML comment", 0.3, r"<!--[^\w>]{0,200}\w"),
    (
        "a hidden HTML element",
        0.6,
        (
            r"<\w[^<>]{0,200}\b(?:display\s{0,3}:\s{0,3}none|visibility\s{0,3}:\s{0,3}hidden|font-size\s{0,3}:\s{0,3}0(?![.\d])"
            r"|opacity\s{0,3}:\s{0,3}0(?![.\d]))"
        ),
    ),
    ("a Markdown comment", 0.5, r"^[ \t]{0,3}\[[^\]\n]{1,40}\]:[ \t]{1,4}#\w{0,20}[ \t]{1,4}[(\"'][^\n]{3}"),
    ("a title of a link that speaks to the reader", 0.5, r"\]\([^\s)]{1,300} [\"'](?:assistant|system|agent|ai)\b"),
    ("a page inside an address", 0.5, r"\bdata:(?:text/html|application/(?:javascript|xhtml\+xml)|image/svg\+xml)[;,]"),
)


def disguises(text: str) -> Iterator[tuple[str, float]]:
    """Why a text may not say what it shows, and how telling that is (0 to 1)."""
    for reason, score, pattern in _RULES if text.isascii() else _RULES + _FOREIGN_RULES:
        if pattern.search(text):
            yield reason, score


def undisguised(text: str) -> str:
    """A text as it looks: shaped and foreign letters become those they resemble, marks fall away (NFKD)."""
    if text.isascii():
        return text
    # One character at a time: the order of a stack of marks costs the square of its height.
    parts = (part for char in text for part in unicodedata.normalize("NFKD", char) if not unicodedata.combining(part))
    return "".join(_LOOKALIKES.get(part, part) for part in parts)
