"""An agent whose hooks ask a running server, as Claude Code's do."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from commontrace import AsyncClient
from commontrace.hooks import calling, doors
from commontrace.hooks.running import answering_hooks
from commontrace.hooks.surroundings import hooks_folder

PAYLOADS = [
    json.loads(line)
    for line in (Path(__file__).parent / "mcp_server/hooks/payloads.jsonl").read_text(encoding="utf-8").splitlines()
]
"""What Claude Code 2.1.329 gave to its hooks in a run, a compaction and another run."""

NAMES = {
    "SessionStart": "session-start",
    "PreToolUse": "pre-tool-use",
    "PostToolUse": "post-tool-use",
    "PostToolUseFailure": "post-tool-use-failure",
    "PreCompact": "pre-compact",
    "SessionEnd": "session-end",
}
"""The hook that answers each event."""

PATIENT = 60.0


def recorded(event: str, **changes: Any) -> dict[str, Any]:
    """The first recorded payload of an event, changed."""
    return {**next(one for one in PAYLOADS if one["hook_event_name"] == event), **changes}


class Agent:
    """A run of an agent in a project, beside a server."""

    def __init__(self, url: str, project: Path, run: str = "run-1") -> None:
        self.url, self.project, self.run = url, project, run

    async def hook(self, event: str, **fields: Any) -> str:
        """What a hook prints, however slow the machine is."""
        said = json.dumps({"session_id": self.run, "cwd": str(self.project), "hook_event_name": event, **fields})
        answered = await asyncio.to_thread(doors.ask, hooks_folder(), self.url, NAMES[event], said.encode(), PATIENT)
        return (answered or b"").decode()

    async def fails(self, command: str, error: str, code: int = 1) -> str:
        """What the agent is told when a command fails."""
        call = {"tool_name": "Bash", "tool_input": {"command": command}, "error": f"Exit code {code}\n{error}"}
        return told(await self.hook("PostToolUseFailure", **call, is_interrupt=False))

    async def passes(self, command: str, output: str = "ok", **response: Any) -> str:
        """What the agent is told when a command passes."""
        said = {"stdout": output, "stderr": "", "interrupted": False, **response}
        return told(
            await self.hook("PostToolUse", tool_name="Bash", tool_input={"command": command}, tool_response=said)
        )

    async def edits(self, path: str, old: str, new: str) -> None:
        """Change a file."""
        given = {"file_path": str(self.project / path), "old_string": old, "new_string": new}
        assert not await self.hook("PostToolUse", tool_name="Edit", tool_input=given, tool_response={})

    def starts(self, source: str = "startup") -> str:
        """What the agent is told at its start; nobody has to run."""
        event = {"session_id": self.run, "cwd": str(self.project), "source": source}
        return told(calling.answer("session-start", json.dumps(event).encode(), self.url).decode())


def told(printed: str) -> str:
    """The words for the agent in what a hook prints; empty where it says nothing."""
    return str(json.loads(printed)["hookSpecificOutput"]["additionalContext"]) if printed else ""


@asynccontextmanager
async def serving_hooks(client: AsyncClient, project: Path) -> AsyncIterator[Agent]:
    """A server that answers hooks, and an agent whose they are."""
    warm = asyncio.Event()
    warm.set()
    async with answering_hooks(client, project, warm):
        yield Agent(client.url, project)


async def until(what: Any, seconds: float = 30) -> Any:
    """Wait until something is so; returns it."""
    for _ in range(int(seconds / 0.02)):
        if found := what():
            return found
        await asyncio.sleep(0.02)
    raise AssertionError("it never came")
