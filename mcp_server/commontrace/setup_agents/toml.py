"""Edits of TOML files as text: a table of ours at the end, everything else as it was."""

import json
import re
import tomllib
from itertools import pairwise
from typing import Any, Final

_HEADER: Final = re.compile(r"^[ \t]*\[", re.MULTILINE)


def load(text: str) -> dict[str, Any]:
    """The tables of a text; tomllib.TOMLDecodeError if it is not TOML."""
    return tomllib.loads(text)


def with_table(text: str, name: str, table: dict[str, Any]) -> str:
    """The text with the table `name` (dotted) at its end, in place of the one that was there."""
    before = without_table(text, name)
    newline = "\r\n" if "\r\n" in text else "\n"
    gap = newline if before.strip() else ""
    ended = before if not before or before.endswith("\n") else before + newline
    return ended + gap + newline.join([*_lines(name, table), ""])


def without_table(text: str, name: str) -> str:
    """The text without the table `name` and what stands under it."""
    ours = re.compile(rf"[ \t]*\[{re.escape(name)}(\.[^\]]*)?\]")
    starts = [found.start() for found in _HEADER.finditer(text)]
    pieces = [text[: starts[0]] if starts else text]
    removed = False
    for start, end in pairwise([*starts, len(text)]):
        if ours.match(text, start):
            removed = True
            pieces.append(_remarks(text[start:end]))
        else:
            pieces.append(text[start:end])
    left = "".join(pieces)
    if not removed:
        return text
    return left.rstrip() + ("\r\n" if "\r\n" in text else "\n") if left.strip() else ""


def _remarks(table: str) -> str:
    """The comments at the end of a table: they belong to the one that follows."""
    lines = table.splitlines(keepends=True)
    kept = len(lines)
    while kept > 1 and (not lines[kept - 1].strip() or lines[kept - 1].lstrip().startswith("#")):
        kept -= 1
    tail = "".join(lines[kept:])
    return tail.lstrip("\r\n") if tail.strip() else ""


def _lines(name: str, table: dict[str, Any]) -> list[str]:
    plain = {key: value for key, value in table.items() if not isinstance(value, dict)}
    nested = {key: value for key, value in table.items() if isinstance(value, dict)}
    lines = [f"[{name}]", *(f"{key} = {json.dumps(value)}" for key, value in plain.items())]
    for key, value in nested.items():
        lines += ["", *_lines(f"{name}.{key}", value)]
    return lines
