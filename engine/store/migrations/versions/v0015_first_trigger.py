"""Retries that know why there was a first attempt."""

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0014"


def upgrade() -> None:
    """Let planned runs keep it; those that are planned already count as their job's own, as before."""
    op.add_column("planned_run", sa.Column("first_trigger", sa.String(), nullable=True))
