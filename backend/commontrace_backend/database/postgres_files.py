"""The files of a PostgreSQL database: how large they are, and writing tables anew."""

from collections.abc import Sequence
from typing import Any, Final

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from commontrace_backend.database.faults import meaning_of_postgres, sqlstate_of

SIZE: Final = text("SELECT pg_database_size(current_database())")
_LONGEST: Final = 3600.0  # seconds for one table
_LOCK_NOT_AVAILABLE: Final = "55P03"


async def compact(connection: AsyncConnection, tables: Sequence[str]) -> bool:
    """Write tables anew, so that no page holds what was deleted; False where others hold one for too long."""
    from asyncpg import PostgresError

    # Through the driver: VACUUM runs outside of a transaction, and may take longer than any statement of ours.
    driver: Any = (await connection.get_raw_connection()).driver_connection
    try:
        await driver.execute("SET statement_timeout = 0")
        for table in tables:
            await driver.execute(f"VACUUM (FULL) {table}", timeout=_LONGEST)
    except PostgresError as error:
        if sqlstate_of(error) == _LOCK_NOT_AVAILABLE:
            return False
        raise meaning_of_postgres(error) from error
    finally:
        await driver.execute("RESET statement_timeout")
    return True
