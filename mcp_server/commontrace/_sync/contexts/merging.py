"""Bringing histories together."""

from commontrace._sync.contexts.bound import Bound
from commontrace.models.contexts import MergeResult, NewMerge


class Merging(Bound):
    """Merging."""

    def merge(self, source: str, *, message: str = "", dry_run: bool = False) -> MergeResult:
        """Bring another history into the current branch; with `dry_run` only say what would happen."""
        return self._write("merge", "merge", MergeResult, NewMerge(source=source, message=message, dry_run=dry_run))
