"""How the versions a trace speaks of fit the environment of who asks. Pure."""

from dataclasses import dataclass

from packaging.specifiers import InvalidSpecifier, SpecifierSet
from packaging.version import InvalidVersion, Version

from commontrace.models.traces import Environment


@dataclass(frozen=True, slots=True)
class Fit:
    """What was compared: `value` is -1 (does not fit) to 1 (fits), 0 where nothing could be compared."""

    value: float
    reason: str


def fit_of(trace: Environment, caller: Environment) -> Fit:
    """Compare language, operating system and every package that both sides name."""
    found = [*_words("language", trace.language, caller.language), *_words("OS", trace.os, caller.os)]
    mine = {package.name.lower(): package.versions for package in caller.packages}
    for package in trace.packages:
        version = mine.get(package.name.lower())
        if version and package.versions:
            found += _package(package.name, package.versions, version)
    if not found:
        return Fit(0.0, "")
    value = sum(1.0 if fits else -1.0 for fits, _ in found) / len(found)
    return Fit(value, "; ".join(reason for fits, reason in sorted(found, key=lambda item: item[0])))


def _words(name: str, theirs: str | None, mine: str | None) -> list[tuple[bool, str]]:
    if not theirs or not mine:
        return []
    same = theirs.lower() == mine.lower()
    return [(same, f"{name} {theirs}" if same else f"for {name} {theirs}, yours is {mine}")]


def _package(name: str, wanted: str, version: str) -> list[tuple[bool, str]]:
    try:
        fits = SpecifierSet(wanted).contains(Version(version.lstrip("=v ")), prereleases=True)
    except (InvalidSpecifier, InvalidVersion):
        return []
    return [(fits, f"{name} {version} fits {wanted}" if fits else f"{name} {version} is outside {wanted}")]
