"""Bringing histories together."""

from commontrace._async.contexts.bound import AsyncBound
from commontrace.models.contexts import MergeResult, NewMerge


class AsyncMerging(AsyncBound):
    """Merging."""

    async def merge(self, source: str, *, message: str = "", dry_run: bool = False) -> MergeResult:
        """Bring another history into the current branch; with `dry_run` only say what would happen."""
        return await self._write(
            "merge", "merge", MergeResult, NewMerge(source=source, message=message, dry_run=dry_run)
        )
