"""A window as a session file that Claude Code opens again. Pure."""

import json
from collections.abc import Mapping, Sequence
from typing import Any, Final
from uuid import NAMESPACE_URL, uuid5

from commontrace.providers.anthropic import to_anthropic
from commontrace.providers.messages import Message

# The client asks for a version and a model in every line; what it has not written itself needs no more than this.
_VERSION: Final = "2.1.0"
_MODEL: Final = "commontrace-import"


def session_lines(messages: Sequence[Message], session_id: str, folder: str, time: str) -> str:
    """The lines of a session file: turns that alternate, every call answered, each naming the one before it.

    Args:
        messages: canonical messages, as a window gives them.
        session_id: a UUID, which also names the file.
        folder: the directory that the session belongs to.
        time: when the window's newest commit was made, ISO 8601.
    """
    system, turns = to_anthropic(messages)
    if system:
        told = {"type": "text", "text": f"<system-reminder>\n{system}\n</system-reminder>"}
        turns = _begun_with(turns, told)
    lines: list[str] = []
    parent: str | None = None
    for number, turn in enumerate(turns):
        uuid = str(uuid5(NAMESPACE_URL, f"commontrace:{session_id}:{number}"))
        fields = {
            "parentUuid": parent,
            "isSidechain": False,
            "userType": "external",
            "cwd": folder,
            "sessionId": session_id,
            "version": _VERSION,
            "type": turn["role"],
            "message": turn if turn["role"] == "user" else _answer(turn, uuid),
            "uuid": uuid,
            "timestamp": time,
        }
        lines.append(json.dumps(fields, ensure_ascii=False))
        parent = uuid
    return "".join(f"{line}\n" for line in lines)


def _begun_with(turns: Sequence[Mapping[str, Any]], block: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The turns, with a block in front of what the user says first."""
    first = turns[0]["content"] if turns else []
    return [{"role": "user", "content": [block, *first]}, *map(dict, turns[1:])]


def _answer(turn: Mapping[str, Any], uuid: str) -> dict[str, Any]:
    """An answer of the model as the API gives it."""
    calls = any(block["type"] == "tool_use" for block in turn["content"])
    return {
        "id": f"msg_{uuid.replace('-', '')}",
        "type": "message",
        "role": "assistant",
        "model": _MODEL,
        "content": turn["content"],
        "stop_reason": "tool_use" if calls else "end_turn",
        "stop_sequence": None,
        "usage": {"input_tokens": 0, "output_tokens": 0},
    }


def project_folder(folder: str) -> str:
    """What Claude Code calls the folder of a directory's sessions."""
    return "".join(char if char.isascii() and char.isalnum() else "-" for char in folder)
