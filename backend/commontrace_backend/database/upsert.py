"""Inserts that leave a row alone which is there already."""

from sqlalchemy import Insert, Table, insert


def insert_missing(table: Table) -> Insert:
    """An insert that skips rows whose key is taken: for content-addressed rows, which are equal then."""
    return insert(table).prefix_with("OR IGNORE", dialect="sqlite")
