"""A transcript to commits: one a turn, a branch for each fork and each sub-agent. Pure.

The same transcript gives the same commits on every machine. Slots are named by the entries that they hold, so that two
branches that share the beginning of a turn share its slots.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import count
from typing import Any, Final

from commontrace.errors import InvalidInputError
from commontrace.models.canonical import canonical
from commontrace.objects import SLOT_DIGITS, Blob, Commit, identify
from commontrace.providers.messages import parse_message, text_of
from commontrace.transcripts.entries import Entry, Transcript
from commontrace.transcripts.redacting import redacted

METADATA: Final = "transcript"
"""Where a commit keeps which entries it holds."""

_LONGEST_TITLE: Final = 72


@dataclass(frozen=True, slots=True)
class Earlier:
    """A commit that is there already, on a branch of the transcript.

    Attributes:
        commit_id: its id.
        parent: its first parent.
        entries: the lines of each entry that it holds; empty for a commit that somebody made since.
    """

    commit_id: str
    parent: str | None
    entries: tuple[tuple[str, ...], ...]

    @classmethod
    def of(cls, commit_id: str, parents: Sequence[str], metadata: Mapping[str, Any]) -> "Earlier":
        """A commit by what the log says of it."""
        about = metadata.get(METADATA)
        listed = about.get("entries") if isinstance(about, dict) else None
        entries = [tuple(lines) for lines in listed if lines] if isinstance(listed, list) else []
        return cls(commit_id, parents[0] if parents else None, tuple(entries))


@dataclass(slots=True)
class Planned:
    """What is to be stored.

    Attributes:
        blobs: canonical bytes by id.
        commits: new ones, parents first.
        tips: where each branch ends, by its name; the one written last comes first.
        messages: how many messages the new commits hold.
        redactions: what was taken out, by type.
        problems: messages that could not be kept.
    """

    blobs: dict[str, bytes] = field(default_factory=dict)
    commits: list[tuple[str, Commit]] = field(default_factory=list)
    tips: dict[str, str] = field(default_factory=dict)
    messages: int = 0
    redactions: Counter[str] = field(default_factory=Counter)
    problems: list[str] = field(default_factory=list)


@dataclass(slots=True)
class _Segment:
    """Entries that belong into one commit, and what they follow."""

    entries: list[Entry]
    above: "_Segment | None"
    branch: str
    tip: str | None = None
    waiting: tuple[Entry, ...] = ()


def plan(transcript: Transcript, author: str, earlier: Sequence[Earlier], heads: Mapping[str, str]) -> Planned:
    """The commits and branches of a transcript, but for the commits that are there already.

    Args:
        transcript: what was read.
        author: the contributor's id.
        earlier: every commit on the branches of earlier imports.
        heads: where those branches point. One on which somebody went on stays theirs; the transcript's goes aside.
    """
    planned = _Planning(transcript, author, earlier).plan()
    parents = {one.commit_id: one.parent for one in earlier}
    parents |= {commit_id: next(iter(commit.parents), None) for commit_id, commit in planned.commits}
    tips: dict[str, str] = {}
    for branch, tip in planned.tips.items():
        fitting = (
            name
            for name in _candidates(branch)
            if name not in tips and (name not in heads or _in_line(heads[name], tip, parents))
        )
        tips[next(fitting)] = tip
    planned.tips = tips
    return planned


def _candidates(branch: str) -> Iterator[str]:
    yield branch
    base = branch.partition("/fork-")[0]
    yield from (f"{base}/fork-{number}" for number in count(1))


def _in_line(one: str, other: str, parents: Mapping[str, str | None]) -> bool:
    """Whether one of two commits leads to the other."""
    return one in _line_of(other, parents) or other in _line_of(one, parents)


def _line_of(commit_id: str | None, parents: Mapping[str, str | None]) -> Iterator[str]:
    while commit_id:
        yield commit_id
        commit_id = parents.get(commit_id)


class _Planning:
    """A plan that is being made."""

    def __init__(self, transcript: Transcript, author: str, earlier: Iterable[Earlier]) -> None:
        self._transcript, self._author = transcript, author
        self._by_id = {entry.entry_id: entry for entry in transcript.entries}
        self._earlier: dict[tuple[str | None, str], Earlier] = {
            (one.parent, one.entries[0][0]): one for one in earlier if one.entries
        }
        self._planned = Planned()

    def plan(self) -> Planned:
        written: dict[str, str] = {}
        for segment in self._segments():
            self._store(segment)
            if segment.tip:
                self._planned.tips[segment.branch] = segment.tip
                times = [entry.time for entry in segment.entries]
                written[segment.branch] = max([written.get(segment.branch, ""), *times])
        newest_first = sorted(self._planned.tips, key=written.__getitem__, reverse=True)
        self._planned.tips = {branch: self._planned.tips[branch] for branch in newest_first}
        return self._planned

    def _segments(self) -> list[_Segment]:
        """Turns, cut where the transcript forks, parents first."""
        children = Counter(entry.parent for entry in self._transcript.entries)
        holding: dict[str, _Segment] = {}
        found: list[_Segment] = []
        branches = _Branches(self._transcript.name)
        for entry in self._transcript.entries:
            segment = holding.get(entry.parent or "")
            if segment is None or entry.opens_turn or entry.keeps is not None or children[entry.parent] > 1:
                segment = _Segment([], segment, branches.of(entry, segment.branch if segment else None))
                found.append(segment)
            segment.entries.append(entry)
            holding[entry.entry_id] = segment
        return found

    def _store(self, segment: _Segment) -> None:
        """Find what is stored already of a segment, and make a commit of the rest."""
        above = segment.above
        segment.tip = above.tip if above else None
        left = [*(above.waiting if above else ()), *segment.entries]
        while left and (known := self._earlier.get((segment.tip, left[0].lines[0]))):
            shared = min(len(left), len(known.entries))
            if tuple(entry.lines for entry in left[:shared]) != known.entries[:shared]:
                break
            if shared < len(known.entries):
                # A fork inside of what is one commit here: whoever goes on from here says what comes of it.
                segment.waiting = tuple(left)
                return
            segment.tip, left = known.commit_id, left[shared:]
        if left:
            segment.tip = self._commit(segment.tip, left)

    def _commit(self, parent: str | None, entries: Sequence[Entry]) -> str:
        kept = [found for entry in entries if (found := self._kept(entry))]
        models = [entry.model for entry in entries if entry.model]
        commit = Commit(
            parents=(parent,) if parent else (),
            operations=tuple(operation for operation, _ in kept),
            author=self._author,
            agent=self._transcript.agent,
            time=max(entry.time for entry in entries),
            message="Compacted" if entries[0].keeps is not None else _title(text for _, text in kept),
            metadata=self._metadata(entries, first=parent is None),
            generation={"model": models[-1]} if models else {},
        )
        self._planned.messages += len(kept)
        self._planned.commits.append((commit.commit_id, commit))
        return commit.commit_id

    def _kept(self, entry: Entry) -> tuple[dict[str, Any], str] | None:
        """What an entry does, and its words: it is appended, or as a summary covers what was shown before it."""
        try:
            message = parse_message(redacted(entry.message, self._planned.redactions))
            blob = Blob.of(message)
        except InvalidInputError as error:
            self._planned.problems.append(f"{entry.entry_id}: {error.detail}")
            return None
        self._planned.blobs[blob.blob_id] = blob.encoded
        operation = {"op": "append", "slot": self._slot(entry), "blob": blob.blob_id}
        covers = self._covered(entry)
        return (operation | {"op": "cover", "covers": covers} if covers else operation), text_of(message)

    def _slot(self, entry: Entry) -> str:
        return identify("slot", canonical(["transcript", self._transcript.agent, entry.entry_id]))[:SLOT_DIGITS]

    def _covered(self, summary: Entry) -> list[str]:
        """The slots that a summary stands for."""
        if summary.keeps is None:
            return []
        return [self._slot(entry) for entry in self._shown_before(summary) if summary.keeps.isdisjoint(entry.lines)]

    def _shown_before(self, entry: Entry) -> list[Entry]:
        """What the window shows before an entry, in order: all since the last summary, that, and what it kept."""
        above: list[Entry] = []
        at = self._by_id.get(entry.parent or "")
        while at is not None:
            above.append(at)
            at = self._by_id.get(at.parent or "")
        shown: list[Entry] = []
        for one in reversed(above):
            if one.keeps is not None:
                kept = one.keeps
                shown = [one, *(old for old in shown if not kept.isdisjoint(old.lines))]
            else:
                shown.append(one)
        return shown

    def _metadata(self, entries: Sequence[Entry], *, first: bool) -> dict[str, Any]:
        about: dict[str, Any] = {"entries": [list(entry.lines) for entry in entries]}
        usage = [dict(entry.usage) for entry in entries if entry.usage]
        if usage:
            about["usage"] = usage
        if first and entries[0].chain:
            about["sub_agent"] = self._transcript.chains.get(entries[0].chain, {})
        return {METADATA: about}


class _Branches:
    """Names for branches, which stay as a transcript grows: what comes later gets a later number."""

    def __init__(self, base: str) -> None:
        self._base = base
        self._continued: set[str | None] = set()
        self._taken: Counter[str] = Counter()

    def of(self, entry: Entry, above: str | None) -> str:
        """The branch of a segment that begins with an entry: that of what is above it, unless that went on already."""
        if above is not None and entry.parent not in self._continued:
            self._continued.add(entry.parent)
            return above
        agent = "".join(char for char in entry.chain.lower() if char.isascii() and char.isalnum())
        name = above or (f"{self._base}/side-{agent}" if entry.chain else self._base)
        name = name.partition("/fork-")[0]
        self._taken[name] += 1
        return name if self._taken[name] == 1 else f"{name}/fork-{self._taken[name] - 1}"


def _title(texts: Iterable[str]) -> str:
    """The first words of a turn."""
    text = next((text.strip() for text in texts if text.strip()), "")
    line = text.partition("\n")[0]
    return line if len(line) <= _LONGEST_TITLE else f"{line[: _LONGEST_TITLE - 1]}…"
