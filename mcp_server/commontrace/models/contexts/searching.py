"""Finding what was said in any history, and where what a window shows comes from."""

from datetime import datetime
from typing import Literal

from pydantic import Field

from commontrace.models.base import Record
from commontrace.models.contexts.common import Priority


class GrepHit(Record):
    """A message that holds what was looked for: one for each content that it ever had."""

    slot_id: str
    commit_id: str = Field(description="The commit that wrote this content.")
    role: str
    refs: list[str] = Field(description="Branches and tags whose history it is in.")
    at: str = Field(description="The branch or ref of which `position`, `shown` and `reason` speak.")
    position: int | None = Field(description="Where it stands in the window there, from 0; None where it is hidden.")
    shown: bool
    reason: str = Field(default="", description="Why it is not shown.")
    line: int = Field(description="The first line that matches, from 1.")
    matches: int = Field(description="Lines that match.")
    excerpt: str = Field(description="That line, or what of it is around the match.")


class GrepPage(Record):
    """Hits, newest commits first; `next` continues where the page ends."""

    hits: list[GrepHit]
    next: str | None = None


class OriginStep(Record):
    """A commit that had a part in a message as it stands."""

    kind: Literal["append", "edit", "cover", "move", "annotate", "restore", "merge"]
    commit_id: str
    author: str = Field(description="The contributor's id.")
    author_name: str = Field(default="", description="As the store knows the contributor; empty for one it does not.")
    agent: str
    created_at: datetime
    message: str
    picked_from: str | None = Field(default=None, description="The commit that it is a copy of.")


class Blamed(Record):
    """A message of a window and where it comes from."""

    slot_id: str
    position: int
    role: str
    priority: Priority
    tokens: int
    excerpt: str
    covers: list[str] = Field(default=[], description="The slots that it stands for, where it is a summary.")
    origin: list[OriginStep] = Field(
        description="Oldest first: the commit that introduced it, what changed it since, the merge that brought it."
    )


class BlameResult(Record):
    """Every message of a window, or those that hold a text, with where it comes from."""

    repository: str
    ref: str
    commit_id: str
    messages: list[Blamed]
