"""Bringing histories together, and settling what they disagree on."""

from collections.abc import Callable
from typing import Any

from commontrace._sync.contexts.bound import Bound
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
Decide = Callable[[ConflictInfo], Decided]
"""Settles a conflict, or leaves it as it is with None."""


class Merging(Bound):
    """Merging."""

    def merge(self, source: str, *others: str, decide: Decide | None = None, **options: Any) -> MergeResult:
        """Bring other histories into the current branch.

        Without `strategy`, what both sides said differently is kept as conflicts, and the window shows ours.

        Args:
            source: a branch, tag or commit.
            others: more of them, for one commit of all.
            decide: asked about each conflict that a preview shows, such as `commontrace.resolvers.ModelResolver`.
            options: the other fields of `NewMerge`.

        Raises:
            InvalidInputError: a resolution of no conflict.
            RefMovedError: somebody committed while `decide` was asked; nothing was written.
        """
        body = NewMerge.of(source=source, others=list(others), **options)
        if decide is not None:
            body = self._decided(body, decide)
        return self._write("merge", "merge", MergeResult, body)

    def _decided(self, body: NewMerge, decide: Decide) -> NewMerge:
        page = self._read("log", "log", LogPage, limit=1)
        looking = body.model_copy(update={"dry_run": True})
        preview = self._write("merge", "merge", MergeResult, looking)
        answers = [decide(conflict) for conflict in preview.conflicts]
        resolutions = [*body.resolutions, *(answer for answer in answers if answer)]
        head = body.expected_head or (page.commits[0].commit_id if page.commits else None)
        return body.model_copy(update={"resolutions": resolutions, "expected_head": head})

    def resolve(self, *resolutions: Resolution, **options: Any) -> ChangeResult:
        """Settle conflicts that an earlier merge stored; `strategy="ours"` or `"theirs"` settles all others."""
        return self._write("resolve", "resolve", ChangeResult, NewResolve.of(resolutions=list(resolutions), **options))
