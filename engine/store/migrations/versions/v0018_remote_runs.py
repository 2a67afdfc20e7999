"""Runs that are carried out on other machines."""

import sqlalchemy as sa
from alembic import op

from engine.store.dialects import CLUSTERED

revision = "0018"
down_revision = "0017"


def upgrade() -> None:
    """Make the tables, and let a run say where it was carried out."""
    op.add_column("run", sa.Column("worker", sa.String(), nullable=True))
    op.add_column("run", sa.Column("superseded", sa.JSON(), nullable=True))
    op.create_table(
        "remote_run",
        sa.Column("run_id", sa.BigInteger(), nullable=False, autoincrement=False),
        sa.Column("session", sa.BigInteger(), nullable=False),
        sa.Column("token", sa.String(), nullable=False),
        sa.Column("request", sa.LargeBinary(), nullable=False),
        sa.Column("source_hash", sa.String(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("node", sa.String(), nullable=True),
        sa.Column("worker", sa.String(), nullable=True),
        sa.Column("chunks", sa.Integer(), nullable=False, server_default="0"),
        sa.Column("calls", sa.Integer(), nullable=False, server_default="0"),
        sa.Column("stop", sa.Text(), nullable=True),
        sa.Column("grace", sa.Float(), nullable=True),
        sa.Column("outcome", sa.LargeBinary(), nullable=True),
        sa.PrimaryKeyConstraint("run_id"),
    )
    for table, body in (("remote_log", ("lines",)), ("remote_call", ("question", "answer"))):
        op.create_table(
            table,
            sa.Column("run_id", sa.BigInteger(), nullable=False, autoincrement=False),
            sa.Column("number", sa.Integer(), nullable=False, autoincrement=False),
            *(sa.Column(name, sa.LargeBinary(), nullable=name == "answer") for name in body),
            sa.PrimaryKeyConstraint("run_id", "number"),
            **CLUSTERED,
        )
