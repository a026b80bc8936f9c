"""Trust: who may do what, who decided what, what was read and logged."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "4"
down_revision = "3"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add columns and tables; nothing that is there changes."""
    _screening()


def _screening() -> None:
    json = sa.JSON(none_as_null=True).with_variant(postgresql.JSONB(none_as_null=True), "postgresql")
    op.add_column("trace_versions", sa.Column("leaks", json))
    op.create_index("ix_trace_versions_scanner_version", "trace_versions", ["scanner_version"])
