"""Runs of a job that ended otherwise than well are found without going through all of them."""

import sqlalchemy as sa
from alembic import op

revision = "0020"
down_revision = "0019"

_OTHERWISE = sa.text("status IN ('CANCELLED', 'CRASHED', 'ERROR', 'SKIPPED', 'TIMEOUT')")


def upgrade() -> None:
    """Make the index; it has none of the runs that ended well."""
    op.create_index(
        "ix_run_job_otherwise",
        "run",
        ["job", "status", "id"],
        sqlite_where=_OTHERWISE,
        postgresql_where=_OTHERWISE,
    )
