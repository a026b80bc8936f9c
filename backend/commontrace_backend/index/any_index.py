"""Which index goes with which database."""

from sqlalchemy import Column

from commontrace_backend.database.engine import Database
from commontrace_backend.database.sqlite_database import SqliteDatabase
from commontrace_backend.index.protocol import SearchIndex
from commontrace_backend.index.vectors import VectorIndex


def index_for(database: Database, key: Column[int]) -> SearchIndex:
    """The words in this database; `key` is the column of the numbers that documents go by."""
    if isinstance(database, SqliteDatabase):
        from commontrace_backend.index.sqlite_index import SqliteIndex

        return SqliteIndex(key)
    from commontrace_backend.index.postgres_index import PostgresIndex

    return PostgresIndex(key)


def vectors_for(database: Database, key: Column[int], model_name: str) -> VectorIndex:
    """The vectors of one model in this database."""
    if isinstance(database, SqliteDatabase):
        from commontrace_backend.index.matrix import MatrixVectors

        return MatrixVectors(key, model_name)
    from commontrace_backend.index.postgres_vectors import PostgresVectors

    return PostgresVectors(key, model_name)
