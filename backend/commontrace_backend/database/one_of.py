"""Membership in a list that is one parameter, so that a statement is the same for any number of values.

SQLAlchemy's own `in_` writes a placeholder a value: each length is another statement, which a driver keeps apart and
the database parses and plans anew.
"""

import json
from typing import Any

from sqlalchemy import BindParameter, Boolean, ColumnClause, Dialect, Text, TypeDecorator, bindparam
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.functions import FunctionElement
from sqlalchemy.types import TypeEngine


class _Several(TypeDecorator[Any]):
    """Values of one type: an array in PostgreSQL, JSON in SQLite."""

    impl = Text
    cache_ok = True

    def __init__(self, item: TypeEngine[Any]) -> None:
        super().__init__()
        self.item = item

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        return dialect.type_descriptor(ARRAY(self.item) if dialect.name == "postgresql" else Text())

    def process_bind_param(self, value: Any, dialect: Dialect) -> Any:
        return list(value) if dialect.name == "postgresql" else json.dumps(list(value))


class OneOf(FunctionElement[bool]):
    """Whether a column of numbers or texts equals one of the values given as `parameter` when the statement runs."""

    name = "one_of"
    inherit_cache = True
    type = Boolean()

    def __init__(self, column: ColumnClause[Any], parameter: str) -> None:
        super().__init__(column, bindparam(parameter, type_=_Several(column.type)))

    @property
    def sides(self) -> tuple[ColumnClause[Any], BindParameter[Any]]:
        """What is compared with what."""
        column, values = self.clauses
        assert isinstance(column, ColumnClause)
        assert isinstance(values, BindParameter)
        return column, values


@compiles(OneOf)
def _in_json(element: OneOf, compiler: SQLCompiler, **options: Any) -> str:
    column, values = (compiler.process(side, **options) for side in element.sides)
    return f"{column} IN (SELECT value FROM json_each({values}))"  # noqa: S608 # nosec B608 - by the compiler


@compiles(OneOf, "postgresql")
def _in_array(element: OneOf, compiler: SQLCompiler, **options: Any) -> str:
    column, values = (compiler.process(side, **options) for side in element.sides)
    return f"{column} = ANY ({values})"
