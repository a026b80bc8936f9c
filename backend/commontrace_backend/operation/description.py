"""The OpenAPI description, made true: names that stay, the scheme of keys, every error, every header."""

from collections.abc import Callable
from typing import Any, Final

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from fastapi.routing import APIRoute

from commontrace.errors import (
    AuthenticationError,
    CommonTraceError,
    ConflictError,
    ForbiddenError,
    InternalError,
    InvalidInputError,
    NotFoundError,
    RateLimitedError,
    SlowBodyError,
    TooLargeError,
    UnavailableError,
    UnsupportedBodyError,
)
from commontrace.models.problem import Problem
from commontrace_backend.operation.observing import REQUEST_ID_HEADER
from commontrace_backend.problems import MEDIA_TYPE

_API: Final = "/api/"
_REQUEST_ID: Final = {
    REQUEST_ID_HEADER: {
        "description": "The id of this request, as sent or made up; the server's log has it too.",
        "schema": {"type": "string"},
    }
}
_RATES: Final = {
    "RateLimit-Policy": {
        "description": "The quota that is nearest to empty; absent where nothing is limited.",
        "schema": {"type": "string"},
    },
    "RateLimit": {"description": "What is left of it, and when it is full again.", "schema": {"type": "string"}},
}
_RETRY: Final = {
    "Retry-After": {"description": "Seconds to wait.", "schema": {"type": "string", "pattern": "^[0-9]+$"}}
}
_ETAG: Final = {
    "ETag": {"description": "Names this content: send it in If-None-Match.", "schema": {"type": "string"}},
}
_TAGS: Final = {
    "search": "Finding traces.",
    "traces": "Pieces of knowledge: contributing, voting, amending, moderating.",
    "reviews": "What an organization's reviewers decide, and whom it trusts.",
    "log": "The tamper-evident log.",
    "sync": "Traces on their way between stores.",
    "contexts": "Git for context windows.",
    "contributors": "Who acts, and their keys.",
    "operation": "Running the server.",
}


def describe(app: FastAPI) -> Callable[[], dict[str, Any]]:
    """What `app.openapi` is to be: the description, made once."""

    def openapi() -> dict[str, Any]:
        if app.openapi_schema is None:
            routes = [route for route in app.routes if isinstance(route, APIRoute) and route.include_in_schema]
            app.openapi_schema = get_openapi(
                title=app.title, version=app.version, description=app.description, routes=routes
            )
            _complete(app.openapi_schema, routes)
        return app.openapi_schema

    return openapi


def _complete(document: dict[str, Any], routes: list[APIRoute]) -> None:
    document["tags"] = [{"name": name, "description": said} for name, said in _TAGS.items()]
    parts = document.setdefault("components", {})
    parts["securitySchemes"] = {
        "key": {"type": "http", "scheme": "bearer", "description": "An API key, such as ct_live_…"},
        "metrics": {"type": "http", "scheme": "bearer", "description": "COMMONTRACE_METRICS_TOKEN"},
    }
    schemas = parts["schemas"]
    for unused in ("HTTPValidationError", "ValidationError"):
        schemas.pop(unused, None)
    schemas["Problem"] = Problem.model_json_schema()
    for route in routes:
        for method in route.methods or ():
            _operation(document["paths"][route.path_format][method.lower()], route)


def _operation(said: dict[str, Any], route: APIRoute) -> None:
    said["operationId"] = f"{route.tags[0]}_{route.name}"
    said["summary"] = route.description.split("\n")[0].rstrip(".")
    is_api = route.path.startswith(_API)
    if is_api or route.path == "/metrics":
        said["security"] = [{"key" if is_api else "metrics": []}]
    answers: dict[str, Any] = said["responses"]
    answers.pop("422", None)
    is_read = is_api and "GET" in (route.methods or ())
    for answer in answers.values():
        answer["headers"] = _REQUEST_ID | (_RATES if is_api else {}) | (_ETAG if is_read else {})
    if is_read:
        answers["304"] = {"description": "What If-None-Match names is still so.", "headers": _REQUEST_ID | _ETAG}
    for error in _errors_of(route, takes_body="requestBody" in said or route.path.endswith("/bundle")):
        _add_problem(answers, error)


def _errors_of(route: APIRoute, *, takes_body: bool) -> list[type[CommonTraceError]]:
    errors: list[type[CommonTraceError]] = [InternalError, UnavailableError]
    if route.path == "/metrics":
        return [*errors, AuthenticationError]
    if not route.path.startswith(_API):
        return errors
    errors += [AuthenticationError, ForbiddenError, RateLimitedError, InvalidInputError, NotFoundError, ConflictError]
    return errors + ([TooLargeError, UnsupportedBodyError, SlowBodyError] if takes_body else [])


def _add_problem(answers: dict[str, Any], error: type[CommonTraceError]) -> None:
    waits = error in {RateLimitedError, UnavailableError}
    rates = _RATES if error is RateLimitedError else {}
    answers[str(error.status)] = {
        "description": (error.__doc__ or "").split("\n")[0],
        "content": {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}},
        "headers": _REQUEST_ID | rates | (_RETRY if waits else {}),
    }
