"""Other names of the same thing, as people who program use them. Pure; the groups are data."""

from collections.abc import Mapping
from functools import cache
from importlib.resources import files


@cache
def aliases() -> Mapping[str, tuple[str, ...]]:
    """Each word to the other words of its groups, in lower case."""
    found: dict[str, dict[str, None]] = {}
    for line in (files(__package__) / "synonyms.txt").read_text(encoding="utf-8").splitlines():
        group = line.partition("#")[0].split()
        for word in group:
            found.setdefault(word, {}).update({other: None for other in group if other != word})
    return {word: tuple(others) for word, others in found.items()}
