"""Given schedules that make up for times that passed, and slots that name the schedule they are of."""

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"


def upgrade() -> None:
    """Let a given schedule keep what it wants, and a slot whose time it was."""
    op.add_column("given_schedule", sa.Column("run_skipped", sa.Boolean(), nullable=True))
    op.add_column("slot", sa.Column("schedule_id", sa.BigInteger(), nullable=True))
