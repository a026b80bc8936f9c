"""Rows for the vectors of traces and the models that made them."""

from sqlalchemy import BigInteger, Column, ForeignKey, Index, Integer, SmallInteger, Table

from commontrace_backend.database.tables import metadata
from commontrace_backend.database.types import Id, Name, UtcDateTime, Vector

embedding_models = Table(
    "embedding_models",
    metadata,
    Column("model_id", Integer, primary_key=True, autoincrement=True),
    Column("name", Name, nullable=False, unique=True),
    Column("dimension", Integer, nullable=False),
    Column("revision", BigInteger, nullable=False),  # of the newest change to this model's vectors
    Column("created_at", UtcDateTime, nullable=False),
)

trace_vectors = Table(
    "trace_vectors",
    metadata,
    Column("number", Integer, ForeignKey("traces.number"), primary_key=True),
    Column("model_id", Integer, ForeignKey("embedding_models.model_id"), primary_key=True),
    Column("part", SmallInteger, primary_key=True),  # Part
    Column("text_hash", Id, nullable=False),
    Column("vector", Vector),  # NULL: the text has changed since; its vector is yet to be made
    Column("revision", BigInteger, nullable=False),
    Index("ix_trace_vectors_model_id", "model_id", "revision"),
)
