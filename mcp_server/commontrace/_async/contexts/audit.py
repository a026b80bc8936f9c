"""Whether a repository is sound, what is to leave no trace, and where anything that was said is and comes from."""

from typing import Any

from commontrace._async.contexts.bound import AsyncBound
from commontrace.models.contexts import (
    BlameResult,
    CollectResult,
    GrepPage,
    NewCollection,
    NewPurge,
    PurgeResult,
    VerifyResult,
)


class AsyncAudit(AsyncBound):
    """Integrity and search."""

    async def grep(self, pattern: str, **options: Any) -> GrepPage:
        """Every content that a message ever had and that holds some words, on any branch, hidden or not.

        Args:
            pattern: the words, small and capital letters alike.
            options: `regex` (an expression of RE2's, `^` and `$` at every line), `case_sensitive`, `ref` (only what
                leads there; default: every branch and tag), `limit` (1 to 1,000 hits a page), `after` (`next` of the
                page before).
        """
        return await self._read("grep", "grep", GrepPage, pattern=pattern, **options)

    async def blame(self, ref: str = "HEAD", *, grep: str = "", **options: Any) -> BlameResult:
        """Every message of a window, or those that hold some words, with where each comes from.

        Args:
            ref: which window.
            grep: the words.
            options: `regex` and `case_sensitive`, as for `grep`.
        """
        return await self._read("blame", "blame", BlameResult, ref=ref, pattern=grep, **options)

    async def verify(self, *, full: bool = False) -> VerifyResult:
        """Check every byte, name and total that is stored; with `full` make every window anew."""
        return await self._read("verify", "verify", VerifyResult, full=full)

    async def gc(self, *, dry_run: bool = False, grace_days: float = 30) -> CollectResult:
        """Take out commits and messages that nothing needs, and give their space back.

        Args:
            dry_run: only say what would go.
            grace_days: what is younger stays, and so does what the operation log of these days names.
        """
        body = NewCollection.of(dry_run=dry_run, grace_days=grace_days)
        return await self._write("gc", "gc", CollectResult, body)

    async def purge(
        self,
        text: str | None = None,
        *,
        slot: str | None = None,
        blob: str | None = None,
        ref: str = "HEAD",
        reason: str = "",
    ) -> PurgeResult:
        """Take a text out of every message, note and log entry, and out of the files; `undo` does not bring it back.

        Args:
            text: exactly as it was said; every message that holds it goes whole.
            slot: a message, with all that it ever said, instead of a text.
            blob: what a blob holds, instead of a text.
            ref: where the slot is looked for.
            reason: what stands in its place.

        Raises:
            NotFoundError: nothing holds it.
            ForbiddenError: the context is somebody else's, and you are no admin of its organization.
            ConflictError: a branch or tag has the text in its name.
        """
        body = NewPurge.of(text=text, slot=slot, blob=blob, ref=ref, reason=reason)
        return await self._write("purge", "purge", PurgeResult, body)
