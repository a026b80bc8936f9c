"""What completes a decisive line: some tools name the symbol, field or package on a line of its own."""

import re
from collections.abc import Iterable

_CODE_LINES = re.compile(r"(?:code|syscall|path|dest|errno|type|command|cwd|lifecycle|workspace|A complete log)\b|\s*$")
_PEER = re.compile(r"(?:peer(?:Optional)?|dev) (@?[^@\s]+)@.* from (@?[^@\s]+)@")
_ABSENT = re.compile(r"'(@?[^@']+)(?:@[^']*)?' (?:is not in|could not be found)")
_ASKED = re.compile(r"404 Not Found - [A-Z]+ \S+?/((?:@[^/%\s]+(?:/|%2[fF]))?[^/\s]+)(?=\s|$)")
_ENGINE = re.compile(r"Required: \{\W*(\w+)")
_DEEPEST = 3
_SYMBOL = re.compile(r"(?:\[ERROR\])?\s+symbol: +(.+)")
_EXPECTED = re.compile(r"expected (.+), found (.+)$")
_KIND = re.compile(r"[\[(]type=([\w.]+)")


def npm(code: str, said: list[str]) -> list[str]:
    """The code of npm with the first sentence about it, and the packages that it names."""
    first = "" if code == "EJSONPARSE" else next((line for line in said if not _CODE_LINES.match(line)), "")
    first = re.sub(rf"^(?:{code[1:]}|{code}|404|network)\b:?\s+", "", first, flags=re.IGNORECASE)
    about = next(
        (
            found.expand(r"\1")
            for line in said
            if (found := _ABSENT.search(line) or _ASKED.match(line) or _ENGINE.search(line))
        ),
        "",
    )
    peer = next((found.expand(r"\1 for \2") for line in said if (found := _PEER.search(line))), "")
    about = re.sub("%2f", "/", about, flags=re.IGNORECASE)
    return [f"npm {code} {'' if about or peer else first} {about}{peer}"]


def compiler(line: str, rest: list[str]) -> list[str]:
    """What javac did not find, and the two types that rustc calls mismatched."""
    pattern = _SYMBOL if "cannot find symbol" in line else _EXPECTED if "mismatched types" in line else None
    if pattern is None:
        return []
    return next((["expected ".join(["", *found.groups()])] for one in rest if (found := pattern.search(one))), [])


def python(head: str, rest: list[str]) -> list[str]:
    """The first field that pydantic refuses, with the reason's name; else what a colon at the end announces."""
    if "validation error" in head and len(rest) > 1 and rest[0][:1].strip() and (found := _KIND.search(rest[1])):
        return [f"{rest[0].strip()} {found[1].rpartition('.')[2]}"]
    return _announced(head, rest)


def plain(head: str, rest: list[str]) -> list[str]:
    """The deepest cause, else what a colon at the end announces."""
    causes = [number for number, line in enumerate(rest) if line.strip().lower() == "caused by:"]
    if causes:
        return [re.sub(r"^\s*\d+: ", "", line).strip() for line in rest[causes[-1] + 1 :] if line.strip()][:1]
    if "terminate called after throwing" in head:
        return [line.partition("what():")[2].strip() for line in rest if "what():" in line][:1]
    return _announced(head, rest)


def _announced(head: str, rest: Iterable[str]) -> list[str]:
    """The line after a colon, and the one after that where it ends with a colon too."""
    said: list[str] = []
    if head.endswith("try:"):
        return said
    lines = (line.strip() for line in rest if line.strip())
    while len(said) < _DEEPEST and (said or [head])[-1].endswith(":") and (line := next(lines, "")):
        said.append(line)
    return said
