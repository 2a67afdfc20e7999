"""The ledger of planned times that ended without a run."""

import sqlalchemy as sa
from alembic import op

from engine.store.dialects import CLUSTERED

revision = "0004"
down_revision = "0003"

TIME = sa.DateTime(timezone=True)


def upgrade() -> None:
    """Make the table of slots."""
    op.create_table(
        "slot",
        sa.Column("job", sa.String(), nullable=False),
        sa.Column("first_due", TIME, nullable=False),
        sa.Column("noted", TIME, nullable=False),
        sa.Column("last_due", TIME, nullable=False),
        sa.Column("count", sa.BigInteger(), nullable=True),
        sa.Column("fate", sa.String(), nullable=False),
        sa.Column("cause", sa.String(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("run_id", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("job", "first_due", "noted"),
        **CLUSTERED,
    )
