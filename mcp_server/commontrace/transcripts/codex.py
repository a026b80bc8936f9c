"""Rollout files of Codex: one line a thing, in the order in which it happened. Pure.

Lines are `{timestamp, type, payload}`. `response_item` is what went to the model or came from it, `compacted` stands
for all before it but the prompts, and an event `thread_rolled_back` takes the last turns of the user away.
"""

from collections.abc import Iterable, Mapping
from typing import Any, Final

from commontrace.transcripts.entries import (
    BEGINNING,
    Entry,
    Transcript,
    branch_part,
    json_lines,
    time_of,
)

AGENT: Final = "codex"

_CALLS: Final = frozenset({"function_call", "custom_tool_call"})
_RESULTS: Final = frozenset({"function_call_output", "custom_tool_call_output"})
# What the client puts before a prompt, as the user.
_NO_PROMPT: Final = ("<environment_context>", "<user_instructions>", "<permissions", "<turn_aborted>")


def is_line(fields: Mapping[str, Any]) -> bool:
    """Whether a line can only be Codex's."""
    return fields.get("type") in {"session_meta", "response_item", "turn_context"} and "payload" in fields


def parse(lines: Iterable[str]) -> list[Transcript]:
    """The transcript in a rollout file."""
    reading = _Reading(Transcript(AGENT, ""))
    for number, fields in json_lines(lines, reading.transcript):
        payload = fields.get("payload")
        reading.take(number, fields, payload if isinstance(payload, dict) else {})
    reading.transcript.name = f"codex/{branch_part(reading.session[-12:])}"
    return [reading.transcript]


class _Reading:
    """A transcript that is being read, line by line."""

    def __init__(self, transcript: Transcript) -> None:
        self.transcript = transcript
        self.session = ""
        self._at: str | None = None
        self._model = ""
        self._time = BEGINNING
        self._turns: list[str | None] = []  # what each prompt of the user followed
        self._prompts: list[str] = []

    def take(self, number: int, fields: Mapping[str, Any], payload: Mapping[str, Any]) -> None:
        self._time = time_of(fields.get("timestamp"), self._time)
        kind, inner = str(fields.get("type")), str(payload.get("type"))
        if kind == "session_meta":
            # A forked session repeats the lines of the one that it comes from, and its head is the first.
            self.session = self.session or str(payload.get("id") or "")
        elif kind == "turn_context":
            self._model = str(payload.get("model") or self._model)
        elif kind == "compacted" and isinstance(payload.get("message"), str):
            self._add(number, {"role": "user", "content": payload["message"]}, keeps=frozenset(self._prompts))
        elif kind == "event_msg" and inner == "thread_rolled_back":
            self._roll_back(payload.get("num_turns"))
        elif kind == "response_item" and (message := _message(inner, payload)):
            self._add(number, message)
        else:
            self.transcript.left_out[inner if kind in {"event_msg", "response_item"} else kind] += 1

    def _roll_back(self, turns: Any) -> None:
        for _ in range(min(turns, len(self._turns)) if isinstance(turns, int) else 0):
            self._at = self._turns.pop()

    def _add(self, number: int, message: Mapping[str, Any], keeps: frozenset[str] | None = None) -> None:
        entry_id = f"{self.session}:{number}"
        prompt = keeps is None and _is_prompt(message)
        if prompt:
            self._turns.append(self._at)
            self._prompts.append(entry_id)
        self.transcript.entries.append(
            Entry(
                entry_id=entry_id,
                parent=self._at,
                message=message,
                time=self._time,
                lines=(entry_id,),
                opens_turn=prompt,
                keeps=keeps,
                model=self._model if message["role"] == "assistant" else "",
            )
        )
        self._at = entry_id


def _message(kind: str, payload: Mapping[str, Any]) -> dict[str, Any] | None:
    """A message in OpenAI's chat shape, of an item in the shape of its responses; None for what is none."""
    if kind == "message" and isinstance(payload.get("role"), str) and isinstance(payload.get("content"), list):
        return {"role": payload["role"], "content": [_part(part) for part in payload["content"]]}
    if kind in _CALLS and isinstance(payload.get("call_id"), str) and isinstance(payload.get("name"), str):
        arguments = payload.get("arguments", payload.get("input"))
        call = {"id": payload["call_id"], "function": {"name": payload["name"], "arguments": arguments}}
        return {"role": "assistant", "content": None, "tool_calls": [call]}
    if kind in _RESULTS and isinstance(payload.get("call_id"), str):
        output = payload.get("output")
        said = output.get("content", output) if isinstance(output, dict) else output
        return {"role": "tool", "tool_call_id": payload["call_id"], "content": said}
    if kind == "reasoning":
        return {"role": "assistant", "content": [dict(payload)]}
    return None


def _part(part: Any) -> Any:
    """Text as every provider has it; anything else as it is."""
    if isinstance(part, dict) and part.get("type") in {"input_text", "output_text"} and "text" in part:
        return {"type": "text", "text": part["text"]}
    return part


def _is_prompt(message: Mapping[str, Any]) -> bool:
    content = message["content"]
    if message["role"] != "user" or not isinstance(content, list):
        return False
    texts = [part["text"] for part in content if isinstance(part, dict) and isinstance(part.get("text"), str)]
    return not (texts and texts[0].lstrip().startswith(_NO_PROMPT))
