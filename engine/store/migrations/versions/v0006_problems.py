"""Problems that runs tell of, and crashes of the attempts before a retry."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    """Let a run list its problems, and a planned retry say how often its run has crashed."""
    op.add_column("run", sa.Column("problems", sa.JSON(), nullable=True))
    op.add_column(
        "planned_run", sa.Column("crashes", sa.Integer(), server_default=sa.text("0"), nullable=False)
    )
