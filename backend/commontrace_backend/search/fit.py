"""How the environment a trace speaks of fits the environment of who asks. Pure.

Only what both sides name counts. Each comparison has a weight, and the value is the sum of those that fit minus the
sum of those that do not, over the sum of all, or over `ENOUGH` where there is less:

| compared | weight if it fits | if it does not |
|---|---|---|
| a package, tool or runtime, by version | 2 | 4 |
| the language | 1 | 2 |
| the operating system | 1 | 1 |
| a tool, by its name alone | 0.5 | never said |

So one package outside of its range outweighs a language and a system that fit, and a language alone says half of what
a package says.
"""

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final, NamedTuple

from commontrace.models.traces import Environment
from commontrace_backend.search.names import (
    ecosystem_of,
    languages_of,
    loose,
    related,
    same_name,
    split_tool,
    systems_of,
)
from commontrace_backend.search.version_ranges import Ecosystem, parse_range, parse_version

PACKAGE: Final = (2.0, 4.0)
LANGUAGE: Final = (1.0, 2.0)
SYSTEM: Final = (1.0, 1.0)
TOOL: Final = 0.5

ENOUGH: Final = 2.0
"""The weight from which comparisons count in full."""

_SAID: Final = 5  # comparisons that a reason spells out; the rest are counted


@dataclass(frozen=True, slots=True)
class Fit:
    """What was compared: `value` is -1 (does not fit) to 1 (fits), 0 where nothing could be compared."""

    value: float
    reason: str


class _Compared(NamedTuple):
    """One comparison: its share of the value, below 0 where it does not fit, and its words."""

    share: float
    said: str


class CallerEnvironment:
    """Who asks: indexed once a query, then compared with every candidate."""

    def __init__(self, environment: Environment) -> None:
        self._language = environment.language or ""
        self._os = environment.os or ""
        self._named: defaultdict[str, list[tuple[str, str]]] = defaultdict(list)
        for name, version in _things(environment):
            self._named[loose(name)].append((name, version))
        for same in self._named.values():
            same.sort()

    def fit(self, trace: Environment) -> Fit:
        """Compare language, operating system, and every package and tool that both sides name."""
        found = [*self._languages(trace.language), *self._systems(trace.os), *self._things(trace)]
        if not found:
            return Fit(0.0, "")
        # What does not fit comes first, then what weighs more; the sum is taken in that order too.
        found.sort(key=lambda item: (item.share > 0, -abs(item.share), item.said))
        total = sum(abs(item.share) for item in found)
        said = [item.said for item in found[:_SAID]]
        if len(found) > _SAID:
            said.append(f"{len(found) - _SAID} more")
        return Fit(sum(item.share for item in found) / max(total, ENOUGH), "; ".join(said))

    def _languages(self, theirs: str | None) -> Iterator[_Compared]:
        wanted, here = languages_of(theirs or ""), languages_of(self._language)
        if not wanted or not here:
            return
        if wanted & here:
            yield _Compared(LANGUAGE[0], f"language {theirs}")
        elif related(wanted, here):
            yield _Compared(LANGUAGE[0], f"language {theirs}, close to your {self._language}")
        else:
            yield _Compared(-LANGUAGE[1], f"for language {theirs}, yours is {self._language}")

    def _systems(self, theirs: str | None) -> Iterator[_Compared]:
        wanted, here = systems_of(theirs or ""), systems_of(self._os)
        if not wanted or not here:
            return
        if wanted & here:
            yield _Compared(SYSTEM[0], f"OS {theirs}")
        else:
            yield _Compared(-SYSTEM[1], f"for OS {theirs}, yours is {self._os}")

    def _things(self, trace: Environment) -> Iterator[_Compared]:
        ecosystem = ecosystem_of(languages_of(trace.language or self._language))
        for name, wanted in _things(trace):
            same = [version for mine, version in self._named.get(loose(name), ()) if same_name(name, mine, ecosystem)]
            if same and wanted:
                yield from _versions(name, wanted, same, ecosystem)
        for tool in trace.tools:
            name, wanted = split_tool(tool)
            if not wanted and loose(name) in self._named:
                yield _Compared(TOOL, f"tool {name}")


def fit_of(trace: Environment, caller: Environment) -> Fit:
    """Compare two environments once; `CallerEnvironment` is for many traces."""
    return CallerEnvironment(caller).fit(trace)


def _things(environment: Environment) -> Iterator[tuple[str, str]]:
    """Everything that has a version: packages, tools (`uv 0.9`), and the language (`python 3.12`)."""
    for package in environment.packages:
        yield package.name, package.versions
    for tool in environment.tools:
        yield split_tool(tool)
    if environment.language:
        yield split_tool(environment.language)


def _versions(name: str, wanted: str, mine: list[str], ecosystem: Ecosystem) -> Iterator[_Compared]:
    """Whether one of the versions that a caller has is in a range; nothing where that cannot be told."""
    asked = parse_range(wanted, ecosystem)
    if asked is None:
        return
    known = [(version, asked.holds(parsed)) for version in mine if (parsed := parse_version(version))]
    fitting = [version for version, holds in known if holds]
    if fitting:
        yield _Compared(PACKAGE[0], f"{name} {fitting[0]} fits {wanted}")
    elif known and all(holds is False for _, holds in known):
        yield _Compared(-PACKAGE[1], f"{name} {known[0][0]} is outside {wanted}")
