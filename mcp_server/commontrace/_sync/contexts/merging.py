"""Bringing histories together, and settling what they disagree on."""

from typing import Any

from commontrace._sync.contexts.bound import Bound
from commontrace.models.contexts import ChangeResult, MergeResult, NewMerge, NewResolve, Resolution


class Merging(Bound):
    """Merging."""

    def merge(self, source: str, *others: str, **options: Any) -> MergeResult:
        """Bring other histories into the current branch; `options` are the other fields of `NewMerge`.

        Without `strategy`, what both sides said differently is kept as conflicts, and the window shows ours.

        Raises:
            InvalidInputError: a resolution of no conflict.
        """
        body = NewMerge.of(source=source, others=list(others), **options)
        return self._write("merge", "merge", MergeResult, body)

    def resolve(self, *resolutions: Resolution, **options: Any) -> ChangeResult:
        """Settle conflicts that an earlier merge stored; `strategy="ours"` or `"theirs"` settles all others."""
        return self._write("resolve", "resolve", ChangeResult, NewResolve.of(resolutions=list(resolutions), **options))
