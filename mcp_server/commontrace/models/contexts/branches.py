"""Repositories, branches and tags."""

from datetime import datetime
from typing import Annotated, Literal

from pydantic import Field

from commontrace.models.base import Body, Record, Repeatable
from commontrace.models.contexts.common import BranchName, RefText, RepositoryName


class RepositoryInfo(Record):
    """A versioned context."""

    name: str
    visibility: Literal["private", "team"]
    branches: int
    created_at: datetime


class NewRepository(Body):
    """A context to create."""

    name: RepositoryName


class NewVisibility(Body):
    """Who is to see a context."""

    visibility: Literal["private", "team"] = Field(
        description="private: its owner alone; team: everybody in the owner's organization, who may write to it too."
    )


class BranchInfo(Record):
    """A branch and where it points; an unborn one points nowhere yet."""

    name: str
    commit_id: str | None
    message: str = ""
    current: bool = False


class NewBranch(Repeatable):
    """A branch to create."""

    name: BranchName
    from_ref: RefText = "HEAD"
    switch: bool = False


class SwitchTo(Body):
    """The branch that writing goes on with."""

    branch: BranchName


class TagInfo(Record):
    """A fixed name for a commit."""

    name: str
    commit_id: str


class NewTag(Repeatable):
    """A tag to create."""

    name: BranchName
    ref: RefText = "HEAD"


class LabelInfo(Record):
    """A label of a commit; a commit may have many, and many commits one."""

    name: str
    commit_id: str


class NewLabel(Repeatable):
    """A label to put on a commit."""

    name: Annotated[str, Field(min_length=1, max_length=60)]
    ref: RefText = "HEAD"


class ClaimInfo(Record):
    """A branch that one working copy has for itself until a moment."""

    branch: str
    contributor: str
    working_copy: str
    expires_at: datetime
    yours: bool = False


class NewClaim(Body):
    """A branch to have for oneself: nobody else moves it until the time is over or it is released."""

    branch: BranchName | None = Field(default=None, description="Default: the branch that HEAD is on.")
    minutes: Annotated[int, Field(ge=1, le=10_080)] = 30
