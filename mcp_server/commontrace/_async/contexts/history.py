"""What was committed: log, one commit, differences, status."""

from commontrace._async.contexts.bound import AsyncBound
from commontrace.models.contexts import CommitInfo, ContextDiff, ContextStatus, LogPage


class AsyncHistory(AsyncBound):
    """Reading the history."""

    async def get(self, ref: str = "HEAD") -> CommitInfo:
        """One commit by branch, tag, id or expression such as `HEAD~2`."""
        return await self._read("get", f"commits/{ref}", CommitInfo)

    async def log(self, ref: str = "HEAD", *, limit: int = 50, **sought: str) -> LogPage:
        """Commits from a ref backwards, newest first; of a range `a..b` those that lead to `b` and not to `a`.

        Args:
            ref: a ref, a range, or `next_ref` of the page before.
            limit: how many at most.
            sought: only those with words in them (`grep`), by an `author` or agent whose name contains this, `since` or
                `until` a moment (`2026-11-21`, `yesterday`, `2 hours ago`), or with a `label`.

        Raises:
            InvalidInputError: a moment that is none.
        """
        unknown = sought.keys() - {"grep", "author", "since", "until", "label"}
        if unknown:
            raise TypeError(f"log() knows no {', '.join(sorted(unknown))}")
        return await self._read("log", "log", LogPage, ref=ref, limit=limit, **sought)

    async def diff(self, a: str, b: str = "HEAD") -> ContextDiff:
        """What changes from the window at `a` to the one at `b`."""
        return await self._read("diff", "diff", ContextDiff, a=a, b=b)

    async def status(self, budget: int | None = None) -> ContextStatus:
        """Where writing goes on: tokens by kind, what is hidden, what stands in conflict, what is left of a budget."""
        return await self._read("status", "status", ContextStatus, budget=budget)
