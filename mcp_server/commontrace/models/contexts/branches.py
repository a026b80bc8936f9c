"""Repositories, branches and tags."""

from datetime import datetime
from typing import Literal

from commontrace.models.base import Body, Record
from commontrace.models.contexts.common import BranchName, RefText


class RepositoryInfo(Record):
    """A versioned context."""

    name: str
    visibility: Literal["private", "team"]
    branches: int
    created_at: datetime


class BranchInfo(Record):
    """A branch and where it points; an unborn one points nowhere yet."""

    name: str
    commit_id: str | None
    message: str = ""
    current: bool = False


class NewBranch(Body):
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


class NewTag(Body):
    """A tag to create."""

    name: BranchName
    ref: RefText = "HEAD"
