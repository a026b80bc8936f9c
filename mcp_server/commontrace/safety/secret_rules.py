"""The rules for secrets that are kept as data, run by RE2: linear time whatever the text and the rule."""

import functools
import re
import tomllib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib.resources import files
from typing import Any, Final

from commontrace.safety.keywords import Keywords
from commontrace.safety.placeholders import is_placeholder, is_technical
from commontrace.safety.randomness import entropy, jumble
from commontrace.safety.re2s import Match, compiled

_FILES: Final = ("own.toml", "gitleaks.toml")
_LAST: Final = ("generic-api-key", "prefixed-token")
"""The rules that know least about what they find name it only where no other rule does."""
_HASHED: Final = re.compile(r"(?:sha\d{1,3}|md5)[:=-]\Z")
_REPLACED: Final = frozenset(("curl-auth-user", "hashicorp-tf-password", "jwt"))
"""Our own rules for the same find the secret without what stands beside it."""
_QUOTES: Final = "\"'`\\"
_AFTER: Final = r"""(?:[\x60'"\s;]|\\[nr]|$)"""
_AFTER_IN_TEXT: Final = r"""(?:[\x60'"\s;,&)\]}<>#|*:!?\x00]|\\|%[0-9A-F]{2}|\.\s|\.$|$)"""
"""What follows a token: in a file, and in anything that people write."""
_BEFORE: Final = "\\b("
_BEFORE_IN_TEXT: Final = r"(?:\b|\\[nrt]|%[0-9A-F]{2}|_)("


@dataclass(frozen=True, slots=True)
class _Allowed:
    """What a rule may find without its being a secret."""

    target: str
    regexes: tuple[str, ...]
    stopwords: tuple[str, ...]

    def covers(self, value: str, match: str, line: str) -> bool:
        """Whether a value, or the match or line it stands in, is of this kind."""
        where = {"match": match, "line": line}.get(self.target, value)
        small = value.lower()
        return any(compiled(regex).search(where.encode("ascii", "replace")) for regex in self.regexes) or any(
            word in small for word in self.stopwords
        )


@dataclass(frozen=True, slots=True)
class _Rule:
    type: str
    keywords: tuple[str, ...]
    regex: str
    group: int
    entropy: float
    check: str
    allowed: tuple[_Allowed, ...]

    def holds(self, value: str, match: str, line: str) -> bool:
        """Whether a value is somebody's secret and no example of one."""
        return (
            (not self.entropy or entropy(value) > self.entropy)
            and _CHECKS[self.check](value)
            and not any(allowed.covers(value, match, line) for allowed in self.allowed)
        )


def found_in(text: str) -> Iterator[tuple[int, int, str]]:
    """Start, end and type of each secret; character offsets. Those of one rule come in order and apart."""
    flat = text.encode("ascii", "replace")  # one byte a character, so that offsets are characters
    for number in _keywords().rules(text):
        rule = _rules()[number]
        for match in compiled(rule.regex).finditer(flat):
            start, end = _bare(text, *_secret(match, rule))
            vague = rule.type.endswith(_LAST) and _HASHED.search(text[max(0, start - 12) : start])
            if not vague and rule.holds(text[start:end], text[slice(*match.span())], _line(text, start, end)):
                yield start, end, rule.type


def _secret(match: Match, rule: _Rule) -> tuple[int, int]:
    """The span of the group that a rule names, else of the first one that took part, else of the match."""
    if rule.group:
        return match.span(rule.group)
    groups = (match.span(number) for number in range(1, compiled(rule.regex).groups + 1))
    return next((span for span in groups if span[1] > span[0]), match.span())


def _bare(text: str, start: int, end: int) -> tuple[int, int]:
    """A span without the quotes around what it holds."""
    value = text[start:end]
    return end - len(value.lstrip(_QUOTES)), start + len(value.rstrip(_QUOTES))


def _line(text: str, start: int, end: int) -> str:
    stop = text.find("\n", end)
    return text[text.rfind("\n", 0, start) + 1 : stop if stop >= 0 else len(text)]


@functools.cache
def _rules() -> tuple[_Rule, ...]:
    folder = files("commontrace.safety") / "rules"
    return tuple(
        sorted(
            (
                _rule(row, everywhere)
                for name in _FILES
                for row, everywhere in _rows((folder / name).read_text("utf-8"))
            ),
            key=lambda rule: rule.type.endswith(_LAST),
        )
    )


@functools.cache
def _keywords() -> Keywords:
    return Keywords([rule.keywords for rule in _rules()])


def _rows(document: str) -> Iterator[tuple[dict[str, Any], list[dict[str, Any]]]]:
    """The rules of a file that look at text, each with what the file allows everywhere."""
    parsed = tomllib.loads(document)
    everywhere = [parsed["allowlist"]] if "allowlist" in parsed else []
    yield from ((row, everywhere) for row in parsed["rules"] if "regex" in row and row["id"] not in _REPLACED)


def _rule(row: dict[str, Any], everywhere: list[dict[str, Any]]) -> _Rule:
    return _Rule(
        type=f"secret:{row['id']}",
        keywords=tuple(row["keywords"]),
        regex=_anywhere(row["regex"]),
        group=row.get("secretGroup", 0),
        entropy=row.get("entropy", 0.0),
        check=row.get("check", "token"),
        # A list that is allowed in some files only says nothing about a text that is no file.
        allowed=tuple(
            _allowed(item) for item in [*everywhere, *row.get("allowlists", [])] if item.get("condition") != "AND"
        ),
    )


def _anywhere(regex: str) -> str:
    """A rule for files of code, so that it also finds what stands in prose, addresses, Markdown and escaped text."""
    regex = regex.replace(_AFTER, _AFTER_IN_TEXT)
    return regex.replace(_BEFORE, _BEFORE_IN_TEXT, 1) if regex.removeprefix("(?i)").startswith(_BEFORE) else regex


def _allowed(row: dict[str, Any]) -> _Allowed:
    return _Allowed(
        target=row.get("regexTarget", "secret"),
        regexes=tuple(row.get("regexes", ())),
        stopwords=tuple(row.get("stopwords", ())),
    )


def _token(value: str) -> bool:
    return not is_placeholder(value)


def _password(value: str) -> bool:
    """Letters together with digits or signs: a word of prose or a name in code is no password."""
    if is_technical(value):
        return False
    return _token(value) and bool(re.search(r"[A-Za-z]", value)) and bool(re.search(r"[0-9!@#$%^&*?~]", value))


def _strong(value: str) -> bool:
    """Small and capital letters and digits in no order that a word has."""
    kinds = sum(bool(re.search(kind, value)) for kind in (r"[a-z]", r"[A-Z]", r"[0-9]", r"[!@#$%^&*?~]"))
    return _password(value) and (kinds > 2 or len(re.findall(r"\d", value)) > 3)  # noqa: PLR2004 - "utf8", "sha256"


def _random(value: str) -> bool:
    """As strong, and not a name with a number: digits at two places, or signs that names do not hold."""
    return _strong(value) and (len(re.findall(r"\d+", value)) > 1 or bool(re.search(r"[!#$%^&*?~@].*\w", value)))


_JUMBLED: Final = 0.3


def _jumbled(value: str) -> bool:
    """As random, and its characters change kind as often as those of a drawn key."""
    return _strong(value) and jumble(value) > _JUMBLED


_CHECKS: Final[dict[str, Callable[[str], bool]]] = {
    "none": lambda _: True,
    "token": _token,
    "password": _password,
    "strong": _strong,
    "random": _random,
    "jumbled": _jumbled,
}
