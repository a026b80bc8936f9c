"""Which index goes with which database."""

from sqlalchemy import Column

from commontrace_backend.database.engine import Database
from commontrace_backend.database.postgres_database import PostgresDatabase
from commontrace_backend.index.postgres_index import PostgresIndex
from commontrace_backend.index.protocol import SearchIndex
from commontrace_backend.index.sqlite_index import SqliteIndex


def index_for(database: Database, key: Column[int]) -> SearchIndex:
    """The index that lives in this database; `key` is the column of the numbers that documents go by."""
    return PostgresIndex(key) if isinstance(database, PostgresDatabase) else SqliteIndex(key)
