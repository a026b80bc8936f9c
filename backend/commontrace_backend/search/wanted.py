"""Groups questions that nobody could answer: the same error, or nearly the same words. Pure."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from math import ceil
from typing import Final

NEAR: Final = 0.6
"""How much of the words of two questions together (Jaccard) both must have to be asked as one."""


@dataclass(frozen=True, slots=True)
class Miss:
    """A question that was not answered: who asked it when, the key of its error, and the stems of its words."""

    miss_id: str
    contributor_id: str
    created_at: datetime
    fingerprint: str | None
    stems: frozenset[str]


@dataclass(frozen=True, slots=True)
class Group:
    """Questions asked as one; the first of them decides what the others are compared with."""

    misses: list[Miss] = field(default_factory=list)

    @property
    def newest(self) -> Miss:
        """The question that was asked last."""
        return self.misses[-1]

    @property
    def people(self) -> int:
        """How many people asked."""
        return len({miss.contributor_id for miss in self.misses})


def grouped(misses: Iterable[Miss]) -> list[Group]:
    """Most wanted first: by people, then times, then who asked last. The order in which misses come does not matter.

    Those with one fingerprint are one group. Of the others the oldest founds a group, and each later one joins the
    group whose founder's words are nearest, if they are near enough. One without words joins none.
    """
    in_order = sorted(misses, key=lambda miss: (miss.created_at, miss.miss_id))
    by_error: dict[str, Group] = {}
    for miss in in_order:
        if miss.fingerprint:
            by_error.setdefault(miss.fingerprint, Group()).misses.append(miss)
    groups = [*by_error.values(), *_by_words([miss for miss in in_order if not miss.fingerprint and miss.stems])]
    groups.sort(key=lambda group: (group.newest.created_at, group.newest.miss_id), reverse=True)
    return sorted(groups, key=lambda group: (-group.people, -len(group.misses)))


_COMPARED: Final = 16
"""Groups that a question is compared with, those that share most of its rarest words: many strange ones are slow."""


def _by_words(misses: Sequence[Miss]) -> list[Group]:
    frequency = Counter(stem for miss in misses for stem in miss.stems)
    groups: list[Group] = []
    founded: defaultdict[str, list[int]] = defaultdict(list)
    for miss in misses:
        rarest = sorted(miss.stems, key=lambda stem: (frequency[stem], stem))
        # Two sets that are near share one of the rarest stems of each: the rest alone would not reach NEAR.
        telling = rarest[: len(rarest) - ceil(NEAR * len(rarest)) + 1]
        shared = Counter(number for stem in telling for number in founded[stem][-_COMPARED:])
        candidates = [number for number, _ in shared.most_common(_COMPARED)]
        near = [(-_likeness(miss, groups[number]), number) for number in candidates]
        likeness, number = min(near, default=(0.0, -1))
        if -likeness >= NEAR:
            groups[number].misses.append(miss)
        else:
            for stem in telling:
                founded[stem].append(len(groups))
            groups.append(Group([miss]))
    return groups


def _likeness(miss: Miss, group: Group) -> float:
    """Jaccard index of the stems of a question and of a group's first one: 0 to 1."""
    founder = group.misses[0].stems
    return len(miss.stems & founder) / len(miss.stems | founder)
