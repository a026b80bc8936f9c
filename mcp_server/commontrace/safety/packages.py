"""What a package's name tells: known, like a known one, or neither. Pure; nothing is looked up."""

import functools
import re
from typing import TYPE_CHECKING, Final, Literal

if TYPE_CHECKING:
    from commontrace.models.traces import Label

Verdict = Literal["known", "look-alike", "unknown"]

_VERSION: Final = re.compile(r"(?<=.)(?:[@=<>~!^;\[ ].*)?\Z", re.DOTALL)
_SEPARATORS: Final = re.compile(r"[-_.]+")
_ADDED: Final = re.compile(
    r"^(?:python|py|node|js|npm|lib|go|rust|ruby|the|my|new|real|official|pure)(?=-)-|-(?:python|py|python3|py3|js"
    r"|node|npm|lib|sdk2|v?\d|new|fix|fixed|official|latest"
    r"|beta|pro|plus|utils?2)$|(?:\d|js|py)$"
)
_SHORTEST: Final = 5
_LONGEST: Final = 40
"""Names below this are a letter away from too many others."""


def verdict(name: str) -> tuple[Verdict, str]:
    """How a package's name stands to those that many people install, and the one that it is like.

    A look-alike differs from a known name by one edit (Damerau: a letter more, less, other, or two exchanged), by its
    separators, by digits for letters, or by a word that says it is the real one. Case and version do not count.
    """
    plain = _VERSION.sub("", name.strip(), count=1).lower()
    flat = _SEPARATORS.sub("-", plain)
    known = _known()
    if plain in known or flat in known or _SEPARATORS.sub("-", plain.removesuffix("/")) in known:
        return "known", ""
    like = _like(flat)
    return ("look-alike", like) if like else ("unknown", "")


def package_labels(names: list[str]) -> list["Label"]:
    """A label for each name that is like a known one, and one of little weight where names are unknown."""
    from commontrace.models.traces import Label

    return [Label(label=label, reason=reason, score=score) for label, reason, score in package_findings(names)]


def package_findings(names: list[str]) -> list[tuple[str, str, float]]:
    """The same as label, reason and score, for who cannot wait until models are imported."""
    judged = [(name, *verdict(name)) for name in names]
    found = [("look-alike package", f"{name} is like {like}", 0.6) for name, _, like in judged if like]
    unknown = [name for name, kind, _ in judged if kind == "unknown"]
    if unknown:
        found.append(("unknown package", f"not widely known: {', '.join(unknown)}"[:200], 0.1))
    return found


def _like(flat: str) -> str:
    known, squeezed = _known(), _squeezed()
    bare = flat.replace("-", "")
    if bare in squeezed:  # python-dateutil, pythondateutil
        return squeezed[bare]
    undressed = _ADDED.sub("", flat)
    if undressed != flat and undressed in known and len(undressed) >= _SHORTEST:
        return undressed
    letters = bare.translate(str.maketrans("01345", "oleas"))
    if letters in squeezed and len(letters) >= _SHORTEST:
        return squeezed[letters]
    if len(bare) < _SHORTEST:
        return ""
    near = [word for word in _neighbours(bare) if word in squeezed and len(word) >= _SHORTEST]
    return squeezed[max(near, key=lambda word: (len(word), word))] if near else ""


def _neighbours(word: str) -> set[str]:
    """Everything that is one edit away from a word of at most 40 letters."""
    if len(word) > _LONGEST:
        return set()
    letters = "abcdefghijklmnopqrstuvwxyz0123456789"
    halves = [(word[:place], word[place:]) for place in range(len(word) + 1)]
    less = {left + right[1:] for left, right in halves if right}
    swapped = {left + right[1] + right[0] + right[2:] for left, right in halves if len(right) > 1}
    other = {left + char + right[1:] for left, right in halves if right for char in letters}
    more = {left + char + right for left, right in halves for char in letters}
    return less | swapped | other | more


@functools.cache
def _known() -> frozenset[str]:
    """Every known name as it is, and with one kind of separator."""
    # Imported here: a hook that runs before every command seldom asks for a package.
    import tomllib
    from importlib.resources import files

    text = (files("commontrace.safety") / "rules" / "packages.toml").read_text("utf-8")
    names = {name.lower() for ecosystem in tomllib.loads(text).values() for name in ecosystem["names"].split()}
    return frozenset(names | {_SEPARATORS.sub("-", name) for name in names})


@functools.cache
def _squeezed() -> dict[str, str]:
    return {name.replace("-", ""): name for name in sorted(_known()) if not name.startswith("@")}
