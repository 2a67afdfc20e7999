"""Runs that can be searched, compared and pruned."""

import sqlalchemy as sa
from alembic import op

from engine.store.search import create_index

revision = "0008"
down_revision = "0007"


def upgrade() -> None:
    """Let a run tell its version, its library modules and when it goes; find it by time and by words."""
    op.add_column("run", sa.Column("version", sa.String(), nullable=True))
    op.add_column("run", sa.Column("modules", sa.JSON(), nullable=True))
    op.add_column("run", sa.Column("remove_at", sa.DateTime(timezone=True), nullable=True))
    op.create_index("ix_run_queued", "run", ["queued"])
    chosen = sa.text("remove_at IS NOT NULL")
    op.create_index("ix_run_remove_at", "run", ["remove_at"], sqlite_where=chosen, postgresql_where=chosen)
    create_index(op.get_bind())
