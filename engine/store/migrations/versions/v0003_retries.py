"""Planned runs that repeat failed ones."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    """Let a planned run say why it is planned, which attempt it is, and of which run."""
    op.add_column("planned_run", sa.Column("trigger", sa.String(), server_default="call", nullable=False))
    op.add_column(
        "planned_run", sa.Column("attempt", sa.Integer(), server_default=sa.text("1"), nullable=False)
    )
    op.add_column("planned_run", sa.Column("rescheduled_from", sa.BigInteger(), nullable=True))
