"""What travels: bodies encoded, answers parsed, problems raised as our errors. Pure."""

import json
from collections.abc import Mapping
from typing import Any, TypeVar, cast

from pydantic import BaseModel, TypeAdapter, ValidationError
from pydantic_core import PydanticSerializationError

from commontrace.errors import (
    BY_CODE,
    AuthenticationError,
    BackendError,
    CommonTraceError,
    InvalidInputError,
    NotFoundError,
    RateLimitedError,
    TooLargeError,
    UnavailableError,
)
from commontrace.models.problem import Problem

T = TypeVar("T")

_BY_STATUS: dict[int, type[CommonTraceError]] = {
    401: AuthenticationError,
    404: NotFoundError,
    413: TooLargeError,
    429: RateLimitedError,
    502: UnavailableError,
    503: UnavailableError,
    504: UnavailableError,
}


_ADAPTERS: dict[object, TypeAdapter[Any]] = {}


def _adapter(answer: Any) -> TypeAdapter[Any]:
    if answer not in _ADAPTERS:
        _ADAPTERS[answer] = TypeAdapter(answer)
    return _ADAPTERS[answer]


def encode(body: BaseModel | bytes | None) -> bytes | None:
    """A body as JSON; fields at their default are left out, so that an older server understands them. Bytes stay.

    Raises:
        InvalidInputError: a text cannot be written as UTF-8.
    """
    try:
        return body.model_dump_json(exclude_defaults=True).encode() if isinstance(body, BaseModel) else body
    except PydanticSerializationError as error:
        raise InvalidInputError(
            "A text holds half a character (a lone surrogate), which cannot be sent.",
            "Decode what you send with errors='replace'.",
        ) from error


def query_of(values: Mapping[str, object] | None) -> dict[str, str | list[str]]:
    """Query parameters as text; None is left out."""
    given = {name: value for name, value in (values or {}).items() if value is not None}
    return {
        name: [_text(item) for item in value] if isinstance(value, (list, tuple)) else _text(value)
        for name, value in given.items()
    }


def _text(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def parse(answer: type[T], body: bytes) -> T:
    """An answer of the kind that was asked for, `bytes` being what came; raises BackendError for anything else."""
    if answer is bytes:
        return cast("T", body)
    try:
        # An operation without an answer has an empty body, which stands for null.
        parsed: T = _adapter(answer).validate_json(body or b"null")
    except ValidationError as error:
        raise BackendError(
            "The server's answer is not what CommonTrace sends.",
            "Check that the URL leads to a CommonTrace server of a compatible version.",
        ) from error
    return parsed


def unreachable(url: str, error: Exception, remote: str) -> UnavailableError:
    """The error of a server that did not answer at all; `remote` is what it is called, where it is one."""
    named = f"its URL (commontrace remote show {remote})" if remote else "COMMONTRACE_URL"
    said = str(error)
    if "CERTIFICATE_VERIFY_FAILED" in said:
        why = said.partition("verify failed: ")[2].partition(" (_ssl")[0]
        return UnavailableError(
            f"{url} cannot be reached: its certificate is not trusted ({why}).",
            "Let SSL_CERT_FILE name the certificates of the authority that signed it.",
        )
    if "WRONG_VERSION_NUMBER" in said:
        return UnavailableError(f"{url} cannot be reached: it does not speak TLS.", f"Check {named}.")
    return UnavailableError(f"{url} cannot be reached.", f"Check {named} and that the server is running.")


def problem(status: int, body: bytes) -> CommonTraceError:
    """The error that an answer with this status stands for."""
    try:
        said = Problem.model_validate(json.loads(body))
    except ValueError:
        kind = _BY_STATUS.get(status, BackendError)
        return kind(
            f"The server answered with status {status}, and not as CommonTrace does.",
            "Check the URL and what stands between you and the server.",
        )
    return raised(said)


def raised(said: Problem) -> CommonTraceError:
    """The error that a problem stands for."""
    return BY_CODE.get(said.code, BackendError)(said.detail, said.hint, dict(said.extra))
