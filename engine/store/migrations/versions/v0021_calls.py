"""A run keeps what its core calls took."""

import sqlalchemy as sa
from alembic import op

revision = "0021"
down_revision = "0020"


def upgrade() -> None:
    """Let a run list its calls."""
    op.add_column("run", sa.Column("calls", sa.JSON(), nullable=True))
