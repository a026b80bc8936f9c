"""Column types that mean the same on every database."""

from datetime import UTC, datetime
from typing import Any

from sqlalchemy import (
    JSON,
    BindParameter,
    ColumnElement,
    DateTime,
    Dialect,
    LargeBinary,
    String,
    Text,
    TypeDecorator,
    cast,
    type_coerce,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.types import UserDefinedType

Json = JSON(none_as_null=True).with_variant(JSONB(none_as_null=True), "postgresql")
"""A JSON document; NULL where the value is None."""

# How long a text may be is the models' business. The migrations have it compared byte by byte, as SQLite does.
Id = String(64).with_variant(Text(), "postgresql")
"""A random 128-bit id or a SHA-256, in lower-case hexadecimal."""

Name = String(200).with_variant(Text(), "postgresql")
"""A short text with a meaning: a name, a tag, a code."""


class HalfVector(UserDefinedType[Any]):
    """pgvector's halfvec, of one dimension or of any, written as its text form."""

    cache_ok = True

    def __init__(self, dimension: int | None = None) -> None:
        self.dimension = dimension

    def get_col_spec(self, **_options: Any) -> str:
        """The type's name."""
        return f"halfvec({self.dimension})" if self.dimension else "halfvec"

    def bind_expression(self, bindvalue: BindParameter[Any]) -> ColumnElement[Any]:
        """The driver has no form of its own for it."""
        return cast(type_coerce(bindvalue, HalfVectorText()), self)


class HalfVectorText(TypeDecorator[Any]):
    """What an array of numbers is sent as."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: Any, dialect: Dialect) -> str | None:
        """Five digits: a half has little more than three."""
        del dialect
        return None if value is None else "[" + ",".join(f"{number:.5g}" for number in value.tolist()) + "]"


Vector = LargeBinary().with_variant(HalfVector(), "postgresql")
"""A vector: int8 numbers and their scale in SQLite, half-precision numbers in PostgreSQL."""


class UtcDateTime(TypeDecorator[datetime]):
    """An aware datetime in UTC; a naive one is refused."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:  # noqa: ARG002 - the interface
        """Store in UTC; SQLite keeps no zone."""
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("a datetime without a zone reached the database")
        return value.astimezone(UTC)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:  # noqa: ARG002 - the interface
        """Give the zone back that SQLite dropped."""
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)
