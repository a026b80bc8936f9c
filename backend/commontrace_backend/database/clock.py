"""The clock that all processes of a store share: the database's. Their own may be hours apart."""

from datetime import datetime
from typing import Any, Final

from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.functions import FunctionElement

from commontrace_backend.database.types import UtcDateTime


class _Moment(FunctionElement[datetime]):
    """The moment at which a statement runs."""

    type = UtcDateTime()
    inherit_cache = True


@compiles(_Moment, "postgresql")
def _postgres(_element: _Moment, _compiler: Any, **_options: Any) -> str:
    return "clock_timestamp()"


@compiles(_Moment, "sqlite")
def _sqlite(_element: _Moment, _compiler: Any, **_options: Any) -> str:
    # As a column of it holds a moment; all who open a file are on one machine.
    return "(strftime('%Y-%m-%d %H:%M:%f', 'now') || '000')"


NOW: Final = _Moment()
"""In a statement: the moment at which it runs, to the millisecond."""
