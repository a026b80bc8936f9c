"""Parts of the server that need an extra, imported only where a setting asks for them."""

from importlib import import_module
from typing import Any

from commontrace.errors import InvalidInputError


def installed(module: str, extra: str) -> Any:
    """A module of this package.

    Raises:
        InvalidInputError: what it needs is not installed.
    """
    try:
        return import_module(f"commontrace_backend.operation.{module}")
    except ModuleNotFoundError as error:
        raise InvalidInputError(
            f"A setting asks for {module}, which needs what is not installed.",
            f"Run: pip install 'commontrace[{extra}]'",
        ) from error
