"""Bringing histories together, and settling what they disagree on."""

from collections.abc import Awaitable, Callable
from typing import Any

from commontrace._async.contexts.bound import AsyncBound
from commontrace.models.contexts import (
    ChangeResult,
    ConflictInfo,
    LogPage,
    MergeResult,
    NewMerge,
    NewResolve,
    Resolution,
)

Decided = Resolution | None
AsyncDecide = Callable[[ConflictInfo], Awaitable[Decided]]
"""Settles a conflict, or leaves it as it is with None."""


class AsyncMerging(AsyncBound):
    """Merging."""

    async def merge(self, source: str, *others: str, decide: AsyncDecide | None = None, **options: Any) -> MergeResult:
        """Bring other histories into the current branch.

        Without `strategy`, what both sides said differently is kept as conflicts, and the window shows ours.

        Args:
            source: a branch, tag or commit.
            others: more of them, for one commit of all.
            decide: asked about each conflict that a preview shows, such as `commontrace.resolvers.AsyncModelResolver`.
            options: the other fields of `NewMerge`.

        Raises:
            InvalidInputError: a resolution of no conflict.
            RefMovedError: somebody committed while `decide` was asked; nothing was written.
        """
        body = NewMerge.of(source=source, others=list(others), **options)
        if decide is not None:
            body = await self._decided(body, decide)
        return await self._write("merge", "merge", MergeResult, body)

    async def _decided(self, body: NewMerge, decide: AsyncDecide) -> NewMerge:
        page = await self._read("log", "log", LogPage, limit=1)
        looking = body.model_copy(update={"dry_run": True})
        preview = await self._write("merge", "merge", MergeResult, looking)
        answers = [await decide(conflict) for conflict in preview.conflicts]
        resolutions = [*body.resolutions, *(answer for answer in answers if answer)]
        head = body.expected_head or (page.commits[0].commit_id if page.commits else None)
        return body.model_copy(update={"resolutions": resolutions, "expected_head": head})

    async def resolve(self, *resolutions: Resolution, **options: Any) -> ChangeResult:
        """Settle conflicts that an earlier merge stored; `strategy="ours"` or `"theirs"` settles all others."""
        return await self._write(
            "resolve", "resolve", ChangeResult, NewResolve.of(resolutions=list(resolutions), **options)
        )
