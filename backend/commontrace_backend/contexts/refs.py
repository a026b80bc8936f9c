"""Names for commits: which are allowed, and how an expression such as `main~2` is read. Pure."""

import re
from dataclasses import dataclass
from typing import Final

from commontrace.errors import InvalidInputError

DEFAULT_BRANCH: Final = "main"

_NAME: Final = re.compile(r"[a-z0-9][a-z0-9._/-]{0,100}\Z")
_EXPRESSION: Final = re.compile(
    r"(?P<base>[^~^@\s]+|@(?!@)|(?=@))(?:@\{(?:(?P<back>\d{1,6})|(?P<moment>\w[^{}]{1,39}))\})?(?P<steps>(?:~\d{0,6}|\^)*)\Z"
)
_STEP: Final = re.compile(r"~(\d*)|\^")


def check_name(name: str) -> str:
    """A name that a branch or tag may have; raises InvalidInputError as git would for most of the rest."""
    parts = name.split("/")
    bad = (
        not _NAME.match(name)
        or ".." in name
        or any(not part or part.startswith(".") or part.endswith((".", ".lock")) for part in parts)
        or name == "head"
    )
    if bad:
        raise InvalidInputError(
            f"{name!r} cannot be the name of a branch or tag.",
            "Use lower-case letters, digits and . _ / - inside, as in fix/parser-2.",
        )
    return name


@dataclass(frozen=True, slots=True)
class RefExpression:
    """`base`, then `back` values back in its history or what it was at a `moment`, then `steps` first parents up."""

    base: str
    back: int | None
    steps: int
    moment: str | None = None


def parse(text: str) -> RefExpression:
    """Read `HEAD`, `@`, a name or prefix, each with `@{n}`, `@{time}`, `~n` or `^` behind it; raises InvalidInputError.

    `@{n}` alone is that of the branch that HEAD is on.
    """
    found = _EXPRESSION.match(text)
    if not found:
        raise InvalidInputError(
            f"{text!r} is not a ref.", "Use a branch, a tag, HEAD, HEAD~2, main@{1} or the first digits of a commit id."
        )
    steps = sum(int(step or 1) for step in _STEP.findall(found["steps"]))
    back = int(found["back"]) if found["back"] is not None else None
    return RefExpression("HEAD" if found["base"] in {"", "@"} else found["base"], back, steps, found["moment"])
