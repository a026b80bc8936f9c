"""Session files of Claude Code: lines of JSON that name their parents. Pure.

One message of the API stands on several lines (one a block), the results of parallel calls are siblings, a compaction
begins a new root that names its logical parent, and sub-agents write lines that are marked as a side chain, today into
files of their own. Written from what version 2.1.329 writes, and earlier ones wrote.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

from commontrace.transcripts.entries import (
    BEGINNING,
    Entry,
    Known,
    Transcript,
    branch_part,
    json_lines,
    parents_first,
    time_of,
)

AGENT: Final = "claude-code"

# What the client tells the model anew in every session; it would tell it a second time.
_SAID_ANEW: Final = frozenset(
    {
        "agent_listing_delta",
        "date",
        "deferred_tools_delta",
        "environment",
        "mcp_instructions_delta",
        "model",
        "prompt_snapshot",
        "remote_session_change",
        "session_context",
        "skill_listing",
    }
)
_NO_PROMPT: Final = ("<local-command-stdout>", "<local-command-stderr>", "[Request interrupted")


@dataclass(frozen=True, slots=True)
class _Line:
    """A line with an id: what it says, and whether it is a message."""

    uuid: str
    parent: str | None
    chain: str
    fields: Mapping[str, Any]
    message: Mapping[str, Any] | None


def is_line(fields: Mapping[str, Any]) -> bool:
    """Whether a line can only be Claude Code's."""
    return "sessionId" in fields and isinstance(fields.get("type"), str)


def parse(lines: Iterable[str], known: Known) -> list[Transcript]:
    """The transcript in a session file; lines of its sub-agents may follow.

    Args:
        lines: of the file.
        known: lines that were imported before. A message whose lines came in several imports stays in parts, as it is
            stored.
    """
    transcript = Transcript(AGENT, "")
    read: dict[str, _Line] = {}
    session = ""
    for _, fields in json_lines(lines, transcript):
        session = session or str(fields.get("sessionId") or "")
        line = _line(fields, transcript, read)
        if line and read.setdefault(line.uuid, line) is not line:
            transcript.left_out["a repeated line"] += 1
    transcript.name = f"claude/{branch_part(session)}"
    parents_first(_Threading(read, known).entries(), transcript)
    _describe(transcript, read)
    return [transcript]


def _line(fields: Mapping[str, Any], transcript: Transcript, before: Mapping[str, _Line]) -> _Line | None:
    """A line that has a place in the tree; one that holds no message is counted."""
    kind, uuid = str(fields.get("type")), fields.get("uuid")
    message, why = _message(kind, fields)
    if message is None:
        transcript.left_out[why] += 1
    if not isinstance(uuid, str):
        return None
    chain = str(fields.get("agentId") or "chain") if fields.get("isSidechain") else ""
    parent = fields.get("parentUuid")
    if not parent and fields.get("logicalParentUuid") in before:
        # In a file that was forked off behind a compaction the same id names what was kept, which follows it.
        parent = fields["logicalParentUuid"]
    return _Line(uuid, parent if isinstance(parent, str) else None, chain, fields, message)


def _message(kind: str, fields: Mapping[str, Any]) -> tuple[Mapping[str, Any] | None, str]:
    """What a line said to the model or the model said; or None, and what it is instead."""
    if kind == "attachment":
        return _attachment(fields)
    if kind not in {"user", "assistant"}:
        return None, str(fields.get("subtype") or kind) if kind == "system" else kind
    if fields.get("isApiErrorMessage"):
        return None, "an API error"
    said = fields.get("message")
    if not isinstance(said, dict) or not isinstance(said.get("content"), (str, list)) or "uuid" not in fields:
        return None, f"a {kind} line without a message"
    return {"role": kind, "content": said["content"]}, ""


def _attachment(fields: Mapping[str, Any]) -> tuple[Mapping[str, Any] | None, str]:
    attachment, rendered = fields.get("attachment"), fields.get("rendered")
    kind = str(attachment.get("type")) if isinstance(attachment, dict) else "nothing"
    blocks = rendered if isinstance(rendered, list) else []
    texts = [block.get("content") for block in blocks if isinstance(block, dict)]
    parts = [part for text in texts for part in (text if isinstance(text, list) else [text]) if part]
    if kind in _SAID_ANEW or not parts:
        return None, f"attachment: {kind}"
    return {"role": "user", "content": parts, "attachment": kind}, ""


class _Threading:
    """Makes messages of lines, and one thread of what belongs to one answer of the API."""

    def __init__(self, lines: Mapping[str, _Line], known: Known) -> None:
        self._lines, self._known = lines, known
        self._answer_of: dict[str, str] = {}  # a line to the first line of the answer that it belongs to
        self._answers: dict[str, list[_Line]] = {}
        self._last_of: dict[str, str] = {}

    def entries(self) -> list[Entry]:
        """Every message, its parent being the message before it."""
        for line in self._lines.values():
            self._place(line)
        threads = [self._thread(members) for members in self._answers.values()]
        for first, thread in zip(self._answers, threads, strict=True):
            self._last_of[first] = thread[-1].entry_id
        found: list[Entry] = []
        time = BEGINNING
        for first, thread in zip(self._answers, threads, strict=True):
            above = self._above(self._lines[first])
            for entry in thread:
                time = time_of(self._lines[entry.entry_id].fields.get("timestamp"), time)
                found.append(replace(entry, parent=above, time=time))
                above = entry.entry_id
        return found

    def _place(self, line: _Line) -> None:
        """Find the answer that a line belongs to: its own, unless it goes on with one or is a result of one."""
        if line.message is None:
            return
        above = self._nearest(line)
        first = self._answer_of.get(above) if above else None
        if first is None or not self._goes_on(self._answers[first], line):
            first = line.uuid
        self._answer_of[line.uuid] = first
        self._answers.setdefault(first, []).append(line)

    def _nearest(self, line: _Line) -> str | None:
        """The nearest line above that is a message of the same chain."""
        seen: set[str] = set()
        above = line.parent
        while above and above not in seen:
            seen.add(above)
            upper = self._lines.get(above)
            if upper is None or upper.chain != line.chain:
                return None
            if upper.message is not None:
                return above
            above = upper.parent
        return None

    def _goes_on(self, answer: list[_Line], line: _Line) -> bool:
        if _kind(answer[0]) != "assistant" or line.fields.get("isCompactSummary"):
            return False
        if _kind(line) == "assistant":
            return _api_id(line) is not None and _api_id(line) == _api_id(answer[0])
        return _is_result(line)

    def _thread(self, members: list[_Line]) -> list[Entry]:
        """The lines of an answer as messages: its blocks in one, each result behind it."""
        messages: dict[tuple[bool, str], list[_Line]] = {}
        for line in members:
            whole = _kind(line) == "assistant"
            messages.setdefault((whole, self._known.get(line.uuid, "") if whole else line.uuid), []).append(line)
        return [self._entry(lines) for lines in messages.values()]

    def _entry(self, lines: list[_Line]) -> Entry:
        first = lines[0]
        said = first.fields.get("message")
        api: Mapping[str, Any] = said if isinstance(said, dict) else {}
        last = lines[-1].fields.get("message")
        usage = last.get("usage") if isinstance(last, dict) else None
        return Entry(
            entry_id=first.uuid,
            parent=None,
            message=_merged([line.message for line in lines if line.message]),
            time=BEGINNING,
            lines=tuple(line.uuid for line in lines),
            opens_turn=_is_prompt(first),
            chain=first.chain,
            keeps=self._keeps(first),
            model=str(api.get("model") or ""),
            usage=usage if isinstance(usage, dict) else {},
        )

    def _keeps(self, line: _Line) -> frozenset[str] | None:
        """The lines that a compaction left as they are; None for anything but its summary."""
        if not line.fields.get("isCompactSummary"):
            return None
        boundary = self._lines.get(line.parent or "")
        about = boundary.fields.get("compactMetadata") if boundary else None
        about = about if isinstance(about, dict) else {}
        listed = about.get("preservedMessages")
        if isinstance(listed, dict) and isinstance(listed.get("uuids"), list):
            return frozenset(uuid for uuid in listed["uuids"] if isinstance(uuid, str))
        return frozenset(self._segment(about.get("preservedSegment")))

    def _segment(self, segment: Any) -> Iterable[str]:
        """The lines from the tail of a segment up to its head."""
        if not isinstance(segment, dict):
            return
        head, line = segment.get("headUuid"), self._lines.get(str(segment.get("tailUuid")))
        seen: set[str] = set()
        while line and line.uuid not in seen:
            seen.add(line.uuid)
            yield line.uuid
            line = None if line.uuid == head else self._lines.get(line.parent or "")

    def _above(self, line: _Line) -> str | None:
        above = self._nearest(line)
        return self._last_of[self._answer_of[above]] if above in self._answer_of else None


def _kind(line: _Line) -> str:
    return str(line.fields["type"])


def _api_id(line: _Line) -> Any:
    said = line.fields.get("message")
    return said.get("id") if isinstance(said, dict) else None


def _is_result(line: _Line) -> bool:
    content = line.message["content"] if line.message and _kind(line) == "user" else None
    return isinstance(content, list) and any(
        isinstance(block, dict) and block.get("type") == "tool_result" for block in content
    )


def _is_prompt(line: _Line) -> bool:
    """Whether a person, or who stands for one, begins a turn here."""
    if _kind(line) != "user" or line.fields.get("isMeta") or line.fields.get("isCompactSummary") or _is_result(line):
        return False
    content = line.message["content"] if line.message else ""
    return not (isinstance(content, str) and content.startswith(_NO_PROMPT))


def _merged(messages: list[Mapping[str, Any]]) -> Mapping[str, Any]:
    if len(messages) == 1:
        return messages[0]
    blocks: list[Any] = []
    for message in messages:
        content = message["content"]
        blocks += [{"type": "text", "text": content}] if isinstance(content, str) else content
    return {**messages[0], "content": blocks}


def _describe(transcript: Transcript, read: Mapping[str, _Line]) -> None:
    """Say of each sub-agent what its first line says."""
    for entry in transcript.entries:
        if entry.chain and entry.chain not in transcript.chains:
            fields = read[entry.entry_id].fields
            transcript.chains[entry.chain] = {"agent_id": fields["agentId"]} if fields.get("agentId") else {}
