"""A team: what several servers, remotes and the people behind keys need to be kept."""

revision = "5"
down_revision = "4"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add columns and tables; nothing that is there changes."""
