"""How a failing command came to pass: what was done in between. The same live and for past transcripts. Pure."""

from dataclasses import asdict, dataclass, field
from typing import Any, Final

from commontrace.hooks.commands import Kind, kind_of
from commontrace.hooks.failures import Failure, Ran, failure_of

MOST_OPEN: Final = 8
"""Failures of a run that are followed at a time."""
MOST_STEPS: Final = 6
"""What took more was no fix, it was work."""
_LONGEST_STEP: Final = 600
_MOST_TRIED: Final = 3


@dataclass(slots=True)
class Open:
    """A failure that was not resolved yet.

    Attributes:
        fingerprint: the key of its error.
        error: the line that says it.
        text: a text with the same key.
        command: what failed.
        family: what the command is run for.
        operands: what it is run on.
        words: the words of the simple command that failed.
        times: how often it failed so.
        steps: what was done since it failed so last.
        tried: what was done before that, in vain.
        gone: whether the same command fails otherwise by now.
    """

    fingerprint: str
    error: str
    text: str
    command: str
    family: str
    operands: tuple[str, ...] = ()
    words: str = ""
    times: int = 1
    steps: list[str] = field(default_factory=list)
    tried: list[str] = field(default_factory=list)
    gone: bool = False


@dataclass(frozen=True, slots=True)
class Solved:
    """A failure, what passed, and the steps from one to the other."""

    failure: Open
    passed: str


class Solving:
    """Follows a run.

    Args:
        state: what `state` gave before, to go on from there.
    """

    def __init__(self, state: list[Any] | None = None) -> None:
        self.open: list[Open] = [Open(**one) for one in state or []]

    def state(self) -> list[dict[str, Any]]:
        """What is open, as JSON has it."""
        return [asdict(one) for one in self.open]

    def edited(self, path: str, change: str) -> None:
        """A file was changed."""
        self._did(f"changed {path}:\n{change}" if change else f"changed {path}")

    def _did(self, step: str) -> None:
        for one in self.open:
            if not one.gone and len(one.steps) <= MOST_STEPS:  # one too many says that it was too much
                one.steps.append(step[:_LONGEST_STEP])

    def ran(self, ran: Ran, kind: Kind | None = None) -> tuple[Failure | None, list[Solved]]:
        """A command was run: its failure, and what is resolved by its passing."""
        kind = kind or kind_of(ran.command)
        if kind.asks:
            return None, []
        failure = failure_of(ran, kind)
        if failure:
            self._failed(failure, ran.command, kind)
            return failure, []
        if ran.failed or ran.ended or not kind.family:
            return None, []
        passed = [one for one in self.open if _passes(one, kind)]
        self.open = [one for one in self.open if one not in passed]
        found = [Solved(one, ran.command) for one in passed if _fix(one, kind)]
        if kind.changes:
            self._did(f"ran: {ran.command.strip()}")
        return None, found

    def _failed(self, failure: Failure, command: str, kind: Kind) -> None:
        """Open a failure, or count it again: what was tried since did not resolve it."""
        again = False
        for one in self.open:
            if one.fingerprint == failure.fingerprint and one.family == kind.family:
                again = True
                one.times += 1
                one.tried = [*one.tried, *one.steps][-_MOST_TRIED:]
                one.operands, one.words, one.steps, one.gone = kind.operands, kind.words, [], False
            elif one.family == kind.family and tuple(one.operands) == kind.operands:
                one.gone = True  # it fails otherwise now: what is done from here on is about that
        if not again:
            opened = Open(failure.fingerprint, failure.line, failure.text, command.strip()[:_LONGEST_STEP], kind.family)
            opened.operands, opened.words = kind.operands, kind.words
            self.open = [*self.open, opened][-MOST_OPEN:]


def _passes(one: Open, kind: Kind) -> bool:
    """Whether the same was run again: for the same, on the same or on everything."""
    return one.family == kind.family and (tuple(one.operands) == kind.operands or not kind.operands)


def _fix(one: Open, kind: Kind) -> Open | None:
    """What was done, if something was and not too much of it; where an installer was called otherwise, that was it."""
    if kind.changes and kind.words != one.words:
        one.steps.append(f"ran instead: {kind.words}"[:_LONGEST_STEP])
    return one if 0 < len(one.steps) <= MOST_STEPS else None
