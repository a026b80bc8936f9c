"""Whole histories in and out: bundles, transcripts of agents, and sessions that an agent opens again."""

from collections.abc import Sequence

from commontrace._async.contexts.bound import AsyncBound
from commontrace.models.contexts import BundleResult


class AsyncInterchange(AsyncBound):
    """Interchange."""

    async def bundle(self, refs: Sequence[str] = (), *, since: Sequence[str] = ()) -> bytes:
        """Branches and tags (all, unless named) with their whole history, ids kept, as lines of JSON.

        Args:
            refs: branches and tags.
            since: what the other side has already: refs or commits of here. What leads to them is left out.
        """
        return await self._read("bundle", "bundle", bytes, refs=list(refs), since=list(since))

    async def import_bundle(self, bundle: bytes, *, prefix: str = "") -> BundleResult:
        """Store a bundle; branches are made or go forward. Importing it again changes nothing.

        Args:
            bundle: what `bundle` gave.
            prefix: put in front of the name of every branch and tag, as in `theirs`/main.

        Raises:
            InvalidInputError: something in it is missing or was changed; nothing was written.
            NewerSchemaError: only a newer CommonTrace can read it.
            ConflictError: a branch of that name leads elsewhere here, and no prefix was given.
        """
        return await self._write("import_bundle", "bundle", BundleResult, bundle, prefix=prefix)
