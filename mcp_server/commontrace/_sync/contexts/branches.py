"""Branches, tags, which branch writing goes on with, and who sees all of it."""

from typing import Literal

from commontrace._sync.contexts.bound import Bound
from commontrace.models.contexts import (
    BranchInfo,
    ClaimInfo,
    LabelInfo,
    NewBranch,
    NewClaim,
    NewLabel,
    NewTag,
    NewVisibility,
    RepositoryInfo,
    SwitchTo,
    TagInfo,
)


class Branches(Bound):
    """Names for commits."""

    def branches(self, limit: int | None = None) -> list[BranchInfo]:
        """Every branch by name, or the first `limit`."""
        return self._list("branches", "branches", BranchInfo, limit)

    def branch(
        self, name: str, from_ref: str = "HEAD", *, switch: bool = True, idempotency_key: str | None = None
    ) -> BranchInfo:
        """Create a branch and go on there."""
        body = NewBranch.of(name=name, from_ref=from_ref, switch=switch, idempotency_key=idempotency_key)
        return self._write("branch", "branches", BranchInfo, body)

    def share(self, visibility: Literal["private", "team"] = "team") -> RepositoryInfo:
        """Show all of it to the organization, whose members may then write to it too; or take it back to oneself."""
        return self._write("share", "visibility", RepositoryInfo, NewVisibility.of(visibility=visibility))

    def delete_branch(self, name: str, *, force: bool = False) -> BranchInfo:
        """Delete a branch; undo brings it back."""
        return self._write("delete_branch", f"branches/{name}", BranchInfo, force=force)

    def switch(self, branch: str) -> BranchInfo:
        """Put this client's working copy on a branch; nobody else's moves."""
        return self._write("switch", "switch", BranchInfo, SwitchTo.of(branch=branch))

    def tags(self, limit: int | None = None) -> list[TagInfo]:
        """Every tag by name, or the first `limit`."""
        return self._list("tags", "tags", TagInfo, limit)

    def tag(self, name: str, ref: str = "HEAD", *, idempotency_key: str | None = None) -> TagInfo:
        """Give a commit a fixed name."""
        body = NewTag.of(name=name, ref=ref, idempotency_key=idempotency_key)
        return self._write("tag", "tags", TagInfo, body)

    def delete_tag(self, name: str) -> TagInfo:
        """Take a tag away; undo brings it back."""
        return self._write("delete_tag", f"tags/{name}", TagInfo)

    def labels(self, limit: int | None = None) -> list[LabelInfo]:
        """Every label by name, each commit that has one by itself; or the first `limit`."""
        return self._list("labels", "labels", LabelInfo, limit)

    def label(self, name: str, ref: str = "HEAD", *, idempotency_key: str | None = None) -> LabelInfo:
        """Put a label on a commit; many commits may have it, and one many."""
        body = NewLabel.of(name=name, ref=ref, idempotency_key=idempotency_key)
        return self._write("label", "labels", LabelInfo, body)

    def delete_label(self, name: str, ref: str = "HEAD") -> LabelInfo:
        """Take a label off a commit; undo brings it back."""
        return self._write("delete_label", f"labels/{name}", LabelInfo, ref=ref)

    def claim(self, branch: str | None = None, *, minutes: int = 30) -> ClaimInfo:
        """Let nobody but this working copy move a branch (that of HEAD, unless named) for a while.

        Raises:
            ConflictError: somebody else has it.
        """
        return self._write("claim", "claim", ClaimInfo, NewClaim.of(branch=branch, minutes=minutes))

    def release(self, branch: str | None = None) -> ClaimInfo:
        """Give a claimed branch free again."""
        return self._write("release", "release", ClaimInfo, branch=branch)
