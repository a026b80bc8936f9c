"""Rows of an import file to contributions: JSON arrays, JSON lines, and other people's field names. Pure."""

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any, Final, NamedTuple

from commontrace.cli.reading import parse_json, validated
from commontrace.errors import InvalidInputError
from commontrace.models.traces import Contribution, TraceContent

FIELDS: Final = frozenset(TraceContent.model_fields)
# context is the problem in another dialect; trace_id is what an export says for people; visibility cannot widen here.
_UNDERSTOOD: Final = FIELDS | {"context", "agent_model", "agent_version", "trace_id", "visibility"}
_NOT_IN_A_TAG: Final = re.compile(r"[^a-z0-9.+#_-]+")


class Row(NamedTuple):
    """One row of the file: where it stands, and its fields or what is wrong with it."""

    place: str
    value: Any
    problem: InvalidInputError | None = None


def rows_of(text: str, where: str) -> list[Row]:
    """The rows of a JSON array, else of JSON lines; a broken line is a row with a problem.

    Raises:
        InvalidInputError: a broken array, or a file without a row.
    """
    if text.lstrip().startswith("["):
        rows = [Row(f"row {number}", value) for number, value in enumerate(parse_json(text, where), 1)]
    else:
        rows = list(_lines(text))
    if not rows:
        raise InvalidInputError(f"{where} holds no rows.", "Give a JSON array, or one JSON object a line.")
    if len(rows) > 1 and all(row.problem for row in rows):
        raise InvalidInputError(f"{where} is neither a JSON array nor JSON lines.", "One JSON object a line, or [ … ].")
    return rows


def _lines(text: str) -> Iterator[Row]:
    # Only a line feed ends a row: other line breaks may stand inside a JSON string.
    for number, line in enumerate(text.split("\n"), 1):
        if not line.strip():
            continue
        try:
            yield Row(f"line {number}", json.loads(line))
        except json.JSONDecodeError as error:
            said = f"not valid JSON: {error.msg[0].lower()}{error.msg[1:]} at column {error.colno}."
            yield Row(f"line {number}", None, InvalidInputError(said, "Correct the line."))
        except RecursionError:
            yield Row(f"line {number}", None, InvalidInputError("the JSON is nested too deeply.", "Flatten it."))


def ignored(rows: list[Row]) -> list[str]:
    """Fields of the rows that no trace has."""
    found = {name for row in rows if isinstance(row.value, dict) for name in row.value}
    return sorted(found - _UNDERSTOOD)


def contribution(value: Any, *, without_context: bool) -> Contribution:
    """The contribution that a row stands for.

    Args:
        value: the row; fields that no trace has are left out.
        without_context: keep `context` out of the trace; the title then stands for the problem.

    Raises:
        InvalidInputError: a field is missing or wrong.
    """
    if not isinstance(value, Mapping):
        raise InvalidInputError("not a JSON object.", 'Give {"title": …, "problem": …, "solution": …}.')
    fields = {name: item for name, item in value.items() if name in FIELDS and item is not None}
    context = None if without_context else value.get("context")
    fields["problem"] = fields.get("problem") or context or fields.get("title")
    if isinstance(fields.get("tags"), list):
        fields["tags"] = [_tag(tag) for tag in fields["tags"]]
    if "source" not in fields and isinstance(value.get("agent_model"), str):
        fields["source"] = {"kind": "agent", "model": value["agent_model"]}
    return validated(Contribution, {**fields, "insist": True, "origin": "imported"})


def _tag(tag: Any) -> Any:
    if not isinstance(tag, str):
        return tag
    return _NOT_IN_A_TAG.sub("-", tag.lower()).strip("-._")[:50]
