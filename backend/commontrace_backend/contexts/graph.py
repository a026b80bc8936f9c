"""Ancestors and common ancestors, for any function that knows parents. Pure."""

from collections.abc import Callable, Iterable

ParentsOf = Callable[[str], Iterable[str]]


def ancestors(tips: Iterable[str], parents_of: ParentsOf) -> set[str]:
    """Every commit that can be reached from the tips, the tips included."""
    found: set[str] = set()
    waiting = list(tips)
    while waiting:
        commit = waiting.pop()
        if commit not in found:
            found.add(commit)
            waiting.extend(parents_of(commit))
    return found


def merge_bases(one: str, other: str, parents_of: ParentsOf) -> set[str]:
    """The best common ancestors: those that no other common ancestor descends from."""
    common = ancestors([one], parents_of) & ancestors([other], parents_of)
    covered = ancestors((parent for commit in common for parent in parents_of(commit)), parents_of)
    return common - covered
