"""Errors to {code, detail, hint}: the one place where an exception becomes an answer."""

import asyncio
import logging
import traceback
from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Any, Final

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException
from starlette.routing import Match, Route
from starlette.types import ASGIApp, Receive, Scope, Send

from commontrace.errors import (
    AuthenticationError,
    CommonTraceError,
    InternalError,
    InvalidInputError,
    NotFoundError,
    RateLimitedError,
    RequestError,
    SlowBodyError,
    TooLargeError,
    UnavailableError,
    UnsupportedBodyError,
)
from commontrace.models.problem import Problem
from commontrace_backend.again import note_loss
from commontrace_backend.reporting import NOTED, report

MEDIA_TYPE: Final = "application/problem+json"
STREAMED: Final = ("/bundle", "/objects")
"""How the paths end whose bodies or answers take as long as they take."""

_OF_A_BODY: Final[dict[HTTPStatus, tuple[type[CommonTraceError], str]]] = {
    HTTPStatus.REQUEST_TIMEOUT: (SlowBodyError, "Send it again, faster or in parts."),
    HTTPStatus.REQUEST_ENTITY_TOO_LARGE: (TooLargeError, "Send less, or in several requests."),
    HTTPStatus.UNSUPPORTED_MEDIA_TYPE: (UnsupportedBodyError, "Send JSON with Content-Type: application/json."),
}
"""What goes wrong while a body arrives; FastAPI lets nothing but its own exception through there."""


def install(app: FastAPI) -> None:
    """Answer every error of this app as problem details (RFC 9457)."""
    app.add_exception_handler(CommonTraceError, _ours)
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(HTTPException, _http)
    app.add_exception_handler(UnicodeEncodeError, _half_a_character)
    app.add_middleware(LastResort)


def answer(error: CommonTraceError) -> JSONResponse:
    """The response for an error of ours."""
    return _said(error.status, error, _headers(error))


def _said(status: int, error: CommonTraceError, headers: Mapping[str, str] | None) -> JSONResponse:
    noted = NOTED.get()
    if noted:
        noted.code = error.code
    return JSONResponse(problem_of(error, status).model_dump(mode="json"), status, headers, MEDIA_TYPE)


def problem_of(error: CommonTraceError, status: int) -> Problem:
    """An error as it is told."""
    noted = NOTED.get()
    return Problem(
        title=HTTPStatus(status).phrase,
        status=status,
        code=error.code,
        detail=error.detail,
        hint=error.hint,
        extra=error.extra,
        request_id=noted.request_id if noted else "",
    )


def _headers(error: CommonTraceError) -> dict[str, str] | None:
    if isinstance(error, RateLimitedError):
        names = {"Retry-After": "retry_after", "RateLimit-Policy": "policy", "RateLimit": "standing"}
        told = {header: str(error.extra[name]) for header, name in names.items() if name in error.extra}
        return {"Retry-After": "1"} | told
    return {"Retry-After": "1"} if error.retryable else None


async def _ours(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, CommonTraceError)
    note_loss(request, error)
    said = answer(error)
    if challenge := _challenge(request, error):
        said.headers["WWW-Authenticate"] = challenge
    return said


def _challenge(request: Request, error: CommonTraceError) -> str:
    """How to be let in (RFC 6750, RFC 9728), where that is what failed."""
    if isinstance(error, AuthenticationError):
        parts = ['error="invalid_token"'] if "Authorization" in request.headers else []
    elif "needed_scope" in error.extra:
        parts = ['error="insufficient_scope"', f'scope="commontrace:{error.extra["needed_scope"]}"']
    else:
        return ""
    if request.app.state.resource_metadata:
        parts.append(f'resource_metadata="{request.app.state.resource_metadata}"')
    return f"Bearer {', '.join(parts)}".strip()


async def _invalid(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, RequestValidationError)
    taken = _routes_of(request)
    if request.scope["route"] not in taken:  # GET /traces/query is a method too many, not the id of a trace
        return _of_another_method(taken)
    return answer(worded(error.errors()))


def worded(errors: Sequence[Any]) -> InvalidInputError:
    """Pydantic's findings in one sentence that names the field and what it must be."""
    first = errors[0]
    if first["type"] == "json_invalid":
        return InvalidInputError("The body is not valid JSON.", "Check quotes, commas and brackets.")
    # FastAPI puts where the value came from in front of its name.
    names = first["loc"][1:] if first["loc"][:1] in {("body",), ("query",), ("path",)} else first["loc"]
    place = ".".join(str(name) for name in names) or "the body"
    more = f" ({len(errors) - 1} more)" if len(errors) > 1 else ""
    said = str(first["msg"]).removeprefix("Value error, ")
    return InvalidInputError(f"{place}: {said[0].lower()}{said[1:]}{more}.", "Correct the field and send it again.")


async def _half_a_character(_request: Request, _error: Exception) -> JSONResponse:
    # JSON can escape a lone surrogate, which no database and no answer can hold.
    return answer(InvalidInputError("A text holds half a character (a lone surrogate).", "Send valid Unicode only."))


def _routes_of(request: Request) -> list[Route]:
    """What is declared for a path: by its own name, else by a form that it has."""
    routes = [route for route in request.app.routes if isinstance(route, Route)]
    named = [route for route in routes if route.path == request.scope["path"]]
    return named or [route for route in routes if route.matches(request.scope)[0] is not Match.NONE]


def _of_another_method(routes: Sequence[Route]) -> JSONResponse:
    """405 with all the methods of a path, which may be declared by several routes."""
    methods = sorted({method for route in routes for method in route.methods or ()})
    said = RequestError("This path does not take this method.", f"It takes {' and '.join(methods)}.")
    return _said(HTTPStatus.METHOD_NOT_ALLOWED, said, {"Allow": ", ".join(methods)})


async def _http(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, HTTPException)
    if isinstance(error.__cause__, CommonTraceError):  # of whoever sent a body, before it was read
        return await _ours(request, error.__cause__)
    if error.status_code == HTTPStatus.NOT_FOUND:
        return answer(NotFoundError("There is no such route.", "See /docs for the routes."))
    if error.status_code in _OF_A_BODY:
        kind, hint = _OF_A_BODY[HTTPStatus(error.status_code)]
        return answer(kind(f"{error.detail}.", hint))
    if error.status_code == HTTPStatus.BAD_REQUEST:
        return answer(InvalidInputError("The body cannot be read.", "Send UTF-8 JSON, nested less deeply."))
    if error.status_code == HTTPStatus.METHOD_NOT_ALLOWED:
        return _of_another_method(_routes_of(request))
    return _said(error.status_code, RequestError(f"{error.detail}.", "See /docs for the routes."), error.headers)


class LastResort:
    """ASGI middleware that answers what nobody foresaw, and logs where it happened.

    The text of an exception may hold what a caller wrote: the log names the place, never the words. As a handler of
    the framework this would not do: it raises the exception again, and the server logs the whole of it.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on; answers are whole before they start, so one that failed has not started."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        try:
            await self._app(scope, receive, send)
        except Exception as error:  # noqa: BLE001 - the last resort
            where = _where(error)
            report(logging.ERROR, "unexpected", route=route_of(scope), error=type(error).__name__, where=where)
            said = InternalError("Something went wrong on our side.", "The server's log says where; please report it.")
            await answer(said)(scope, receive, send)


class Deadline:
    """ASGI middleware that gives a request up that takes too long; a statement that runs is waited for."""

    def __init__(self, app: ASGIApp, seconds: float) -> None:
        self._app = app
        self._seconds = seconds

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on; what is streamed takes as long as it takes."""
        if scope["type"] != "http" or scope["path"].endswith(STREAMED):
            await self._app(scope, receive, send)
            return
        limit = asyncio.timeout(self._seconds)
        try:
            async with limit:
                await self._app(scope, receive, send)
        except TimeoutError:
            if not limit.expired():
                raise
            late = UnavailableError(f"This took longer than {self._seconds:g} s.", "Ask for less, or try again later.")
            await answer(late)(scope, receive, send)


def route_of(scope: Scope) -> str:
    """The path as it is declared: what a caller put into it is no business of a log or a figure."""
    return str(getattr(scope.get("route"), "path", "unknown"))


def _where(error: Exception) -> str:
    frame = traceback.extract_tb(error.__traceback__)[-1]
    return f"{frame.filename}:{frame.lineno}"
