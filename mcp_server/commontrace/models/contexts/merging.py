"""Merging: what is wanted, and what came of it."""

from typing import Literal

from pydantic import Field

from commontrace.models.base import Body, Record
from commontrace.models.contexts.common import Note, RefText, TokenCount


class NewMerge(Body):
    """A branch, tag or commit to bring home."""

    source: RefText
    message: Note = ""
    dry_run: bool = False


class MergeResult(Record):
    """What a merge did, or with `dry_run` would do."""

    kind: Literal["up_to_date", "fast_forward", "merged"]
    branch: str
    commit_id: str | None
    added: int = Field(description="Messages that the window gains.")
    tokens: TokenCount
    bases: list[str] = Field(default=[], description="The best commits that both sides have.")
