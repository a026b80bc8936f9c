"""Errors worded for an agent: what failed and the exact next step, in one line."""

import logging
from typing import Any

import mcp_types
from fastmcp.exceptions import ToolError, ValidationError
from fastmcp.server.middleware import CallNext, Middleware, MiddlewareContext
from fastmcp.tools.base import ToolResult
from pydantic import ValidationError as PydanticValidationError

from commontrace.errors import CommonTraceError

log = logging.getLogger("commontrace.mcp")


class WordedErrors(Middleware):
    """Turns every failure of a tool into one line that says what to do; never a stack, never Pydantic's text."""

    async def on_call_tool(
        self,
        context: MiddlewareContext[mcp_types.CallToolRequestParams],
        call_next: CallNext[mcp_types.CallToolRequestParams, ToolResult],
    ) -> ToolResult:
        """Run the tool and word what goes wrong."""
        try:
            return await call_next(context)
        except (CommonTraceError, ValidationError, PydanticValidationError) as error:
            raise ToolError(worded(error), log_level=logging.DEBUG) from error
        except ToolError as error:
            cause = error.__cause__
            known = isinstance(cause, (CommonTraceError, ValidationError, PydanticValidationError))
            raise ToolError(worded(cause) if known and cause else str(error), log_level=logging.DEBUG) from error
        except Exception as error:
            log.exception("tool %s failed", context.message.name)
            raise ToolError("Something went wrong inside CommonTrace. Nothing was stored; try again once.") from error


def worded(error: BaseException) -> str:
    """One line for an agent."""
    cause = error.__cause__ if isinstance(error, ValidationError) else error
    if isinstance(cause, PydanticValidationError):
        return _arguments(cause)
    if isinstance(error, CommonTraceError):
        matches = error.extra.get("matches")
        known = f" Known: {'; '.join(_match(match) for match in matches)}." if isinstance(matches, list) else ""
        return f"{error.detail} {error.hint}{known}".strip()
    return "The arguments are wrong. Check them against the tool's schema and call again."


def _arguments(error: PydanticValidationError) -> str:
    first = error.errors(include_url=False, include_context=False, include_input=False)[0]
    place = ".".join(str(part) for part in first["loc"]) or "arguments"
    if first["type"] == "missing":
        return f"The argument {place} is missing. Add it and call again."
    if first["type"] in {"unexpected_keyword_argument", "extra_forbidden"}:
        return f"There is no argument {place}. Leave it out and call again."
    said = str(first["msg"]).removeprefix("Value error, ").rstrip(".")
    return f"{place}: {said[0].lower()}{said[1:]}. Correct it and call again."


def _match(match: Any) -> str:
    # The title is somebody's text: it does not leave its field. The id is ours.
    return f"{str(match['trace_id'])[:10]} ({float(match['similarity']):.0%} alike)"
