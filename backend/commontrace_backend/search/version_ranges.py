"""Version ranges as package managers and people write them: PEP 440, npm, Cargo, Go and plain words. Pure.

Sources: PEP 440 (by `packaging`); npm's node-semver; "Specifying Dependencies" of the Cargo book; Go's minimal version
selection. Two readings are ours, because a trace says where it applies and no resolver obeys it: a pre-release counts
by its place in the order, and never as the version that ends a range (2.0.0-beta is not below 2).
"""

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import lru_cache
from typing import Final, Literal, NamedTuple

from packaging.specifiers import InvalidSpecifier, SpecifierSet
from packaging.version import InvalidVersion
from packaging.version import Version as PythonVersion

Ecosystem = Literal["python", "npm", "cargo", "go", "plain"]
"""Whose rules a range is read by; plain is everybody else's: PEP 440 where it is that, else what all have in common."""

_LONGEST: Final = 200
_FULL: Final = 3  # parts of a whole version; one with fewer may be short for every version that begins so

_REST: Final = r"(?P<rest>[-._]?(?![xX](?:\Z|[\s,|.]))[a-zA-Z][\w.-]*|-[\w.-]+)?(?:\+[\w.-]*)?"
_WRITTEN: Final = rf"v?(?P<release>\d+(?:\.\d+)*)(?P<wild>(?:\.[xX*])+)?{_REST}|[xX*](?:\.[xX*])*"
_VERSION: Final = re.compile(rf"[\s=v]*(?:\d+!)?(?P<release>\d+(?:\.\d+)*){_REST}\s*\Z")
_COMPARATOR: Final = re.compile(rf"(?P<operator>\^|~>|~=|~|[<>]=?|===?|=|!==?)?\s*(?:{_WRITTEN})(?:[\s,]+|\Z)")
_PARTIAL: Final = re.compile(_WRITTEN)
_EITHER: Final = re.compile(r"\s*\|\|?\s*|\s+or\s+")
_TO: Final = re.compile(r"\s+-\s+|\s*[–—]\s*|\s+to\s+|(?<=[\dxX*])-(?=\d[\d.xX*]*\Z)")
_NUMBERED: Final = re.compile(r"v?\d+\.\d+\.\d+-\d+")  # 1.2.3-4 is one pre-release, not a span
_SIGNS: Final = str.maketrans({"≥": ">=", "≤": "<=", "≠": "!="})
_TOKEN: Final = re.compile(r"\d+|[a-z]+")
_AFTER: Final = re.compile(r"[-._]?(?:post|rev|r\d)", re.IGNORECASE)

_Parts = tuple[int, ...]


class _Key(NamedTuple):
    """A place in the order of versions: the release, then pre-release (-1), itself (0) or after it (1)."""

    release: _Parts
    stage: int = 0
    tokens: tuple[tuple[int, int, str], ...] = ()


class _Interval(NamedTuple):
    """The versions from `low`, which is one of them, to `high`, which is not."""

    low: _Key
    high: _Key


_Intervals = tuple[_Interval, ...]

_LOWEST: Final = _Key((), -2)
_HIGHEST: Final = _Key((10**_LONGEST,), 2)  # no text within the limit names a higher one
_ALL: Final = _Interval(_LOWEST, _HIGHEST)


@dataclass(frozen=True, slots=True)
class Version:
    """A version that somebody has: its parts as written, its place in the order, and PEP 440's view of it."""

    parts: _Parts
    key: _Key
    python: PythonVersion | None

    @property
    def span(self) -> _Interval | None:
        """Every version that this may be short for, as 3.11 is for 3.11.9; None for a whole one."""
        short = len(self.parts) < _FULL and not self.key.stage
        return _Interval(self.key, _next(self.parts, len(self.parts) - 1)) if short else None


@dataclass(frozen=True, slots=True)
class Range:
    """The versions that a text speaks of."""

    text: str
    ecosystem: Ecosystem
    python: SpecifierSet | None

    def holds(self, version: Version) -> bool | None:
        """Whether a version is one of them; None where a short one (3.11) is in some and out in others."""
        if self.python is not None and version.python is not None:
            inside = self.python.contains(version.python, prereleases=True)
        else:
            inside = any(low <= version.key < high for low, high in _intervals(self.text, self.ecosystem))
        if inside:
            return True
        span = version.span
        some = span and any(low < span.high and span.low < high for low, high in _intervals(self.text, self.ecosystem))
        return None if some else False


@lru_cache(maxsize=16_384)
def parse_version(text: str) -> Version | None:
    """A version as in `2.11.3`, `v1.22`, `==3.0rc1`, `1.0.0-beta.2`; None for anything else."""
    found = _VERSION.match(text) if len(text) <= _LONGEST else None
    if found is None:
        return None
    try:
        python = PythonVersion(text.lstrip("=v "))
    except InvalidVersion:
        python = None
    parts = _parts(found["release"])
    return Version(parts, _key(parts, found["rest"]), python)


@lru_cache(maxsize=16_384)
def parse_range(text: str, ecosystem: Ecosystem = "plain") -> Range | None:
    """The range that a text stands for by the rules of an ecosystem; None where it is none."""
    if len(text) > _LONGEST:
        return None
    text = text.translate(_SIGNS).strip()
    python = _python(text) if ecosystem in {"python", "plain"} else None
    return Range(text, ecosystem, python) if python is not None or _intervals(text, ecosystem) else None


def _python(text: str) -> SpecifierSet | None:
    try:
        return SpecifierSet(text) or None
    except InvalidSpecifier:
        return None


@lru_cache(maxsize=16_384)
def _intervals(text: str, ecosystem: Ecosystem) -> _Intervals:
    """Every stretch of versions in a range; none where the text is no range."""
    found: list[_Interval] = []
    for alternative in _EITHER.split(text):
        some = _span(alternative)
        if some is None:
            some = _together(alternative, ecosystem)
        if not some:
            return ()
        found += some
    return tuple(found)


def _span(text: str) -> _Intervals | None:
    """`2.10-2.12`, `2.10 – 2.12`, `1.0.0-rc.1 - 1.2`: from one to another, both included; `3.11+`: and later.

    None for what is no span at all; nothing for one that ends before it begins.
    """
    if text.endswith("+") and (later := _PARTIAL.fullmatch(text[:-1])):
        return (_Interval(_same(later).low, _HIGHEST),)
    ends = [_PARTIAL.fullmatch(end) for end in _TO.split(text)]
    if len(ends) != 2 or not ends[0] or not ends[1] or _NUMBERED.fullmatch(text):  # noqa: PLR2004 - from and to
        return None
    low, high = _same(ends[0]).low, _same(ends[1]).high
    return (_Interval(low, high),) if low < high else ()


def _together(text: str, ecosystem: Ecosystem) -> _Intervals:
    """Comparators, all of which must hold; versions alone are a list of those that it is about."""
    found, position = [], 0
    while position < len(text):
        match = _COMPARATOR.match(text, position)
        if match is None:
            return ()
        found.append(match)
        position = match.end()
    if not found:
        return ()
    each = [_comparator(match, ecosystem) for match in found]
    if ecosystem != "cargo" and not any(match["operator"] for match in found):
        return tuple(interval for intervals in each for interval in intervals)
    kept: _Intervals = (_ALL,)
    for intervals in each:
        kept = _both(kept, intervals)
    return kept


def _both(ours: Iterable[_Interval], theirs: _Intervals) -> _Intervals:
    met = (_Interval(max(a.low, b.low), min(a.high, b.high)) for a in ours for b in theirs)
    return tuple(interval for interval in met if interval.low < interval.high)


def _comparator(match: re.Match[str], ecosystem: Ecosystem) -> _Intervals:
    same = _same(match)
    if same is _ALL:  # * and x
        return (_ALL,)
    operator = match["operator"] or ("" if match["wild"] else _BARE.get(ecosystem, ""))
    if operator in {"!=", "!=="}:
        return _Interval(_LOWEST, same.low), _Interval(same.high, _HIGHEST)
    parts = _parts(match["release"])
    if operator in _KEPT:
        return (_Interval(same.low, _next(parts, _KEPT[operator](parts))),)
    if operator[:1] in {"<", ">"}:
        return (_one_sided(operator, same, exact=len(parts) >= _FULL or bool(same.low.stage)),)
    return (same,)


def _first_that_counts(parts: _Parts) -> int:
    return next((index for index, part in enumerate(parts) if part), len(parts) - 1)


def _last_but_one(parts: _Parts) -> int:
    return max(0, len(parts) - 2)


def _minor(parts: _Parts) -> int:
    return min(1, len(parts) - 1)


_BARE: Final = {"cargo": "^", "go": ">="}
"""What a version without an operator means; elsewhere it is every version that begins so."""

_KEPT: Final[dict[str, Callable[[_Parts], int]]] = {
    "^": _first_that_counts,
    "~": _minor,
    "~>": _last_but_one,
    "~=": _last_but_one,
}
"""Which part is raised in the first version outside of the range."""


def _one_sided(operator: str, same: _Interval, *, exact: bool) -> _Interval:
    """A short version stands for all that begin so: `>1.2` begins with 1.3, `<=1.2` takes 1.2.9."""
    low, high = same
    if operator == ">=":
        return _Interval(low, _HIGHEST)
    if operator == "<":
        return _Interval(_LOWEST, low if low.stage else _Key(low.release, -1))
    end = _after(low) if exact else high
    return _Interval(_LOWEST, end) if operator == "<=" else _Interval(end, _HIGHEST)


def _same(match: re.Match[str]) -> _Interval:
    """The versions that begin as the written one: 1.2 and 1.2.x hold 1.2.9; one with a pre-release holds itself."""
    if match["release"] is None:
        return _ALL
    parts = _parts(match["release"])
    key = _key(parts, match["rest"])
    return _Interval(key, _after(key) if key.stage else _next(parts, len(parts) - 1))


def _after(key: _Key) -> _Key:
    """The place right behind a version: nothing fits between the two."""
    return _Key(key.release, key.stage, (*key.tokens, (-1, 0, "")))


def _next(parts: _Parts, index: int) -> _Key:
    """The place before the release with one part raised, and before all its pre-releases."""
    return _Key((*parts[:index], parts[index] + 1), -1)


def _parts(release: str) -> _Parts:
    return tuple(map(int, release.split(".")))


def _key(parts: _Parts, rest: str | None) -> _Key:
    end = len(parts)
    while end > 1 and not parts[end - 1]:
        end -= 1
    if not rest:
        return _Key(parts[:end])
    tokens = tuple((0, int(token), "") if token.isdigit() else (1, 0, token) for token in _TOKEN.findall(rest.lower()))
    return _Key(parts[:end], 1 if _AFTER.match(rest) else -1, tokens)
