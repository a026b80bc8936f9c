"""What a file is, and the transcripts in it. Pure."""

import json
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final

from commontrace.errors import InvalidInputError
from commontrace.models.contexts import TranscriptFormat
from commontrace.transcripts import claude_code, codex, exports, messages
from commontrace.transcripts.entries import Known, Transcript

_LOOKED_AT: Final = 50  # lines, until one says what the file is


def read(text: str, wanted: TranscriptFormat, known: Known) -> list[Transcript]:
    """The transcripts in a file.

    Args:
        text: the file.
        wanted: what wrote it; `auto` finds out.
        known: lines that were imported before, and the commit that each is in.

    Raises:
        InvalidInputError: it holds no messages, or is of no known format.
    """
    kind = _detected(text) if wanted == "auto" else wanted
    found = _by_name(_read(text, kind, known))
    if not any(transcript.entries for transcript in found):
        problem = next((problem for transcript in found for problem in transcript.problems), "")
        said = f": {problem}" if problem else ""
        raise InvalidInputError(
            f"There are no messages of {kind} in this file{said}.", "Give the right file, or its --format."
        )
    return [transcript for transcript in found if transcript.entries]


def _by_name(transcripts: Iterable[Transcript]) -> list[Transcript]:
    """Conversations that begin alike are one, which forks."""
    found: dict[str, Transcript] = {}
    for transcript in transcripts:
        first = found.setdefault(transcript.name, transcript)
        if first is not transcript:
            there = {entry.entry_id for entry in first.entries}
            first.entries += [entry for entry in transcript.entries if entry.entry_id not in there]
            first.left_out += transcript.left_out
            first.problems += transcript.problems
    return list(found.values())


def _read(text: str, kind: str, known: Known) -> list[Transcript]:
    if kind == "claude-code":
        return claude_code.parse(text.split("\n"), known)
    if kind == "codex":
        return codex.parse(text.split("\n"))
    if kind in {"openai", "anthropic"}:
        return messages.parse(text, kind)
    parse, fits = _EXPORTS[kind]
    value = _document(text)
    return parse(value) if fits(value) else []


def _document(text: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None


_EXPORTS: Final[Mapping[str, tuple[Callable[[Any], list[Transcript]], Callable[[Any], bool]]]] = {
    "chatgpt": (exports.parse_chatgpt, exports.is_chatgpt),
    "claude": (exports.parse_claude, exports.is_claude),
}


def _detected(text: str) -> str:
    """What a file is, by its content."""
    value = _document(text)
    for kind, (_, fits) in _EXPORTS.items():
        if fits(value):
            return kind
    lines = (_document(line) for line in text.split("\n", _LOOKED_AT)[:_LOOKED_AT])
    kind = _kind(value) or next((kind for line in lines if (kind := _kind(line))), "")
    if not kind:
        raise InvalidInputError(
            "This is no transcript that CommonTrace knows.",
            "Give a session of Claude Code or Codex, messages, or an export of ChatGPT or Claude; or say its --format.",
        )
    return kind


def _kind(value: Any) -> str:
    """What a document, or a line, can only be of; empty for anything else."""
    if isinstance(value, dict) and codex.is_line(value):
        return codex.AGENT
    if isinstance(value, dict) and claude_code.is_line(value):
        return claude_code.AGENT
    return _provider(value) if messages.conversation_in(value) else ""


def _provider(value: Any) -> str:
    """Whose shape a list of messages has; plain texts are the same for both."""
    if isinstance(value, dict) and "system" in value:
        return "anthropic"
    blocks = [
        block.get("type")
        for message in messages.conversation_in(value) or []
        for block in (message["content"] if isinstance(message.get("content"), list) else [])
        if isinstance(block, dict)
    ]
    return "anthropic" if {"tool_use", "tool_result", "thinking"}.intersection(blocks) else "openai"
