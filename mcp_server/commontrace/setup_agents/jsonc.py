"""Edits of JSON files as text, so that comments, order and layout of what we do not touch stay.

Comments and trailing commas are understood, as the settings of most editors and agents have them.
"""

import json
import re
from dataclasses import dataclass
from typing import Any, Final

Key = str | int
"""A member's name, or a place in a list; the length of the list stands for a new one at its end."""

_COMMENT: Final = re.compile(r'"(?:[^"\\\n]|\\.)*"|//[^\n]*|/\*.*?\*/', re.DOTALL)
_TRAILING: Final = re.compile(r'"(?:[^"\\\n]|\\.)*"|,(?=\s*[}\]])', re.DOTALL)
_SPACE: Final = re.compile(r"\s*")
_INDENT: Final = re.compile(r"\n([ \t]+)\S")
_DECODER: Final = json.JSONDecoder()


@dataclass(frozen=True, slots=True)
class _Part:
    """One member of an object or list: where it and its value stand in the text."""

    key: Key
    begin: int
    start: int
    end: int


def load(text: str) -> Any:
    """The value of a text; an empty one is an empty object.

    Raises:
        json.JSONDecodeError: it is not JSON, comments and trailing commas left aside.
        RecursionError: it is nested too deeply.
    """
    plain = _plain(text)
    return json.loads(plain) if plain.strip() else {}


def put(text: str, path: list[Key], value: Any) -> str:
    """The text with `value` at `path`; containers on the way are made where they are missing, lists never.

    Raises:
        TypeError: something on the way is no container.
    """
    text = text if _plain(text).strip() else f"{text.strip()}{{}}\n"
    plain = _plain(text)
    start = end = _after_space(plain, 0)
    for depth, key in enumerate(path):
        parts = _parts(plain, start)
        found = next((part for part in parts if part.key == key), None)
        if found is None:
            for name in reversed(path[depth + 1 :]):
                value = {name: value}
            return _inserted(text, start, parts, (key, value, depth + 1))
        start, end = found.start, found.end
    return text[:start] + _dumped(text, value, len(path)) + text[end:]


def drop(text: str, path: list[Key]) -> str:
    """The text without what stands at `path`, nor the containers that would be left empty; empty if nothing is left."""
    plain = _plain(text)
    start = holder = _after_space(plain, 0)
    parts: list[_Part] = []
    place = 0
    for key in path:
        parts = _parts(plain, start)
        place = next(index for index, part in enumerate(parts) if part.key == key)
        holder, start = start, parts[place].start
    if len(parts) > 1:
        return _cut(text, parts, place)
    if len(path) > 1:
        return drop(text, path[:-1])
    _, end = _DECODER.raw_decode(plain, holder)
    inside = (text[holder + 1 : parts[0].begin] + text[parts[0].end : end - 1]).replace(",", "")
    outside = text[:holder] + text[end:]
    kept = text[: parts[0].begin].rstrip(" \t") + text[parts[0].end :].lstrip(",")
    return kept if (inside + outside).strip("\ufeff \t\r\n") else ""


def _plain(text: str) -> str:
    """The text with comments and trailing commas blanked out: every place stays where it is."""
    return _TRAILING.sub(_blank, _uncommented(text))


def _uncommented(text: str) -> str:
    return _COMMENT.sub(_blank, text.replace("\ufeff", " "))


def _blank(found: re.Match[str]) -> str:
    return found[0] if found[0].startswith('"') else re.sub(r"[^\r\n]", " ", found[0])


def _after_space(plain: str, place: int) -> int:
    found = _SPACE.match(plain, place)
    return found.end() if found else place


def _parts(plain: str, start: int) -> list[_Part]:
    """What a container holds; TypeError if it is none."""
    if plain[start] not in "{[":
        raise TypeError(plain[start : start + 20])
    parts: list[_Part] = []
    begin = _after_space(plain, start + 1)
    while plain[begin] not in "}]":
        key: Key = len(parts)
        value = begin
        if plain[start] == "{":
            key, value = _DECODER.raw_decode(plain, begin)
            value = _after_space(plain, _after_space(plain, value) + 1)
        _, end = _DECODER.raw_decode(plain, value)
        parts.append(_Part(key, begin, value, end))
        begin = _after_space(plain, end)
        if plain[begin] == ",":
            begin = _after_space(plain, begin + 1)
    return parts


def _inserted(text: str, start: int, parts: list[_Part], new: tuple[Key, Any, int]) -> str:
    """A new member at the end of a container that begins at `start`, on a line of its own where the file has lines."""
    key, value, depth = new
    name = f"{json.dumps(key)}: " if isinstance(key, str) else ""
    if isinstance(key, str) != (text[start] == "{"):
        raise TypeError(text[start : start + 20])
    written = name + _dumped(text, value, depth)
    lines = "\n" in text.strip() or not parts
    line = _newline(text) + _indent(text) * depth
    if not parts:
        end = text.index("}" if text[start] == "{" else "]", start)
        empty = not text[start + 1 : end].strip()
        close = _newline(text) + _indent(text) * (depth - 1)
        return f"{text[: start + 1]}{line}{written}{close if empty else ''}{text[end if empty else start + 1 :]}"
    last, uncommented = parts[-1].end, _uncommented(text)
    comma = _after_space(uncommented, last)
    had_comma = uncommented[comma] == ","
    place = comma + 1 if had_comma else last
    end_of_line = text.find("\n", place)
    remark = end_of_line > 0 and not uncommented[place:end_of_line].strip() and bool(text[place:end_of_line].strip())
    stop = end_of_line - text[end_of_line - 1 : end_of_line].count("\r") if remark else place
    gap = line if lines else " "
    return f"{text[:place]}{'' if had_comma else ','}{text[place:stop]}{gap}{written}{text[stop:]}"


def _cut(text: str, parts: list[_Part], place: int) -> str:
    """Without one of several members; comments around it stay."""
    part, uncommented = parts[place], _uncommented(text)
    comma = _after_space(uncommented, part.end)
    end = comma + 1 if uncommented[comma] == "," else part.end
    if place < len(parts) - 1:
        return text[: part.begin] + text[_after_space(text, end) :]
    before = text[: part.begin].rstrip()
    if end == part.end:  # the one before is the last now, and had a comma for this one
        at = uncommented.rindex(",", 0, part.begin)
        before = text[:at] + text[at + 1 : len(before)]
    return before + text[end:]


def _dumped(text: str, value: Any, depth: int) -> str:
    """A value in the layout that the file has."""
    ascii_only = text.isascii() and "\\u" in text
    if "\n" not in text.strip() and _plain(text).strip() not in {"{}", "[]"}:
        return json.dumps(value, ensure_ascii=ascii_only)
    written = json.dumps(value, indent=_indent(text), ensure_ascii=ascii_only)
    return written.replace("\n", _newline(text) + _indent(text) * depth)


def _indent(text: str) -> str:
    found = _INDENT.search(text)
    return found[1] if found else "  "


def _newline(text: str) -> str:
    return "\r\n" if "\r\n" in text else "\n"
