"""Which schema this code needs, and the migrations that lead to it."""

from pathlib import Path
from typing import Final

from sqlalchemy import Connection

from commontrace.errors import NewerSchemaError, StoreUnusableError

CURRENT: Final = 5
"""The schema this code writes; migrations/versions holds one file a step."""

MIN_READER: Final = 1
"""The oldest code that may still use a store of this schema; raised only by a change that is not additive."""


def is_older(found: int, min_reader: int, store: str) -> bool:
    """Whether a store of schema `found` must be upgraded.

    Raises:
        NewerSchemaError: it was written by newer code and cannot be read by this one.
    """
    if found > CURRENT and min_reader > CURRENT:
        raise NewerSchemaError(
            f"{store} has schema {found}; this CommonTrace reads up to {CURRENT}. It was left untouched.",
            "Upgrade CommonTrace, or point COMMONTRACE_URL to another store.",
        )
    return found < CURRENT


def too_old(found: int, store: str) -> StoreUnusableError:
    """What a program says that may not upgrade a store."""
    return StoreUnusableError(
        f"{store} has schema {found}; this CommonTrace needs {CURRENT}. It was left untouched.",
        "Run `commontrace backup FILE`, then `commontrace migrate`, next to the data.",
    )


def migrate(connection: Connection, schema: int = CURRENT) -> None:
    """Run the migrations that are missing up to a schema in the transaction of the caller, who commits."""
    from alembic import command
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations").replace("%", "%%"))
    config.attributes["connection"] = connection
    command.upgrade(config, str(schema))
