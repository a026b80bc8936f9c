"""Whole histories in and out: bundles, transcripts of agents, and sessions that an agent opens again."""

from typing import Literal

from pydantic import Field

from commontrace.models.base import Record

TranscriptFormat = Literal["auto", "claude-code", "codex", "openai", "anthropic", "chatgpt", "claude"]
"""What wrote a transcript: `openai` and `anthropic` are lists of messages, `chatgpt` and `claude` whole accounts."""

ExportFormat = Literal["messages", "openai", "anthropic", "openai-jsonl", "anthropic-jsonl", "claude-code", "bundle"]
"""A window as JSON in a provider's shape, as a line for fine-tuning, or as a session; or the history as a bundle."""


class MovedRef(Record):
    """A branch or tag that now names another commit."""

    ref: str = Field(description="`branch/…` or `tag/…`.")
    before: str | None
    after: str


class BundleResult(Record):
    """What a bundle brought that was not there."""

    repository: str
    blobs: int = Field(description="Messages that are new here.")
    commits: int = Field(description="Commits that are new here.")
    refs: list[MovedRef] = Field(description="Branches and tags that were created or went forward.")


class TranscriptResult(Record):
    """What a transcript brought that was not there."""

    repository: str
    format: TranscriptFormat
    branches: list[str] = Field(description="Every branch of the transcript, the one that was written last first.")
    commits: int = Field(description="Commits that are new here.")
    messages: int = Field(description="Messages in them.")
    redactions: dict[str, int] = Field(default={}, description="What was taken out before hashing, by type.")
    left_out: dict[str, int] = Field(default={}, description="Lines that hold no message, by kind.")
    problems: list[str] = Field(default=[], description="Lines that could not be read.")


class ClaudeSession(Record):
    """A session file for Claude Code."""

    session_id: str = Field(description="What `claude --resume` takes.")
    commit_id: str
    messages: int
    text: str = Field(description="The lines of the file.")
