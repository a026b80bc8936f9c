"""What was committed: log, one commit, differences, status."""

from commontrace._sync.contexts.bound import Bound
from commontrace.models.contexts import CommitInfo, ContextDiff, ContextStatus, LogPage


class History(Bound):
    """Reading the history."""

    def get(self, ref: str = "HEAD") -> CommitInfo:
        """One commit by branch, tag, id or expression such as `HEAD~2`."""
        return self._read("get", f"commits/{ref}", CommitInfo)

    def log(self, ref: str = "HEAD", *, limit: int = 50, grep: str = "") -> LogPage:
        """Commits from a ref backwards, newest first; with `grep` those whose words contain it."""
        return self._read("log", "log", LogPage, ref=ref, limit=limit, grep=grep)

    def diff(self, a: str, b: str = "HEAD") -> ContextDiff:
        """What changes from the window at `a` to the one at `b`."""
        return self._read("diff", "diff", ContextDiff, a=a, b=b)

    def status(self) -> ContextStatus:
        """Where writing goes on, and what the window there comes to."""
        return self._read("status", "status", ContextStatus)
