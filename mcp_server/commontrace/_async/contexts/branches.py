"""Branches, tags, and which branch writing goes on with."""

from commontrace._async.contexts.bound import AsyncBound
from commontrace.models.contexts import BranchInfo, NewBranch, NewTag, SwitchTo, TagInfo


class AsyncBranches(AsyncBound):
    """Names for commits."""

    async def branches(self) -> list[BranchInfo]:
        """Every branch."""
        return await self._read("branches", "branches", list[BranchInfo])

    async def branch(self, name: str, from_ref: str = "HEAD", *, switch: bool = True) -> BranchInfo:
        """Create a branch and go on there."""
        body = NewBranch(name=name, from_ref=from_ref, switch=switch)
        return await self._write("branch", "branches", BranchInfo, body)

    async def delete_branch(self, name: str, *, force: bool = False) -> BranchInfo:
        """Delete a branch; undo brings it back."""
        return await self._write("delete_branch", f"branches/{name}", BranchInfo, force=force)

    async def switch(self, branch: str) -> BranchInfo:
        """Put this client's working copy on a branch; nobody else's moves."""
        return await self._write("switch", "switch", BranchInfo, SwitchTo(branch=branch))

    async def tags(self) -> list[TagInfo]:
        """Every tag."""
        return await self._read("tags", "tags", list[TagInfo])

    async def tag(self, name: str, ref: str = "HEAD") -> TagInfo:
        """Give a commit a fixed name."""
        return await self._write("tag", "tags", TagInfo, NewTag(name=name, ref=ref))

    async def delete_tag(self, name: str) -> TagInfo:
        """Take a tag away; undo brings it back."""
        return await self._write("delete_tag", f"tags/{name}", TagInfo)
