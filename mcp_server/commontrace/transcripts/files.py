"""A transcript from disk: one file, or that of a session with those of its sub-agents."""

import json
from collections.abc import Iterable
from pathlib import Path

from commontrace.errors import InvalidInputError


def text_of_transcript(source: Path | str | Iterable[str]) -> str:
    """The text of a transcript.

    Args:
        source: a file, or the lines of one.

    Raises:
        InvalidInputError: the file cannot be read.
    """
    if not isinstance(source, (Path, str)):
        return "\n".join(line.rstrip("\n") for line in source)
    path = Path(source)
    whole, rest = _lines_of(path)
    # Claude Code keeps what a sub-agent said in a folder beside the session, which is named like it.
    aside = [_lines_of(agent)[0] for agent in sorted((path.with_suffix("") / "subagents").glob("*.jsonl"))]
    return "".join([whole, *aside, rest])


def _lines_of(path: Path) -> tuple[str, str]:
    """The whole lines of a file, and what its writer has not finished yet."""
    try:
        text = path.read_bytes().decode("utf-8-sig", "replace")
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or "it cannot be opened"
        raise InvalidInputError(f"{path}: {reason.lower()}.", "Check the path.") from error
    whole, newline, rest = text.rpartition("\n")
    try:
        json.loads(rest)
    except (ValueError, RecursionError):
        return whole + newline, rest
    return f"{text}\n", ""
