"""What can be said of a shell command before it runs, without a store: its risks, and what it is looked up by. Pure."""

from typing import Final

from commontrace.models.traces import Label
from commontrace.safety.command_forms import forms, is_telling, key
from commontrace.safety.commands import judge
from commontrace.safety.packages import package_labels
from commontrace.safety.risks import packages_of

ASKED_FROM: Final = 0.6
"""The score of a label from which somebody is asked: below it are things that developers do every day."""


def risks_before_use(command: str) -> list[Label]:
    """Every label of a command and of the packages that it installs, the gravest first."""
    installed = dict.fromkeys(package for form in forms(command) for package in packages_of(form))
    return sorted([*judge(command), *package_labels(list(installed))], key=lambda label: -label.score)


def worth_asking(labels: list[Label]) -> list[str]:
    """The reasons of those labels for which somebody is asked before the command runs."""
    return [f"It carries a risk: {label.reason}." for label in labels if label.score >= ASKED_FROM]


def lookup_keys(command: str) -> list[str]:
    """The keys of what in a command tells where it comes from."""
    return [key(form) for form in forms(command) if is_telling(form)]
