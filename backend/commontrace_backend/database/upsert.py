"""Inserts that leave a row alone which is there already."""

from sqlalchemy import Insert, Table
from sqlalchemy.dialects.postgresql import insert


def insert_missing(table: Table) -> Insert:
    """An insert that skips rows whose key is taken: for content-addressed rows, which are equal then.

    SQLite and PostgreSQL write it alike: ON CONFLICT DO NOTHING.
    """
    return insert(table).on_conflict_do_nothing()
