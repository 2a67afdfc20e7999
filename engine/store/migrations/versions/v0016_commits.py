"""Sessions count their transactions, so that one whose end nobody heard of can be found."""

import sqlalchemy as sa
from alembic import op

revision = "0016"
down_revision = "0015"


def upgrade() -> None:
    op.add_column("session", sa.Column("commits", sa.BigInteger(), nullable=False, server_default="0"))
