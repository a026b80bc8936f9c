"""Calls to models: recorded with what they used, rebuilt to the byte, summed up."""

from collections.abc import Mapping, Sequence
from typing import Any

from commontrace._async.contexts.bound import AsyncBound
from commontrace.models.contexts import (
    CallRecord,
    NewCall,
    RebuiltCall,
    Rendering,
    Usage,
    UsageSummary,
    Window,
    WindowFormat,
)
from commontrace.providers.usage import extract_usage


class AsyncCalls(AsyncBound):
    """Calls."""

    async def record_call(
        self,
        window: Window,
        *,
        usage: Usage | Mapping[str, Any] | Sequence[Any] | None = None,
        model: str = "",
        format: WindowFormat | None = None,  # noqa: A002 - the word for it
        tools: Sequence[Mapping[str, Any]] = (),
        idempotency_key: str | None = None,
    ) -> CallRecord:
        """Record that a model was given a window.

        Args:
            window: as it was sent.
            usage: the provider's answer, whole or the events of its stream; or what `extract_usage` made of it.
            model: its name; default: what the answer says.
            format: the provider's shape that the window was turned into, where it was asked for as messages.
            tools: those of the request that the context does not note.
            idempotency_key: sent again with it, the same call is recorded once.

        Raises:
            InvalidInputError: the answer holds no usage, or the window cannot be made anew as it was sent.
        """
        used = extract_usage(usage) if usage is not None and not isinstance(usage, Usage) else usage
        sent = window.format if format is None else format
        body = NewCall.of(
            commit_id=window.commit_id,
            rendering=Rendering.of(format=sent, budget=window.budget, reserve=window.reserve, strategy=window.strategy),
            request_sha256=window.request_sha256 if sent == window.format else None,
            model=model or (used.model if used and used.model else ""),
            usage=used,
            tools=[dict(tool) for tool in tools],
            idempotency_key=idempotency_key,
        )
        return await self._write("record_call", "calls", CallRecord, body)

    async def calls(self, limit: int | None = 50, before: int | None = None) -> list[CallRecord]:
        """The recorded calls, newest first; `before` is a `call_id`, to go on that of the last.

        A `limit` of None gives all of them.
        """
        return await self._list("calls", "calls", CallRecord, limit, before=before)

    async def rebuild_call(self, call_id: int) -> RebuiltCall:
        """The request of a recorded call, made anew, and whether it is the same to the byte."""
        return await self._read("rebuild_call", f"calls/{call_id}", RebuiltCall)

    async def usage(self) -> UsageSummary:
        """What the recorded calls used, by model, and what estimates of each are off by."""
        return await self._read("usage", "usage", UsageSummary)
