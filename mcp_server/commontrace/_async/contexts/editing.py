"""Writing the registers of a window: content, priority, presence, place, and what is said of the whole."""

from typing import Any

from commontrace._async.contexts.bound import AsyncBound
from commontrace.models.contexts import (
    ChangeResult,
    NewAnnotation,
    NewEdit,
    NewMove,
    NewNotes,
    NewPresence,
    Priority,
    SlotHistory,
)


class AsyncEditing(AsyncBound):
    """Changing messages of the window; each change is a commit.

    Messages are named by `slots`, a list of the first digits of slot ids, or found by `select`, a query such as
    `type:tool tokens>2000 age>50`. A message with tool calls and its results change together. Every method also takes
    `message`, `agent`, `expected_head` and `dry_run`.
    """

    async def edit(self, slot: str, text: str | None = None, **options: Any) -> ChangeResult:
        """Give a message other words, with `content` another whole message, or with `version` an earlier one."""
        return await self._write("edit", "edit", ChangeResult, NewEdit.of(slot=slot, text=text, **options))

    async def annotate(self, priority: Priority | None = None, *, reason: str = "", **options: Any) -> ChangeResult:
        """Give messages a priority (skip, normal, important or pinned), or other `notes`."""
        body = NewAnnotation.of(priority=priority, reason=reason, **options)
        return await self._write("annotate", "annotate", ChangeResult, body)

    async def pin(self, *slots: str, reason: str = "") -> ChangeResult:
        """Pin messages: no budget leaves them out, no summary covers them."""
        return await self.annotate("pinned", reason=reason, slots=slots)

    async def skip(self, *slots: str, reason: str = "") -> ChangeResult:
        """Leave messages out of the window without removing them."""
        return await self.annotate("skip", reason=reason, slots=slots)

    async def remove(self, *slots: str, **options: Any) -> ChangeResult:
        """Take messages out of the window; `restore` brings them back."""
        body = NewPresence.of(slots=list(slots), present=False, **options)
        return await self._write("remove", "presence", ChangeResult, body)

    async def restore(self, *slots: str, **options: Any) -> ChangeResult:
        """Bring removed messages back."""
        body = NewPresence.of(slots=list(slots), present=True, **options)
        return await self._write("restore", "presence", ChangeResult, body)

    async def move(self, *slots: str, after: str = "", **options: Any) -> ChangeResult:
        """Put messages behind another one, or first."""
        return await self._write("move", "move", ChangeResult, NewMove.of(slots=list(slots), after=after, **options))

    async def notes(self, **notes: Any) -> ChangeResult:
        """Say what holds for the whole context: `tools`, `keep` (must-keep patterns), `types` of parts.

        `clear=["keep"]` takes one away.
        """
        return await self._write("notes", "notes", ChangeResult, NewNotes.of(**notes))

    async def slot(self, slot: str, ref: str = "HEAD") -> SlotHistory:
        """Everything that was done to a message, and what of it stands."""
        return await self._read("slot", f"slots/{slot}", SlotHistory, ref=ref)
