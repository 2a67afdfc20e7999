"""Schedules given at run time, and the runs that come from them."""

import sqlalchemy as sa
from alembic import op

from engine.store.dialects import BIG_ID

revision = "0010"
down_revision = "0009"


def upgrade() -> None:
    """Make the table of given schedules, and let runs name the one they come from."""
    op.create_table(
        "given_schedule",
        sa.Column("id", BIG_ID, autoincrement=False, nullable=False),
        sa.Column("job", sa.String(), nullable=False),
        sa.Column("status", sa.String(), nullable=False),
        sa.Column("words", sa.Text(), nullable=False),
        sa.Column("created", sa.DateTime(timezone=True), nullable=False),
        sa.Column("created_by", sa.String(), nullable=False),
        sa.Column("rule", sa.JSON(), nullable=True),
        sa.Column("due", sa.DateTime(timezone=True), nullable=True),
        sa.Column("user_id", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("tag", sa.String(), server_default="", nullable=False),
        sa.Column("data", sa.JSON(), nullable=True),
        sa.Column("retries", sa.JSON(), nullable=True),
        sa.Column("retry_delay", sa.Float(), nullable=True),
        sa.Column("remove_after", sa.Float(), nullable=True),
        sa.Column("called_by", sa.BigInteger(), nullable=True),
        sa.Column("ended", sa.DateTime(timezone=True), nullable=True),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("last_run_id", sa.BigInteger(), nullable=True),
        sa.Column("skipped", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("note", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("ix_given_schedule_job_id", "given_schedule", ["job", "id"])
    op.create_index("ix_given_schedule_status_id", "given_schedule", ["status", "id"])
    op.add_column("planned_run", sa.Column("schedule_id", sa.BigInteger(), nullable=True))
    op.add_column("planned_run", sa.Column("tag", sa.String(), nullable=True))
    op.add_column("run", sa.Column("schedule_id", sa.BigInteger(), nullable=True))
