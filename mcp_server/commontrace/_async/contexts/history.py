"""What was committed: log, one commit, differences, status."""

from commontrace._async.contexts.bound import AsyncBound
from commontrace.models.contexts import CommitInfo, ContextDiff, ContextStatus, LogPage


class AsyncHistory(AsyncBound):
    """Reading the history."""

    async def get(self, ref: str = "HEAD") -> CommitInfo:
        """One commit by branch, tag, id or expression such as `HEAD~2`."""
        return await self._read("get", f"commits/{ref}", CommitInfo)

    async def log(self, ref: str = "HEAD", *, limit: int = 50, grep: str = "") -> LogPage:
        """Commits from a ref backwards, newest first; with `grep` those whose words contain it."""
        return await self._read("log", "log", LogPage, ref=ref, limit=limit, grep=grep)

    async def diff(self, a: str, b: str = "HEAD") -> ContextDiff:
        """What changes from the window at `a` to the one at `b`."""
        return await self._read("diff", "diff", ContextDiff, a=a, b=b)

    async def status(self) -> ContextStatus:
        """Where writing goes on, and what the window there comes to."""
        return await self._read("status", "status", ContextStatus)
