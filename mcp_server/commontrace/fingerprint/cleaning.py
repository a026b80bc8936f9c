"""Raw output to plain lines: no colours, progress bars or log prefixes."""

import re
from functools import cache
from typing import Final

_HALF: Final = 16_384
"""Characters read at each end: compilers say the decisive thing first, everything else last."""

_LONGEST_LINE: Final = 1_000

_QUOTES: Final = str.maketrans("\u2018\u2019\u201c\u201d\u00b4`\u00a0", "'''''' ")


@cache
def _escapes() -> re.Pattern[str]:
    return re.compile(r"\x1b(?:\[[0-9;:?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)|[()][0-9A-B]|[=>78])")


@cache
def _stamp() -> re.Pattern[str]:
    """What a logger, a container or a build step writes before each line."""
    date = r"\d{4}[-/]\d\d[-/]\d\d[T ]\d\d:\d\d:\d\d(?:[.,]\d+)?(?: ?(?:Z|[+-]\d\d:?\d\d|UTC|[A-Z]{3,4}\b))?"
    writer = r"#\d{1,4} (?:\d+\.\d+s? +)?|\d+\.\d{3} +(?=\S)|[\w.-]{1,60}-\d+ +\| "
    return re.compile(rf"(?:{writer})?(?:\[?{date}\]?:?[ \t]*(?:\[\d+\] ?)?)?")


def lines_of(text: str) -> list[str]:
    """The lines of an output as a reader sees them, indentation kept."""
    if len(text) > 2 * _HALF:
        text = f"{text[:_HALF]}\n{text[-_HALF:]}"
    if "\x1b" in text:
        text = _escapes().sub("", text)
    stamp = _stamp()
    return [_shown(line, stamp) for line in text.translate(_QUOTES).split("\n")]


def _shown(line: str, stamp: re.Pattern[str]) -> str:
    """What is left on the screen of one line after its carriage returns."""
    line = line.rstrip()
    if "\r" in line:
        line = line[line.rindex("\r") + 1 :]
    if line[:1].isalnum() or line[:1] in {"#", "["}:
        found = stamp.match(line)
        line = line[found.end() :] if found else line
    return line[:_LONGEST_LINE]
