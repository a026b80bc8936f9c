"""Trust: who may do what, who decided what, what was read and logged."""

import sqlalchemy as sa
from alembic import op

revision = "4"
down_revision = "3"
branch_labels = None
depends_on = None

NAME = sa.String(200).with_variant(sa.Text(collation="C"), "postgresql")
ID = sa.String(64).with_variant(sa.Text(collation="C"), "postgresql")


def upgrade() -> None:
    """Add columns and tables; nothing that is there changes."""
    _keys()


def _keys() -> None:
    """What a key may publish, which key it follows, and what a trace waits to be shown to."""
    op.add_column("api_keys", sa.Column("publication", NAME, nullable=False, server_default="direct"))
    op.add_column("api_keys", sa.Column("replaces", ID))
    op.add_column("traces", sa.Column("wanted_visibility", NAME))
