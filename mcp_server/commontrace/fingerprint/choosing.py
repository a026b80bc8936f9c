"""Which lines of an output say what failed: each family of tools has one place where it says so."""

import re
from collections.abc import Iterable
from functools import cache
from itertools import pairwise

from commontrace.fingerprint import details
from commontrace.fingerprint.kinds import ALWAYS, LOCATED, NOISE, OFTEN, SUMMARY, TYPED


@cache
def compiled(pattern: str) -> re.Pattern[str]:
    """A pattern, made ready at first use: nobody pays for it who never asks for a fingerprint."""
    return re.compile(pattern)


def decisive(lines: list[str]) -> list[str]:
    """The line that says what failed, with the lines that complete it; empty if there is none."""
    for family in (_pytest, _npm, _located, _panic, _traceback, _jest, _stack, _go_test, _resolver):
        found = family(lines)
        if found:
            return found
    return _plain(lines)


def _first(lines: Iterable[str], pattern: str) -> tuple[int, str]:
    match = compiled(pattern).match
    return next(((number, line) for number, line in enumerate(lines) if match(line)), (-1, ""))


def _pytest(lines: list[str]) -> list[str]:
    """The first failing test's last `E` block, else the first line of the short summary."""
    blocks: list[str] = []
    before = ""
    for line in lines:
        if blocks and line.startswith(("____", "====")):
            break
        if line.startswith("E   ") and not before.startswith("E   ") and not line.endswith("%]"):
            blocks.append(line[1:].strip())
        before = line
    summary = compiled(r"(?:FAILED|ERROR) (\S+?)(?:::(\S+))?(?: - (.+))?$")
    said = next((found for line in lines if line[:6] in {"FAILED", "ERROR "} and (found := summary.match(line))), None)
    message = blocks[-1] if blocks else said[3] if said and (said[2] or ".py" in said[1]) else None
    if not message:
        return []
    message = message.removeprefix("AssertionError: ")
    if not message.startswith("assert"):
        return [message]
    return [f"AssertionError: {message}", *_by_name(message, said[2].rpartition("::")[2] if said and said[2] else "")]


def _by_name(message: str, test: str) -> list[str]:
    """The test's name where an assertion says nothing but values."""
    words = compiled(
        r"'[^']*'|\"[^\"]*\"|\b(?:AssertionError|assertion|assert|left|right|failed|not|is|in|None|True|False)\b"
    )
    return [] if not test or compiled(r"[A-Za-z_]\w").search(words.sub("", message)) else [test]


def _npm(lines: list[str]) -> list[str]:
    """The code of npm, its first message, and the package that it is about."""
    prefix = compiled(r"npm (?:ERR!|error) ?")
    said = [line[found.end() :].strip() for line in lines if (found := prefix.match(line))]
    code = next((line[5:] for line in said if compiled(r"code E[A-Z0-9_]+$").match(line)), "")
    if not code and any(line.startswith("404 Not Found - ") for line in said):
        code = "E404"
    return details.npm(code, said) if code and code != "ELIFECYCLE" else []


def _located(lines: list[str]) -> list[str]:
    """A compiler's first error."""
    number, line = _first(lines, LOCATED)
    return [line, *details.compiler(line, lines[number + 1 : number + 30])] if line else []


def _panic(lines: list[str]) -> list[str]:
    """Rust's first panic: on the same line until 1.72, on the next since."""
    head = compiled(r"thread '(.*?)'(?: \(\d+\))? panicked at ('|\S+:\d+:\d+:$)")
    number, line = next(((n, one) for n, one in enumerate(lines) if "panicked at" in one and head.match(one)), (-1, ""))
    found = head.match(line)
    if not found:
        return []
    old = found[2] == "'"
    message = line[found.end() :] if old else "".join(lines[number + 1 : number + 2])
    if old and "(left" in message:
        message += (
            compiled(r"right: '.*?'(: .*)?', \S+:\d+:\d+$").sub(r"\1", "".join(lines[number + 2 : number + 3])).strip()
        )
    message = compiled(r"', \S+:\d+:\d+$").sub("", message)
    message = compiled(r"assertion failed: '?\((left [!=]= right)\)'?").sub(r"assertion '\1' failed", message)
    return [message, *_by_name(message.replace("(left == right)", ""), found[1] if found[1] != "main" else "")]


def _go_test(lines: list[str]) -> list[str]:
    """The first failing test of Go and what it logged first."""
    number, line = _first(lines, r"--- FAIL: ")
    said = [found[1] for one in lines[number + 1 :] if (found := compiled(r"\s+\S+_test\.go:\d+: (.+)").match(one))]
    return [f"{line.split()[2]}: {said[0]}"] if line and said else []


def _traceback(lines: list[str]) -> list[str]:
    """Python's last exception; of a group the first that is no group."""
    if any("Exception Group Traceback" in line for line in lines):
        lines = [compiled(r"(?: *[|+] ?)*").sub("", line, count=1) for line in lines]
    heads = _exceptions(lines)
    if not heads:
        return []
    group = [number for number in heads if "Group: " in lines[number] and "sub-exception" in lines[number]]
    chosen = next((number for number in heads if group and number > group[0] and number not in group), heads[-1])
    tests = [found[1] for line in lines if (found := compiled(r"(?:FAIL|ERROR): (\w+) \(").match(line))]
    return [
        lines[chosen],
        *details.python(lines[chosen], lines[chosen + 1 : chosen + 5]),
        *_by_name(lines[chosen], tests[0] if tests else ""),
    ]


def _exceptions(lines: list[str]) -> list[int]:
    """The line after each traceback's frames: they are indented, and it is not."""
    heads: list[int] = []
    inside = False
    for number, line in enumerate(lines):
        if "Traceback (most recent call last)" in line or line.startswith("-+--"):
            inside = True
        elif inside and (line[:1].isalpha() or line[:1] == "_"):
            heads.append(number)
            inside = False
    return heads


def _jest(lines: list[str]) -> list[str]:
    """What the first test of Jest or Vitest said; where that is an expectation of values, which test it was."""
    number, line = _first(lines, r"\s*\u25cf (?!Console)\S")
    message = next((one.strip() for one in lines[number + 1 :] if one.strip()), "") if line else ""
    named = message.startswith("expect(")
    return [message, *([line.strip(" \u25cf").rpartition(" \u203a ")[2]] if named else [])] if message else []


def _stack(lines: list[str]) -> list[str]:
    """A runtime's exception: a Java stack's last cause, else the first that stands at a line's beginning."""
    causes = [line for line in lines if line.startswith("Caused by: ")]
    if causes:
        return causes[-1:]
    number, line = _first(lines, TYPED)
    if not line:
        match = compiled(r"\s+at \S").match
        frames = (one for one, two in pairwise(lines) if match(two) and not match(one) and one.strip())
        line = next(frames, "")
        return [line] if line else []
    if "fetch failed" in line:
        inner = [found[1] for one in lines if (found := compiled(r"\s*\[?cause\]?: (.+)").match(one))]
        return inner[-1:] or [line]
    return [line, *details.python(line, lines[number + 1 : number + 5])]


def _resolver(lines: list[str]) -> list[str]:
    """Why uv found no solution, whatever the width of the terminal."""
    number = next((number for number, line in enumerate(lines) if "No solution found when resolving" in line), -1)
    if number < 0:
        return []
    lead = compiled(r"[\s\u2570\u251c\u2500\u25b6\u2502>-]*(?:cause: )?")
    told = [lead.sub("", line, count=1) for line in lines[number + 1 :]]
    end = next((position for position, line in enumerate(told) if not line or line.startswith("hint:")), len(told))
    return [compiled(r",? we can conclude.*").sub("", " ".join(told[:end])) or lines[number]]


def _plain(lines: list[str]) -> list[str]:
    """The first error line, else the first that sounds like one, else the last summary, else the last line."""
    noise, summary = compiled(NOISE).match, compiled(SUMMARY).search
    said = [(number, line) for number, line in enumerate(lines) if not noise(line.lstrip())]
    telling = [(number, line) for number, line in said if not summary(line)]
    for words in (ALWAYS, OFTEN):
        for number, line in telling:
            lower = line.lower()
            if any(word in lower for word in words):
                return [line, *details.plain(line, lines[number + 1 : number + 40])]
    return [(telling or said)[-1][1]] if said else []
