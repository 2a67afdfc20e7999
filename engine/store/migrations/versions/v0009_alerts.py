"""Alerts of jobs, ongoing ones and those that are over."""

import sqlalchemy as sa
from alembic import op

from engine.store.dialects import BIG_ID

revision = "0009"
down_revision = "0008"

TIME = sa.DateTime(timezone=True)


def upgrade() -> None:
    """Make the table of alerts."""
    op.create_table(
        "alert",
        sa.Column("id", BIG_ID, autoincrement=False, nullable=False),
        sa.Column("job", sa.String(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("run", sa.BigInteger(), nullable=True),
        sa.Column("since", TIME, nullable=False),
        sa.Column("last", TIME, nullable=False),
        sa.Column("count", sa.Integer(), server_default=sa.text("1"), nullable=False),
        sa.Column("told", TIME, nullable=True),
        sa.Column("ended", TIME, nullable=True),
        sa.Column("end_reason", sa.Text(), nullable=True),
        sa.Column("end_told", TIME, nullable=True),
        sa.Column("trouble", sa.Text(), nullable=True),
        sa.Column("acked", TIME, nullable=True),
        sa.Column("acked_by", sa.String(), nullable=True),
        sa.Column("note", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("ix_alert_job_id", "alert", ["job", "id"])
    op.create_index("ix_alert_ended", "alert", ["ended"])
