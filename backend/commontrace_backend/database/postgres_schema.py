"""Which schema a PostgreSQL database has, and how it gets the one this code needs."""

from typing import Final

from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection

from commontrace.errors import StoreUnusableError
from commontrace_backend.database.faults import sqlstate_of
from commontrace_backend.database.schema import CURRENT, is_older, migrate

_OLDEST_SERVER: Final = 160_000  # as the server counts: 16.0
_UNDEFINED_TABLE: Final = "42P01"
_VERSIONS: Final = text("SELECT version_num, (SELECT max(min_reader) FROM schema_info) FROM alembic_version")
_SERVER: Final = text(
    "SELECT current_setting('server_version_num')::int AS version, current_setting('server_encoding') AS encoding,"
    " EXISTS (SELECT FROM pg_available_extensions WHERE name = 'vector') AS has_vector,"
    " to_regclass('alembic_version') IS NOT NULL AND to_regclass('schema_info') IS NULL AS is_foreign"
)
_WITHOUT_HURRY: Final = text("SET LOCAL statement_timeout = 0")


async def found_schema(connection: AsyncConnection) -> int:
    """Which schema the database has, 0 where it has no table of ours; one SELECT.

    Raises:
        NewerSchemaError: it was written by newer code and cannot be read by this one.
        StoreUnusableError: what it holds is not ours.
    """
    try:
        row = (await connection.execute(_VERSIONS)).first()
        found, min_reader = (int(row[0]), int(row[1] or 0)) if row else (0, 0)
    except DBAPIError as error:
        if sqlstate_of(error.orig) == _UNDEFINED_TABLE:
            return 0
        raise
    except ValueError as error:
        raise _not_ours() from error
    is_older(found, min_reader, "The database")
    return found


async def upgrade(connection: AsyncConnection, schema: int = CURRENT) -> None:
    """Run the migrations up to a schema in the connection's transaction, however long they take.

    Raises:
        StoreUnusableError: the server cannot hold a store of ours; nothing was changed.
    """
    server = (await connection.execute(_SERVER)).one()
    if server.is_foreign:
        raise _not_ours()
    for unfit, detail, hint in (
        (
            server.version < _OLDEST_SERVER,
            "The PostgreSQL server is older than version 16.",
            "Upgrade it, or use another one.",
        ),
        (
            server.encoding != "UTF8",
            f"The database's encoding is {server.encoding}, which cannot hold every text.",
            "Create one with: CREATE DATABASE name ENCODING 'UTF8' TEMPLATE template0",
        ),
        (
            not server.has_vector,
            "The PostgreSQL server lacks the extension vector.",
            "Install pgvector on it, then try again.",
        ),
    ):
        if unfit:
            raise StoreUnusableError(detail, hint)
    await connection.execute(_WITHOUT_HURRY)
    await connection.run_sync(migrate, schema)


def _not_ours() -> StoreUnusableError:
    return StoreUnusableError(
        "The database holds the tables of another program; it was left as it is.",
        "Point COMMONTRACE_URL to an empty database.",
    )
