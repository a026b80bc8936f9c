"""What can be said of a shell command before it runs, without a store: its risks, and what it is looked up by. Pure.

It imports no model: a hook that runs before every command has no time for that.
"""

from collections.abc import Sequence
from typing import Final

from commontrace.safety.command_forms import forms, is_telling, key
from commontrace.safety.command_rules import Finding
from commontrace.safety.commands import findings
from commontrace.safety.packages import package_findings
from commontrace.safety.risks import packages_of

ASKED_FROM: Final = 0.6
"""The score of a risk from which somebody is asked: below it are things that developers do every day."""


def risks_before_use(command: str) -> list[Finding]:
    """Every risk of a command and of the packages that it installs, the gravest first: label, reason and score."""
    installed = dict.fromkeys(package for form in forms(command) for package in packages_of(form))
    return sorted([*findings(command), *package_findings(list(installed))], key=lambda found: -found[2])


def worth_asking(risks: Sequence[Finding]) -> list[str]:
    """One sentence for each risk for which somebody is asked before the command runs."""
    return [f"It carries a risk: {reason}." for _, reason, score in risks if score >= ASKED_FROM]


def lookup_keys(command: str) -> list[str]:
    """The keys of what in a command tells where it comes from."""
    return [key(form) for form in forms(command) if is_telling(form)]
