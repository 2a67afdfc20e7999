"""Settings of jobs that operators gave at run time."""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"


def upgrade() -> None:
    """Let a job's row keep what stands in the place of its file's settings."""
    op.add_column("job", sa.Column("overrides", sa.JSON(), nullable=True))
