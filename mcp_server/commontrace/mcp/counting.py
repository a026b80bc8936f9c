"""Counts, on this machine alone, what the tools are used for."""

import sqlite3
from contextlib import suppress
from typing import Any

from fastmcp.server.middleware import CallNext, Middleware, MiddlewareContext

from commontrace.hooks.notes import Notes


class Counted(Middleware):
    """Counts outcomes that are reported, and the tokens of traces that are read.

    Args:
        folder: where the hooks keep what they remember.
    """

    def __init__(self, folder: str) -> None:
        self._notes = Notes(folder)

    async def on_call_tool(self, context: MiddlewareContext[Any], call_next: CallNext[Any, Any]) -> Any:
        """Count what went well; what cannot be counted is not."""
        answer = await call_next(context)
        with suppress(sqlite3.Error, OSError):
            if context.message.name == "vote_trace":
                self._notes.count(outcomes=1)
            elif context.message.name == "query_traces":
                from commontrace.hooks.wording import tokens

                self._notes.count(tokens=sum(tokens(getattr(part, "text", "")) for part in answer.content))
        return answer
