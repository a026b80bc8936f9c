"""Lists of messages as OpenAI and Anthropic take them: one conversation, or one a line. Pure."""

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from commontrace.transcripts.entries import BEGINNING, Entry, Transcript, branch_part, json_lines


def conversation_in(value: Any) -> list[Any] | None:
    """The messages of a request, or of a bare list; None for anything else."""
    messages = value.get("messages") if isinstance(value, dict) else value
    if not isinstance(messages, list) or not messages or not all(_is_message(one) for one in messages):
        return None
    system = value.get("system") if isinstance(value, dict) else None
    return [{"role": "system", "content": system}, *messages] if system else messages


def _is_message(value: Any) -> bool:
    return isinstance(value, dict) and isinstance(value.get("role"), str)


def parse(text: str, provider: str) -> list[Transcript]:
    """The conversations in a text: a JSON document, or one on each line.

    Their messages have no ids of their own: each is told by what was said up to it, so that a longer conversation goes
    on where a shorter one ended.
    """
    try:
        whole = conversation_in(json.loads(text))
    except (ValueError, RecursionError):
        whole = None
    if whole is not None:
        return [_transcript(whole, provider)]
    found: list[Transcript] = []
    noted = Transcript(provider, "")
    for number, fields in json_lines(text.split("\n"), noted):
        conversation = conversation_in(fields)
        if conversation is None:
            noted.problems.append(f"line {number} holds no messages")
        else:
            found.append(_transcript(conversation, provider))
    if found:
        found[0].problems += noted.problems
        found[0].left_out += noted.left_out
    return found


def _transcript(messages: Sequence[Mapping[str, Any]], provider: str) -> Transcript:
    entries: list[Entry] = []
    digest = hashlib.sha256(provider.encode())
    for message in messages:
        digest.update(json.dumps(message, sort_keys=True).encode())
        entry_id = digest.hexdigest()[:32]
        entries.append(
            Entry(
                entry_id=entry_id,
                parent=entries[-1].entry_id if entries else None,
                message=message,
                time=BEGINNING,
                lines=(entry_id,),
                opens_turn=message["role"] == "user" and not _answers(message),
            )
        )
    # The name follows from how the conversation begins: from the first prompt on it stays.
    first = next((entry for entry in entries if entry.opens_turn), entries[0])
    return Transcript(provider, f"{provider}/{branch_part(first.entry_id)}", entries)


def _answers(message: Mapping[str, Any]) -> bool:
    content = message.get("content")
    blocks: Iterable[Any] = content if isinstance(content, list) else ()
    return any(isinstance(block, dict) and block.get("type") == "tool_result" for block in blocks)
