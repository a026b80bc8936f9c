"""Words with their counts, vectors with their models, and the lineage of hits."""

import sqlalchemy as sa
from alembic import op

from commontrace_backend.database.types import Vector

revision = "2"
down_revision = "1"
branch_labels = None
depends_on = None

NAME = sa.String(200).with_variant(sa.Text(collation="C"), "postgresql")
ID = sa.String(64).with_variant(sa.Text(collation="C"), "postgresql")
TIME = sa.DateTime(timezone=True)


def upgrade() -> None:
    """Add what hybrid ranking needs; words and vectors of existing traces are made anew in the background."""
    op.create_table(
        "embedding_models",
        sa.Column("model_id", sa.Integer, primary_key=True, autoincrement=True),
        sa.Column("name", NAME, nullable=False, unique=True),
        sa.Column("dimension", sa.Integer, nullable=False),
        sa.Column("revision", sa.BigInteger, nullable=False),
        sa.Column("created_at", TIME, nullable=False),
    )
    op.create_table(
        "trace_vectors",
        sa.Column("number", sa.Integer, sa.ForeignKey("traces.number"), primary_key=True),
        sa.Column("model_id", sa.Integer, sa.ForeignKey("embedding_models.model_id"), primary_key=True),
        sa.Column("part", sa.SmallInteger, primary_key=True),
        sa.Column("text_hash", ID, nullable=False),
        sa.Column("vector", Vector),
        sa.Column("revision", sa.BigInteger, nullable=False),
    )
    op.create_index("ix_trace_vectors_model_id", "trace_vectors", ["model_id", "revision"])
    if op.get_bind().dialect.name == "sqlite":
        _words_in_sqlite()


def _words_in_sqlite() -> None:
    op.execute("DROP TABLE trace_terms")
    op.execute("DROP TABLE trace_search")
    # The stems are made before they are stored, so the tokenizer only splits at spaces.
    op.execute(
        "CREATE VIRTUAL TABLE trace_search USING fts5(title, problem, solution, tags, errors, tokenize='unicode61')"
    )
    op.execute("CREATE VIRTUAL TABLE trace_terms USING fts5vocab(trace_search, row)")
    op.execute(
        "CREATE TABLE trace_words (number INTEGER PRIMARY KEY REFERENCES traces (number), version TEXT NOT NULL, "
        "length INTEGER NOT NULL, stems TEXT NOT NULL, counts BLOB NOT NULL)"
    )
    op.execute("CREATE TABLE search_totals (documents INTEGER NOT NULL, words INTEGER NOT NULL)")
    op.execute("INSERT INTO search_totals VALUES (0, 0)")
