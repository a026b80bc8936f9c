"""What two copies of a repository say to each other: which commits there are, and where branches point."""

from typing import Annotated, Final, Literal, Self

from pydantic import Field, model_validator

from commontrace.models.base import Body, Record
from commontrace.models.contexts.common import BranchName, RepositoryName

MOST_COMMITS: Final = 1_000
"""Commits of one question."""

MOST_OBJECTS: Final = 50
"""Commits, with their messages, of one answer."""

MOST_MOVES: Final = 100
"""Refs that move at once."""

CommitId = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
RefKey = Annotated[
    str, Field(pattern=r"^(branch|tag|remote)/[a-z0-9][a-z0-9._/-]{0,150}$", description="As in `branch/main`.")
]


class Ancestry(Record):
    """Commits that lead to some refs, children before parents."""

    refs: dict[str, str] = Field(description="Where each of them points, as in `branch/main`.")
    commits: list[str]
    next_skip: int | None = Field(default=None, description="Where the next page begins.")


class WhichCommits(Body):
    """Which of these commits are there?"""

    commits: Annotated[list[CommitId], Field(max_length=MOST_COMMITS)] = []


class KnownCommits(Record):
    """Those of the commits that are there, and every branch and tag."""

    commits: list[str]
    refs: dict[str, str]


class WantedObjects(Body):
    """Commits to send, parents first, with the messages that they name."""

    commits: Annotated[list[CommitId], Field(min_length=1, max_length=MOST_OBJECTS)]


class RefMove(Body):
    """A branch, tag or remote-tracking ref that is to move from exactly where it was last seen."""

    ref: RefKey
    before: CommitId | None = None
    after: CommitId | None = Field(description="Null takes a remote-tracking ref away, and nothing else.")

    @model_validator(mode="after")
    def _only_tracking_goes(self) -> Self:
        if self.after is None and not self.ref.startswith("remote/"):
            raise ValueError("only a remote-tracking ref may be taken away")
        return self


class MoveRefs(Body):
    """Refs to move, all or none."""

    moves: Annotated[list[RefMove], Field(min_length=1, max_length=MOST_MOVES)]
    force: bool = Field(default=False, description="Also where a branch does not lead on from where it was.")


class MovedRefs(Record):
    """Refs that moved."""

    moves: list[RefMove]


class ContextPreview(Record):
    """A commit that would leave, or left."""

    commit_id: str
    message: str
    messages: int
    bytes: int
    captured: bool = Field(default=False, description="It was taken from an agent's transcript.")
    texts: list[str] = Field(default=[], description="With `show`: every message, as canonical JSON.")


class ContextTransfer(Record):
    """What a push or fetch of a context came to."""

    repository: RepositoryName
    remote: str
    dry_run: bool = False
    commits: int = Field(default=0, description="Commits that were not there.")
    bytes: int = 0
    moved: list[RefMove] = []
    preview: list[ContextPreview] = Field(default=[], description="In a dry run: what would go, oldest first.")
    waits: str = Field(default="", description="Why it waits in the outbox: the remote did not answer.")
    merged: Literal["", "up to date", "fast forward", "merged"] = ""
    conflicts: int = Field(default=0, description="What both sides said at once; `trace resolve` settles it.")
    branch: BranchName | None = None
