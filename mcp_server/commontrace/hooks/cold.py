"""What is known without a server: what it wrote down for the start of a run, and which commands are risky."""

import json
import os
import re
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from commontrace.hooks.surroundings import Surroundings

_SAID: Final = 3
"""Reasons that fit into a question."""
_LONGEST_COMMAND: Final = 64_000
_AROUND: Final = re.compile(r"<(?=/?system-reminder)", re.IGNORECASE)
"""What Claude Code puts around the words of a hook: none of them may end it."""


def answer(around: "Surroundings", name: str, event: bytes) -> bytes:
    """What to print of an event without asking anybody; raises whatever is wrong with the event."""
    if name == "session-start":
        return started(around.folder, json.loads(event))
    if name == "pre-tool-use":
        return question(_risks(around.folder, command_of(json.loads(event))))
    return b""


def context(event_name: str, text: str) -> bytes:
    """What tells the agent something; nothing for no text."""
    inside = _AROUND.sub("< ", text)
    said = {"hookSpecificOutput": {"hookEventName": event_name, "additionalContext": inside}}
    return json.dumps(said).encode() if text else b""


def question(reasons: list[str]) -> bytes:
    """What has the agent's client ask its user before a command runs; nothing without reasons."""
    said = {
        "hookEventName": "PreToolUse",
        "permissionDecision": "ask",
        "permissionDecisionReason": " ".join(["CommonTrace:", *reasons[:_SAID]]),
    }
    return json.dumps({"hookSpecificOutput": said}).encode() if reasons else b""


def command_of(event: Any) -> str:
    """The shell command of an event; empty for every other tool, and for one that is too long to look at."""
    command = event["tool_input"]["command"] if event["tool_name"] == "Bash" else ""
    return command if isinstance(command, str) and len(command) <= _LONGEST_COMMAND else ""


def _risks(folder: str, command: str) -> list[str]:
    """Why to ask: what the command would do, and that it was asked about before."""
    if not command.strip():
        return []
    import sqlite3

    from commontrace.hooks.notes import Notes
    from commontrace.safety.use_check import lookup_keys, risks_before_use, worth_asking

    reasons = worth_asking(risks_before_use(command))
    try:
        return [*reasons, *Notes(folder).risky(lookup_keys(command))]
    except sqlite3.Error:  # what the command does is known without notes
        return reasons


def project_of(event: Any) -> str:
    """The name of the project that an event comes from, which does not tell its path."""
    from pathlib import Path

    from commontrace.project import working_copy

    return working_copy(Path(str(event["cwd"])))


def started(folder: str, event: Any) -> bytes:
    """What a run is told at its start, and after a compaction where its transcript went."""
    if event.get("source") == "compact":
        return context("SessionStart", _kept(folder, str(event["session_id"])))
    from commontrace.hooks.notes import Notes

    return context("SessionStart", Notes(folder).brief(project_of(event)))


def _kept(folder: str, run: str) -> str:
    """Where what was said before a compaction is; empty where it is not kept."""
    from commontrace.hooks.notes import Notes

    branch = next((one.branch for one in Notes(folder).captures() if one.run == run), "")
    if not branch and _is_spooled(folder, run):
        branch = branch_of(run)
    if not branch:
        return ""
    return (
        f"CommonTrace keeps what was said before this compaction, word for word, on branch {branch}. "
        f"context_log(ref='{branch}') lists it; the commit before the one called Compacted holds all of it: "
        "context_show(ref=ITS_ID) within a budget, or for the user: trace resume ITS_ID"
    )


def branch_of(run: str) -> str:
    """The branch on which the transcript of a run of Claude Code is kept, as the import of transcripts names it."""
    digits = "".join(char for char in run.lower() if char.isascii() and char.isalnum())
    return f"claude/{digits[:8] or 'unnamed'}"


def spool_of(folder: str) -> str:
    """The folder of transcripts that wait to be kept."""
    return os.path.join(folder, "spool")


def _is_spooled(folder: str, run: str) -> bool:
    return os.path.exists(os.path.join(spool_of(folder), f"{_file(run)}.json"))


def _file(run: str) -> str:
    return "".join(char for char in run if char.isascii() and (char.isalnum() or char == "-"))[:100]


def spooled(around: "Surroundings", name: str, event: bytes) -> bool:
    """Leave a note that a run's transcript is to be kept in a local store, if that was chosen; a server does it."""
    if not around.capture or around.url.startswith(("http://", "https://")):
        return False
    from commontrace.hooks.doors import store_of

    said = json.loads(event)
    waiting = {key: str(said[key]) for key in ("session_id", "transcript_path", "cwd")}
    folder, run = spool_of(around.folder), _file(waiting["session_id"])
    if not run:
        return False
    os.makedirs(folder, mode=0o700, exist_ok=True)
    path = os.path.join(folder, f"{run}.json")
    part = f"{path}.{os.getpid()}.part"
    file = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(file, "w", encoding="ascii") as out:
        json.dump({**waiting, "because": name, "store": store_of(around.url)}, out)
    os.replace(part, path)
    return True
