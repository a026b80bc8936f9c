"""Errors worded for an agent: what failed and the exact next step, in one line."""

import functools
import logging
from collections.abc import Awaitable, Callable
from typing import Any, ParamSpec, TypeVar

import mcp_types
from fastmcp.exceptions import ToolError, ValidationError
from fastmcp.server.middleware import CallNext, Middleware, MiddlewareContext
from fastmcp.tools.base import ToolResult
from pydantic import ValidationError as PydanticValidationError

from commontrace.errors import CommonTraceError
from commontrace.safety.rendering import outside

P = ParamSpec("P")
T = TypeVar("T")

log = logging.getLogger("commontrace.mcp")

_UNEXPECTED = "Something went wrong inside CommonTrace. Try once more; if it stays so, please report it."


def worded_errors(tool: Callable[P, Awaitable[T]]) -> Callable[P, Awaitable[T]]:
    """A tool whose failures are one line that says what to do; never a stack, never Pydantic's text."""

    @functools.wraps(tool)
    async def worded_tool(*args: P.args, **kwargs: P.kwargs) -> T:
        try:
            return await tool(*args, **kwargs)
        except CommonTraceError as error:
            raise ToolError(of_ours(error), log_level=logging.DEBUG) from error
        except PydanticValidationError as error:
            raise ToolError(of_arguments(error), log_level=logging.DEBUG) from error
        except Exception as error:
            log.exception("the tool %s failed", tool.__name__)
            raise ToolError(_UNEXPECTED, log_level=logging.DEBUG) from error

    return worded_tool


class WordedErrors(Middleware):
    """The same for arguments that do not fit the tool's schema, which fail before the tool runs."""

    async def on_call_tool(
        self,
        context: MiddlewareContext[mcp_types.CallToolRequestParams],
        call_next: CallNext[mcp_types.CallToolRequestParams, ToolResult],
    ) -> ToolResult:
        """Call the tool and word what is wrong with its arguments."""
        try:
            return await call_next(context)
        except ValidationError as error:
            cause = error.__cause__
            said = of_arguments(cause) if isinstance(cause, PydanticValidationError) else outside(str(error))
            raise ToolError(said, log_level=logging.DEBUG) from error


def of_ours(error: CommonTraceError) -> str:
    """What failed, what to do, and the ids of near-duplicates: their titles are other people's text. One line."""
    matches = error.extra.get("matches")
    known = f" Known: {'; '.join(_match(match) for match in matches)}." if isinstance(matches, list) else ""
    return outside(f"{error}{known}")


def _match(match: dict[str, Any]) -> str:
    return f"{str(match['trace_id'])[:10]} ({float(match['similarity']):.0%} alike)"


def of_arguments(error: PydanticValidationError) -> str:
    """Which argument is wrong and what it must be."""
    first = error.errors(include_url=False, include_context=False, include_input=False)[0]
    place = ".".join(str(part) for part in first["loc"]) or "arguments"
    if first["type"] in {"missing", "missing_argument"}:
        return f"The argument {place} is missing. Add it and call again."
    if first["type"] in {"unexpected_keyword_argument", "extra_forbidden"}:
        return outside(f"There is no argument {place}. Leave it out and call again.")
    said = str(first["msg"]).removeprefix("Value error, ").rstrip(".")
    return outside(f"{place}: {said[0].lower()}{said[1:]}. Correct it and call again.")
