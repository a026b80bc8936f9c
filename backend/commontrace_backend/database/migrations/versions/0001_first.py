"""The first schema."""

import sqlalchemy as sa
from alembic import op

revision = "1"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create every table of the first release."""
    from commontrace_backend.contexts import tables as _contexts  # noqa: F401
    from commontrace_backend.contributors import tables as _contributors  # noqa: F401
    from commontrace_backend.database.tables import metadata
    from commontrace_backend.traces import tables as _traces  # noqa: F401

    metadata.create_all(op.get_bind())
    op.create_table("schema_info", sa.Column("min_reader", sa.Integer, nullable=False))
    op.execute("INSERT INTO schema_info VALUES (1)")
    if op.get_bind().dialect.name == "sqlite":
        op.execute(
            "CREATE VIRTUAL TABLE trace_search USING fts5"
            "(title, problem, solution, tags, errors, tokenize='porter unicode61')"
        )
        op.execute("CREATE VIRTUAL TABLE trace_terms USING fts5vocab(trace_search, row)")
