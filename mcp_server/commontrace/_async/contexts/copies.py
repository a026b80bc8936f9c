"""What copies of a repository say to each other."""

from collections.abc import Sequence

from commontrace._async.contexts.bound import AsyncBound, AsyncOperation
from commontrace.models.contexts import (
    MOST_COMMITS,
    Ancestry,
    KnownCommits,
    MovedRefs,
    MoveRefs,
    RefMove,
    WantedObjects,
    WhichCommits,
)


class AsyncCopies(AsyncBound):
    """Copies."""

    async def ancestry(self, refs: Sequence[str] = (), *, skip: int = 0, limit: int = MOST_COMMITS) -> Ancestry:
        """The ids of up to 1,000 commits that lead to branches and tags (all, unless named), children first."""
        return await self._read("ancestry", "ancestry", Ancestry, refs=list(refs), skip=skip, limit=limit)

    async def which(self, commits: Sequence[str]) -> KnownCommits:
        """Those of up to 1,000 commits that are here, and where every ref points; raises NotFoundError."""
        body = WhichCommits.of(commits=list(commits))
        asked = AsyncOperation(self.name, "which", writes=False, body=body)
        return await self._send(asked, "POST", "known", KnownCommits, {})

    async def objects(self, commits: Sequence[str]) -> bytes:
        """A bundle of up to 50 commits, given parents first, with the messages that they name and without refs."""
        body = WantedObjects.of(commits=list(commits))
        asked = AsyncOperation(self.name, "objects", writes=False, body=body)
        return await self._send(asked, "POST", "objects", bytes, {})

    async def move_refs(self, moves: Sequence[RefMove], *, force: bool = False) -> MovedRefs:
        """Move refs, all or none, from exactly where they were seen to commits that are here.

        Raises:
            NotFoundError: a commit is not here.
            RefMovedError: a ref is not where it was seen.
            ConflictError: a branch would not lead on, and `force` was not said.
        """
        return await self._write("move_refs", "refs", MovedRefs, MoveRefs.of(moves=list(moves), force=force))
