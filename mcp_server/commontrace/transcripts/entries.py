"""A transcript as a tree of entries, whatever wrote it. Pure."""

import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Final

BEGINNING: Final = "1970-01-01T00:00:00.000000+00:00"
"""The time of what does not say when it was."""

Known = Mapping[str, str]
"""Lines that were imported before, and the commit that each is in."""


@dataclass(frozen=True, slots=True)
class Entry:
    """A message of a transcript.

    Attributes:
        entry_id: what the transcript calls it.
        parent: the entry before it; None where a conversation begins.
        message: in the shape of the provider.
        time: ISO 8601 in UTC with microseconds.
        lines: the ids of the lines that it was made of.
        opens_turn: whether a turn begins with it.
        chain: which sub-agent's it is; empty for the agent itself.
        keeps: for a summary of what came before it, the lines that stand beside it as they are; else None.
        model: what wrote it.
        usage: what it cost, as the provider reported.
    """

    entry_id: str
    parent: str | None
    message: Mapping[str, Any]
    time: str
    lines: tuple[str, ...]
    opens_turn: bool = False
    chain: str = ""
    keeps: frozenset[str] | None = None
    model: str = ""
    usage: Mapping[str, Any] = field(default_factory=dict)


@dataclass(slots=True)
class Transcript:
    """A conversation with its branches.

    Attributes:
        agent: what wrote it, as in `claude-code`.
        name: what its branches are called, as in `claude/1f2e3d4c`.
        entries: parents first.
        chains: what is known of each sub-agent.
        left_out: lines that hold no message of the conversation, by kind.
        problems: lines that could not be read, by number.
    """

    agent: str
    name: str
    entries: list[Entry] = field(default_factory=list)
    chains: dict[str, dict[str, Any]] = field(default_factory=dict)
    left_out: Counter[str] = field(default_factory=Counter)
    problems: list[str] = field(default_factory=list)


def json_lines(lines: Iterable[str], transcript: Transcript) -> Iterator[tuple[int, dict[str, Any]]]:
    """The objects on the lines of a file with their numbers; what cannot be read is noted.

    The last line may be half written: the agent may be running.
    """
    bad: list[int] = []
    last = 0
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        last = number
        try:
            value = json.loads(line)
        except (ValueError, RecursionError):
            value = None
        if isinstance(value, dict):
            yield number, value
        else:
            bad.append(number)
    if bad and bad[-1] == last:
        bad.pop()
        transcript.left_out["an unfinished last line"] += 1
    transcript.problems += [f"line {at} is not a JSON object" for at in bad]


def time_of(value: Any, before: str = BEGINNING) -> str:
    """A time as commits have it, from ISO 8601 or seconds since 1970; `before` where there is none."""
    try:
        if isinstance(value, (int, float)) and not isinstance(value, bool):
            moment = datetime.fromtimestamp(value, UTC)
        else:
            moment = datetime.fromisoformat(value)
    except (TypeError, ValueError, OverflowError, OSError):
        return before
    aware = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return aware.astimezone(UTC).isoformat(timespec="microseconds")


def branch_part(text: str) -> str:
    """The first eight letters and digits of an id, as a part of the name of a branch."""
    return "".join(char for char in text.lower() if char.isascii() and char.isalnum())[:8] or "unnamed"


def parents_first(entries: Iterable[Entry], transcript: Transcript) -> None:
    """Put entries into a transcript in the order of their file, but behind their parents.

    A parent that is not among them stands for a beginning; entries whose parents lead in a circle are noted.
    """
    by_id = {entry.entry_id: entry for entry in entries}
    placed: set[str] = set()
    waiting: dict[str, list[Entry]] = {}
    for entry in by_id.values():
        if entry.parent in by_id and entry.parent not in placed:
            waiting.setdefault(entry.parent, []).append(entry)
            continue
        ready = [entry]
        while ready:
            one = ready.pop()
            transcript.entries.append(one)
            placed.add(one.entry_id)
            ready += reversed(waiting.pop(one.entry_id, []))
    if lost := len(by_id) - len(placed):
        transcript.problems.append(f"{lost} messages follow each other in a circle")
