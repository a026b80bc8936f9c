"""A row's values as JSON and back, the same whichever database they come from or go to."""

import struct
from array import array
from base64 import b64decode, b64encode
from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final

from sqlalchemy import Column, LargeBinary, TypeDecorator

from commontrace_backend.database.types import UtcDateTime
from commontrace_backend.index.tables import trace_vectors

_LARGEST: Final = 127
_SCALE: Final = struct.Struct("<f")


def to_json(column: Column[Any], value: Any) -> Any:
    """A value as JSON has it: bytes in base 64, times in ISO 8601."""
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, bytes):
        return {"int8": _text(value)} if column is trace_vectors.c.vector else _text(value)
    return value


def from_json(column: Column[Any], value: Any, engine: str) -> Any:
    """The value that the column of a database of this engine takes."""
    if value is None:
        return None
    if column is trace_vectors.c.vector:
        return _vector(value, engine)
    if isinstance(column.type, UtcDateTime):
        return datetime.fromisoformat(value)
    kind = column.type.impl if isinstance(column.type, TypeDecorator) else column.type
    return b64decode(value) if isinstance(kind, LargeBinary) else value


def _text(value: bytes) -> str:
    return b64encode(value).decode()


def _vector(value: Any, engine: str) -> Any:
    """SQLite keeps int8 numbers and their scale, PostgreSQL half-precision numbers that it writes as text."""
    if isinstance(value, dict):
        kept = b64decode(value["int8"])
        if engine == "sqlite":
            return kept
        scale = _SCALE.unpack(kept[-_SCALE.size :])[0]
        return array("d", (number * scale for number in array("b", kept[: -_SCALE.size])))
    numbers = array("d", (float(number) for number in value.strip("[]").split(",")))
    return numbers if engine == "postgresql" else _packed(numbers)


def _packed(numbers: Sequence[float]) -> bytes:
    """As the index in SQLite packs a vector."""
    largest = max(map(abs, numbers)) or 1.0
    rounded = array("b", (round(number * (_LARGEST / largest)) for number in numbers))
    return rounded.tobytes() + _SCALE.pack(largest / _LARGEST)
