"""What past transcripts teach: commands that failed and passed later, and what was done in between. Pure.

It is the same that the hooks remember of a run while it goes on; here it becomes drafts of traces.
"""

import hashlib
import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from commontrace.errors import InvalidInputError
from commontrace.homes import claude_folder, codex_folder
from commontrace.hooks.edits import edit_of, patch_of
from commontrace.hooks.failures import of_result, redacted
from commontrace.hooks.solving import Solved, Solving
from commontrace.models.traces import Contribution, Evidence, FailedAttempt, Source
from commontrace.transcripts.entries import Entry, Transcript
from commontrace.transcripts.files import text_of_transcript
from commontrace.transcripts.reading import read

_SHELLS: Final = frozenset(("Bash", "shell", "shell_command", "exec_command", "local_shell"))
_EXPLAINS: Final = re.compile(
    r"\b(?:because|cause[ds]?|due to|the (?:issue|problem|error|reason|fix) (?:was|is)|root cause|turn(?:s|ed) out|"
    r"missing|needed|requires?)\b",
    re.IGNORECASE,
)
_LONGEST_WORDS: Final = 700
_LARGEST: Final = 50_000_000
"""Bytes of a transcript that is read."""


@dataclass(frozen=True, slots=True)
class Finding:
    """A failure that a transcript resolves.

    Attributes:
        key: names it, so that it is not proposed twice.
        solved: the failure, and what was done.
        explained: what the agent said of it afterwards; may be empty.
        agent: whose transcript it was.
        day: when it was resolved, as ISO 8601 has it.
    """

    key: str
    solved: Solved
    explained: str
    agent: str
    day: str


def kept_transcripts() -> list[Path]:
    """The sessions that Claude Code and Codex keep on this machine, the newest first."""
    found = [*(claude_folder() / "projects").glob("*/*.jsonl"), *(codex_folder() / "sessions").rglob("*.jsonl")]
    return sorted(found, key=lambda path: (-path.stat().st_mtime, str(path)))


def findings_of(paths: Iterable[Path]) -> list[Finding]:
    """What transcripts teach, the latest first; of one error the latest fix. What cannot be read is left out."""
    found: dict[str, Finding] = {}
    for path in paths:
        for finding in _in_file(path):
            kept = found.setdefault(finding.solved.failure.fingerprint, finding)
            if finding.day > kept.day:
                found[finding.solved.failure.fingerprint] = finding
    return sorted(found.values(), key=lambda finding: (finding.day, finding.key), reverse=True)


def _in_file(path: Path) -> Iterator[Finding]:
    try:
        if path.stat().st_size > _LARGEST:
            return
        transcripts = read(text_of_transcript(path), "auto", {})
    except (InvalidInputError, OSError):
        return
    for transcript in transcripts:
        yield from in_transcript(transcript)


def in_transcript(transcript: Transcript) -> Iterator[Finding]:
    """What one transcript teaches; each sub-agent's own part is followed by itself."""
    chains: dict[str, list[Entry]] = {}
    for entry in transcript.entries:
        chains.setdefault(entry.chain, []).append(entry)
    for entries in chains.values():
        yield from _followed(entries, transcript.agent)


def _followed(entries: list[Entry], agent: str) -> Iterator[Finding]:
    solving = Solving()
    calls: dict[str, tuple[str, Any]] = {}
    for place, entry in enumerate(entries):
        calls |= _calls(entry.message)
        for call_id, output, failed in _results(entry.message):
            name, given = calls.pop(call_id, ("", None))
            for solved in _took(solving, name, given, output, failed=failed):
                said = _explained(entries[place + 1 : place + 3])
                yield Finding(_key(solved), solved, said, agent, entry.time[:10])


def _key(solved: Solved) -> str:
    said = json.dumps([solved.failure.fingerprint, solved.failure.steps])
    return hashlib.sha256(said.encode()).hexdigest()[:32]


def _took(solving: Solving, name: str, given: Any, output: str, *, failed: bool) -> list[Solved]:
    """Follow one call of a tool."""
    command = _command(name, given)
    if command:
        return solving.ran(redacted(of_result(command, output, failed=failed)))[1]
    if failed or not solving.open:
        return []
    edits = patch_of(given) if name == "apply_patch" and isinstance(given, str) else [edit_of(given, "")]
    for edit in edits:
        if edit and name in {"apply_patch", "Edit", "Write", "MultiEdit", "NotebookEdit"}:
            solving.edited(*edit)
    return []


def _command(name: str, given: Any) -> str:
    """The shell command of a call; empty for every other tool."""
    if name not in _SHELLS or not isinstance(given, dict):
        return ""
    said = given.get("command", given.get("cmd"))
    if isinstance(said, list) and said and all(isinstance(word, str) for word in said):
        return str(said[-1]) if said[0] in {"bash", "sh", "zsh"} else " ".join(said)
    return said if isinstance(said, str) else ""


def _calls(message: Mapping[str, Any]) -> dict[str, tuple[str, Any]]:
    """The calls of tools in a message by their ids: name and arguments."""
    found = {
        str(block.get("id")): (str(block.get("name")), block.get("input"))
        for block in _blocks(message)
        if block.get("type") == "tool_use"
    }
    for call in message.get("tool_calls") or []:
        about = call.get("function") if isinstance(call, dict) else None
        if isinstance(about, dict):
            found[str(call.get("id"))] = str(about.get("name")), _arguments(about.get("arguments"))
    return found


def _arguments(given: Any) -> Any:
    """Arguments as JSON; a patch is none and stays a text."""
    try:
        return json.loads(given) if isinstance(given, str) else given
    except (ValueError, RecursionError):
        return given


def _results(message: Mapping[str, Any]) -> Iterator[tuple[str, str, bool]]:
    """What tools answered: the id of the call, the words, and whether the client says that it failed."""
    for block in _blocks(message):
        if block.get("type") == "tool_result":
            yield str(block.get("tool_use_id")), _words(block.get("content")), block.get("is_error") is True
    if message.get("role") == "tool":
        yield str(message.get("tool_call_id")), _words(message.get("content")), False


def _blocks(message: Mapping[str, Any]) -> list[dict[str, Any]]:
    content = message.get("content")
    return [block for block in content if isinstance(block, dict)] if isinstance(content, list) else []


def _words(content: Any) -> str:
    if isinstance(content, str):
        return content
    parts = content if isinstance(content, list) else []
    return "\n".join(str(part["text"]) for part in parts if isinstance(part, dict) and "text" in part)


def _explained(entries: list[Entry]) -> str:
    """What the agent said right after, if it says why."""
    for entry in entries:
        if entry.message.get("role") == "assistant":
            texts = [block["text"] for block in _blocks(entry.message) if isinstance(block.get("text"), str)]
            content = entry.message.get("content")
            said = "\n".join(texts) or (content if isinstance(content, str) else "")
            return said.strip()[:_LONGEST_WORDS] if _EXPLAINS.search(said) else ""
    return ""


def draft(finding: Finding) -> Contribution:
    """A private trace of a finding; its secrets are taken out where it is stored, as of every other."""
    failure = finding.solved.failure
    steps = "\n\n".join(_step(step) for step in failure.steps)
    explained = f"{finding.explained}\n\n" if finding.explained else ""
    return Contribution(
        title=f"{failure.error[:150]} ({failure.family[:40]})",
        problem=f"`{failure.command}` failed {failure.times}× with this error.",
        solution=f"{explained}What was done before it passed:\n\n{steps}",
        failed_attempts=[
            FailedAttempt(tried=tried, why="The same error came again.") for tried in failure.tried if tried.strip()
        ],
        errors=[failure.text],
        verification=f"`{finding.solved.passed.strip()[:500]}` passed afterwards.",
        evidence=Evidence(command=finding.solved.passed.strip()[:500], exit_before=1, exit_after=0),
        source=Source(kind="agent", client=finding.agent),
        idempotency_key=f"learn-{finding.key}",
    )


def _step(step: str) -> str:
    """A step as Markdown."""
    if step.startswith("changed "):
        path, _, change = step.removeprefix("changed ").partition(":\n")
        return f"Change `{path}`:\n```diff\n{change}\n```" if change else f"Change `{path}`."
    said = step.partition(": ")[2]
    return f"Run:\n```bash\n{said}\n```"


def reworded(contribution: Contribution, title: str, solution: str) -> Contribution:
    """A draft in somebody's own words, which are another contribution."""
    key = hashlib.sha256(f"{title}\n{solution}".encode()).hexdigest()[:32]
    return contribution.model_copy(update={"title": title, "solution": solution, "idempotency_key": f"learn-{key}"})
