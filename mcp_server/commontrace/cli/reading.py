"""Reading what a command is given: files, standard input, JSON. Every failure is one clear line."""

import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any, TypeVar

import click
from pydantic import BaseModel, ValidationError

from commontrace.errors import InvalidInputError
from commontrace.models.wording import worded

M = TypeVar("M", bound=BaseModel)


def read_text(source: str) -> str:
    """The UTF-8 text of a file, or of standard input for `-`.

    Raises:
        InvalidInputError: there is no such file, it cannot be read or is not UTF-8.
    """
    try:
        raw = sys.stdin.buffer.read() if source == "-" else Path(source).read_bytes()
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise InvalidInputError(
            f"{named(source)} is not UTF-8 text (byte {error.start}).", "Save it as UTF-8 and try again."
        ) from error
    except OSError as error:
        raise unreadable(source, error) from error
    except ValueError as error:  # a NUL in the name
        raise InvalidInputError(f"{source!r} is not the name of a file.", "Check the path.") from error


def unreadable(source: str, error: OSError) -> InvalidInputError:
    """The error for a file that the system refuses."""
    reason = (error.strerror or "it cannot be opened").lower()
    return InvalidInputError(f"{named(source)}: {reason}.", "Check the path, or pass - for standard input.")


def named(source: str) -> str:
    """How messages call a source."""
    return "Standard input" if source == "-" else source


def read_json(source: str) -> Any:
    """The JSON document in a file; raises InvalidInputError with line and column."""
    return parse_json(read_text(source), named(source))


def parse_json(text: str, where: str) -> Any:
    """A JSON document; raises InvalidInputError with line and column."""
    try:
        return json.loads(text, parse_constant=_refuse)
    except json.JSONDecodeError as error:
        place = f"line {error.lineno}, column {error.colno}"
        said = f"{error.msg[0].lower()}{error.msg[1:]} at {place}"
        raise InvalidInputError(f"{where} is not valid JSON: {said}.", "Correct it and try again.") from error
    except (ValueError, RecursionError) as error:
        said = str(error) if isinstance(error, ValueError) else "it is nested too deeply"
        raise InvalidInputError(f"{where} is not valid JSON: {said}.", "Correct it and try again.") from error


def _refuse(constant: str) -> float:
    raise ValueError(f"{constant} is not a JSON number")


def read_object(source: str) -> dict[str, Any]:
    """The JSON object in a file."""
    value = read_json(source)
    if not isinstance(value, dict):
        raise InvalidInputError(f"{named(source)} does not hold a JSON object.", "Begin it with {.")
    return value


def read_tools(source: str) -> list[Any]:
    """The schemas of tools in a file: a JSON list, or a request that has them."""
    value = read_json(source)
    found = value.get("tools") if isinstance(value, dict) else value
    if not isinstance(found, list):
        raise InvalidInputError(f"{named(source)} holds no list of tools.", "Give [{…}, …] as the provider takes them.")
    return found


def validated(model: type[M], fields: Mapping[str, Any], where: str = "") -> M:
    """A model of the contract from what a person wrote; raises InvalidInputError that names the field."""
    try:
        return model.model_validate(fields)
    except ValidationError as error:
        raise worded(error, where) from error


def error_text(value: str | None) -> str:
    """What `--error` stands for: `-` is standard input, the name of a file its text, words are the text itself.

    Raises:
        click.BadParameter: neither a file nor several words.
    """
    if not value or value == "-" or _is_file(value):
        return read_text(value).strip() if value else ""
    if any(char.isspace() for char in value):
        return value
    raise click.BadParameter(
        f"there is no file {value}. Pass a file, - for standard input, or the error in words.", param_hint="--error"
    )


def _is_file(value: str) -> bool:
    try:
        return Path(value).exists()
    except (OSError, ValueError):  # longer than a name can be
        return False
