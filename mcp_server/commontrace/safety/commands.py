"""What a shell command would do to the machine that runs it. Pure; it reads commands as a shell does and runs none."""

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

from commontrace.safety.command_rules import COMMANDS, FORK_BOMB, TEXTS, Finding
from commontrace.safety.command_words import (
    FETCHERS,
    INTERPRETERS,
    decodes,
    is_fed,
    reads_secrets,
    runs_input,
    sends,
    written_files,
)
from commontrace.safety.re2s import compiled
from commontrace.safety.shell import Command, Pipeline, every, readings, unwrapped

if TYPE_CHECKING:
    from commontrace.models.traces import Label

_RUNS_DOWNLOAD: Final = ("risky command", "runs what it downloads", 0.8)
_RUNS_ENCODED: Final = ("risky command", "runs encoded text", 0.8)
_SENDS: Final = ("exfiltration", "sends local data elsewhere", 0.8)


def judge(command: str) -> list["Label"]:
    """Every risk of a shell command, the gravest first; empty for one that has none.

    Quotes, escapes, variables, `$IFS`, braces, sudo, env, xargs, `cd x &&`, `sh -c '…'` and substitutions are seen
    through. Takes one or more lines; of very long ones the first 16,000 characters are read.
    """
    from commontrace.models.traces import Label

    return [Label(label=label, reason=reason, score=score) for label, reason, score in findings(command)]


def findings(command: str) -> list[Finding]:
    """The same as label, reason and score, for who cannot wait until models are imported."""
    found = {(label, reason): score for label, reason, score in _judged(command)}
    flat = [(label, reason, score) for (label, reason), score in found.items()]
    return sorted(flat, key=lambda one: (-one[2], one[0], one[1]))


def _judged(command: str) -> Iterator[Finding]:
    for text, lines in readings(command):
        yield from text_findings(text)
        for line in lines:
            yield from _piped(line)
        for one in every(lines):
            yield from _single(one)
            for within in one.inner:
                yield from _piped(within)
        if _runs_own_download([one for line in lines for one in line]):
            yield _RUNS_DOWNLOAD


def text_findings(text: str) -> Iterator[Finding]:
    """What is told by the text alone, in whatever language it is a program."""
    flat = text.encode("ascii", "replace")
    for label, reason, score, pattern in TEXTS:
        if compiled(pattern).search(flat):
            yield label, reason, score
    if "()" in text and "|" in text and "&" in text and FORK_BOMB.search(text):
        yield "risky command", "a fork bomb", 0.9


def _single(command: Command) -> Iterator[Finding]:
    for label, reason, score, holds in COMMANDS:
        if holds(command):
            yield label, reason, score
    inner = {unwrapped(one).name for line in command.inner for one in line}
    if command.name in INTERPRETERS or command.name in ("eval", "source", "."):
        if inner & FETCHERS:
            yield _RUNS_DOWNLOAD
        if any(decodes(unwrapped(one)) for line in command.inner for one in line):
            yield _RUNS_ENCODED
    if sends(command) and (reads_secrets(command) or any(reads_secrets(one) for line in command.inner for one in line)):
        yield _SENDS


def _piped(line: Pipeline) -> Iterator[Finding]:
    """What flows from one command of a pipeline into a later one."""
    fetched = plain = secret = False
    for command in line:
        if runs_input(command) or (command.name in INTERPRETERS and "{}" in command.words):
            if fetched:
                yield _RUNS_DOWNLOAD
            if plain:
                yield _RUNS_ENCODED
        if secret and sends(command) and is_fed(command):
            yield _SENDS
        for one in (command, *(unwrapped(inner) for within in command.inner for inner in within)):
            fetched |= one.name in FETCHERS
            plain |= decodes(one)
            secret |= reads_secrets(one)


def _runs_own_download(commands: list[Command]) -> bool:
    """Whether a file that one command downloads is run by a later one."""
    fetched: set[str] = set()
    for command in commands:
        run = {re.sub(r"^\./", "", word) for word in command.words[:1]}
        if command.name in INTERPRETERS or command.name in ("source", "."):
            run |= {re.sub(r"^\./", "", word) for word in command.words[1:]}
        if fetched & run:
            return True
        fetched |= {re.sub(r"^\./", "", path) for path in written_files(command)}
    return False
