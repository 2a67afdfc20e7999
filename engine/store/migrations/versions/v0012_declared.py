"""What job files declared, so that a start need not ask unchanged files again."""

import sqlalchemy as sa
from alembic import op

from engine.store.dialects import CLUSTERED

revision = "0012"
down_revision = "0011"


def upgrade() -> None:
    """Make the table."""
    op.create_table(
        "declared",
        sa.Column("job", sa.String(), nullable=False),
        sa.Column("seal", sa.String(), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("job"),
        **CLUSTERED,
    )
