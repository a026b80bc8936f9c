"""Exports of ChatGPT and Claude accounts: a list of conversations. Pure.

ChatGPT's conversations are trees (`mapping` of nodes with their parents); Claude's are lists of messages, which name
their parents where a message was edited.
"""

from collections.abc import Iterable, Mapping
from typing import Any, Final

from commontrace.transcripts.entries import BEGINNING, Entry, Transcript, branch_part, parents_first, time_of

_NOBODY: Final = "00000000-0000-4000-8000-000000000000"  # the parent of a first message in Claude's exports


def is_chatgpt(value: Any) -> bool:
    """Whether a document is a conversation of ChatGPT's, or a list of them."""
    return all("mapping" in one for one in _conversations(value)) and bool(_conversations(value))


def is_claude(value: Any) -> bool:
    """Whether a document is a conversation of Claude's, or a list of them."""
    return all("chat_messages" in one for one in _conversations(value)) and bool(_conversations(value))


def _conversations(value: Any) -> list[dict[str, Any]]:
    listed = value if isinstance(value, list) else [value]
    return [one for one in listed if isinstance(one, dict)]


def parse_chatgpt(value: Any) -> list[Transcript]:
    """The conversations of a ChatGPT export."""
    found = []
    for conversation in _conversations(value):
        name = str(conversation.get("conversation_id") or conversation.get("id") or conversation.get("create_time"))
        transcript = Transcript("chatgpt", f"chatgpt/{branch_part(name)}")
        mapping = conversation["mapping"]
        nodes = mapping if isinstance(mapping, dict) else {}
        parents_first(_chatgpt_entries(nodes, transcript), transcript)
        found.append(transcript)
    return found


def _chatgpt_entries(nodes: Mapping[str, Any], transcript: Transcript) -> Iterable[Entry]:
    time = BEGINNING
    for node_id, node in nodes.items():
        message = node.get("message") if isinstance(node, dict) else None
        message = message if isinstance(message, dict) else {}
        said = _chatgpt_message(message)
        if said is None:
            transcript.left_out["an empty node"] += 1
            continue
        time = time_of(message.get("create_time"), time)
        about = message.get("metadata")
        model = about.get("model_slug") if isinstance(about, dict) and said["role"] == "assistant" else ""
        yield Entry(
            entry_id=node_id,
            parent=_chatgpt_parent(nodes, node),
            message=said,
            time=time,
            lines=(node_id,),
            opens_turn=said["role"] == "user",
            model=str(model or ""),
        )


def _chatgpt_parent(nodes: Mapping[str, Any], node: Mapping[str, Any]) -> str | None:
    """The nearest node above that says something."""
    seen: set[str] = set()
    above = node.get("parent")
    while isinstance(above, str) and above not in seen:
        seen.add(above)
        upper = nodes.get(above)
        if not isinstance(upper, dict):
            return None
        if isinstance(upper.get("message"), dict) and _chatgpt_message(upper["message"]):
            return above
        above = upper.get("parent")
    return None


def _chatgpt_message(message: Mapping[str, Any]) -> dict[str, Any] | None:
    author, content = message.get("author"), message.get("content")
    if not isinstance(author, dict) or not isinstance(content, dict):
        return None
    parts = content.get("parts") if isinstance(content.get("parts"), list) else [content.get("text")]
    # Parts that are no texts point to files that the export does not hold in a form that a model takes.
    said = [_text(part) if isinstance(part, str) else part for part in parts or [] if part]
    if not said or not all(isinstance(part, dict) for part in said):
        return None
    typed = [part if "type" in part else {"type": str(part.get("content_type", "part")), **part} for part in said]
    role = str(author.get("role") or "user")
    # A tool's words answer no call with an id here: they stand for themselves.
    named = {"name": str(author.get("name") or "tool")} if role == "tool" else {}
    return {"role": "user" if role == "tool" else role, "content": typed, **named}


def _text(text: str) -> dict[str, str]:
    return {"type": "text", "text": text}


def parse_claude(value: Any) -> list[Transcript]:
    """The conversations of a Claude export."""
    found = []
    for conversation in _conversations(value):
        transcript = Transcript("claude", f"claude-export/{branch_part(str(conversation.get('uuid')))}")
        listed = conversation["chat_messages"]
        messages = [one for one in listed if isinstance(one, dict)] if isinstance(listed, list) else []
        parents_first(_claude_entries(messages, transcript), transcript)
        found.append(transcript)
    return found


def _claude_entries(messages: Iterable[Mapping[str, Any]], transcript: Transcript) -> Iterable[Entry]:
    before: str | None = None
    for number, message in enumerate(messages):
        role = {"human": "user", "assistant": "assistant"}.get(str(message.get("sender")))
        content = _claude_content(message)
        if role is None or not content:
            transcript.left_out["an empty message"] += 1
            continue
        entry_id = str(message.get("uuid") or number)
        parent = message.get("parent_message_uuid", before)
        yield Entry(
            entry_id=entry_id,
            parent=None if parent == _NOBODY else parent,
            message={"role": role, "content": content},
            time=time_of(message.get("created_at")),
            lines=(entry_id,),
            opens_turn=role == "user",
        )
        before = entry_id


def _claude_content(message: Mapping[str, Any]) -> list[Any]:
    """Texts as texts; calls and their results lack the ids that would tie them, and stay as they are."""
    blocks = message.get("content")
    said: list[Any] = [
        _text(block["text"]) if block.get("type") == "text" else {**block, "type": f"claude_{block['type']}"}
        for block in (blocks if isinstance(blocks, list) else [])
        if isinstance(block, dict) and isinstance(block.get("type"), str) and block.get("text") != ""
    ]
    files = message.get("attachments")
    said += [
        _text(f"{file.get('file_name', 'attachment')}:\n{file['extracted_content']}")
        for file in (files if isinstance(files, list) else [])
        if isinstance(file, dict) and isinstance(file.get("extracted_content"), str)
    ]
    if not said and isinstance(message.get("text"), str) and message["text"]:
        said.append(_text(message["text"]))
    return said
