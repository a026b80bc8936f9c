"""Strings that a regular expression matches, so that a list of rules becomes a test set."""

import importlib
import random
import re
import string
from typing import Any, Final

_PARSER: Final[Any] = importlib.import_module("re._parser")
_PRINTABLE: Final = string.ascii_letters + string.digits + "-_./+=:,; "
_CATEGORIES: Final = {
    "CATEGORY_DIGIT": string.digits,
    "CATEGORY_WORD": string.ascii_letters + string.digits + "_",
    "CATEGORY_SPACE": " ",
    "CATEGORY_NOT_SPACE": string.ascii_letters + string.digits,
    "CATEGORY_NOT_WORD": " ",
    "CATEGORY_NOT_DIGIT": string.ascii_letters,
}
_CLASSES: Final = {"[:alnum:]": "A-Za-z0-9", "[:alpha:]": "A-Za-z", "[:digit:]": "0-9", "[:space:]": r"\s"}
_MOST: Final = 8
"""How many more than the least an open repeat gives."""


def example(regex: str, dice: random.Random) -> str:
    """A string that a pattern of RE2 matches, as `dice` fall."""
    for name, characters in _CLASSES.items():
        regex = regex.replace(name, characters)
    regex = re.sub(r"\(\?i\)|(?<=\(\?)-?i(?=:)", "", regex).replace(r"\z", r"\Z").replace("(?P<", "(?P<")
    return _sequence(_PARSER.parse(regex), dice)


def _sequence(parts: Any, dice: random.Random) -> str:
    return "".join(_one(str(kind), value, dice) for kind, value in parts)


def _one(kind: str, value: Any, dice: random.Random) -> str:  # noqa: PLR0911 - one return a kind of node
    match kind:
        case "LITERAL":
            return chr(value)
        case "NOT_LITERAL":
            return dice.choice(_PRINTABLE.replace(chr(value), ""))
        case "ANY":
            return dice.choice(_PRINTABLE)
        case "IN":
            return dice.choice(_alphabet(value))
        case "BRANCH":
            return _sequence(dice.choice(value[1]), dice)
        case "SUBPATTERN":
            return _sequence(value[3], dice)
        case "MAX_REPEAT" | "MIN_REPEAT" | "POSSESSIVE_REPEAT":
            least, most, inner = value
            count = dice.randint(least, min(int(most), max(least, _MOST)))
            return "".join(_sequence(inner, dice) for _ in range(count))
    return ""  # an anchor


def _alphabet(parts: Any) -> str:
    listed = "".join(_members(str(kind), value) for kind, value in parts)
    if str(parts[0][0]) == "NEGATE":
        return "".join(char for char in _PRINTABLE if char not in listed)
    return "".join(char for char in listed if char in string.printable and char not in "\r\v\f\n") or listed


def _members(kind: str, value: Any) -> str:
    match kind:
        case "LITERAL":
            return chr(value)
        case "RANGE":
            return "".join(map(chr, range(value[0], min(value[1], 126) + 1)))
        case "CATEGORY":
            return _CATEGORIES[str(value)]
    return ""
