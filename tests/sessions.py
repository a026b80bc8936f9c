"""Session files as Claude Code writes them, made line by line."""

import json
from collections.abc import Iterable
from typing import Any

SESSION = "1f2e3d4c-0000-4000-8000-000000000000"
ANSWERED = "toolu_1"


class Session:
    """The lines of a session file; each follows the one before it unless it says otherwise."""

    def __init__(self, session_id: str = SESSION, agent: str = "") -> None:
        self.session_id = session_id
        self.agent = agent
        self.lines: list[str] = []
        self.last: str | None = None

    def raw(self, **fields: Any) -> None:
        """A line of any kind."""
        self.lines.append(json.dumps({"sessionId": self.session_id, **fields}))

    def line(self, uuid: str, kind: str, *, parent: str | None = "", **fields: Any) -> str:
        """A line with a place in the tree."""
        number = len(self.lines)
        place = {"parentUuid": self.last if parent == "" else parent, "uuid": uuid, "isSidechain": bool(self.agent)}
        named = {"agentId": self.agent} if self.agent else {}
        time = f"2026-11-21T08:{number // 60:02}:{number % 60:02}.500Z"
        self.raw(**{**place, **named, "type": kind, "timestamp": time, **fields})
        self.last = uuid
        return uuid

    def user(self, uuid: str, content: Any, **fields: Any) -> str:
        """What the user says."""
        return self.line(uuid, "user", message={"role": "user", "content": content}, **fields)

    def assistant(self, uuid: str, *blocks: Any, api_id: str = "", **fields: Any) -> str:
        """An answer, or a part of one that stands on several lines."""
        message = {
            "id": api_id or f"msg_{uuid}",
            "type": "message",
            "role": "assistant",
            "model": "claude-opus-5-5",
            "content": list(blocks),
            "usage": {"input_tokens": 10, "output_tokens": 2, "cache_read_input_tokens": 5},
        }
        return self.line(uuid, "assistant", message=message, **fields)

    def said(self, uuid: str, text: str, **fields: Any) -> str:
        """An answer in words."""
        return self.assistant(uuid, {"type": "text", "text": text}, **fields)

    def calls(self, uuid: str, call: str = ANSWERED, **fields: Any) -> str:
        """An answer, or a part of one, that calls a tool."""
        return self.assistant(uuid, {"type": "tool_use", "id": call, "name": "Bash", "input": {"n": 1}}, **fields)

    def result(self, uuid: str, text: str, call: str = ANSWERED, **fields: Any) -> str:
        """What a tool answers."""
        return self.user(uuid, [{"type": "tool_result", "tool_use_id": call, "content": text}], **fields)

    def turn(self, name: str, question: str, answer: str, **fields: Any) -> None:
        """A question and its answer."""
        self.user(f"{name}-u", question, **fields)
        self.said(f"{name}-a", answer)

    def compaction(self, name: str, summary: str, keeps: Iterable[str] = ()) -> None:
        """A boundary, and the summary of what came before."""
        about = {"trigger": "auto", "preservedMessages": {"uuids": list(keeps)}}
        above = self.last
        self.line(
            f"{name}-b",
            "system",
            parent=None,
            logicalParentUuid=above,
            subtype="compact_boundary",
            content="Conversation compacted",
            compactMetadata=about,
        )
        self.user(f"{name}-s", summary, isCompactSummary=True, isVisibleInTranscriptOnly=True)

    @property
    def text(self) -> str:
        """The file."""
        return "".join(f"{line}\n" for line in self.lines)
