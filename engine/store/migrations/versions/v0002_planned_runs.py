"""Runs to come, and which run asked for another."""

import sqlalchemy as sa
from alembic import op

from engine.store.dialects import BIG_ID

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """Make the table of planned runs, and let runs name the one that asked for them."""
    op.create_table(
        "planned_run",
        sa.Column("id", BIG_ID, autoincrement=False, nullable=False),
        sa.Column("job", sa.String(), nullable=False),
        sa.Column("due", sa.DateTime(timezone=True), nullable=False),
        sa.Column("data", sa.JSON(), nullable=True),
        sa.Column("user_id", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("planned_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("called_by", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("id"),
    )
    op.add_column("run", sa.Column("called_by", sa.BigInteger(), nullable=True))
