"""Indices by which few rows are found among very many."""

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"


def upgrade() -> None:
    """Make indices on times by which rows grow old, and on what only few rows have."""
    op.create_index("ix_slot_last_due", "slot", ["last_due"])
    op.create_index("ix_audit_at", "audit", ["at"])
    op.create_index("ix_planned_run_schedule_id", "planned_run", ["schedule_id"])
    _create_partial("ix_alert_untold", "alert", ["id"], "end_told IS NULL")
    _create_partial("ix_run_asked_for", "run", ["trigger", "id"], "trigger <> 'schedule'")
    _create_partial("ix_run_user_id", "run", ["user_id", "id"], "user_id <> 0")


def _create_partial(name: str, table: str, columns: list[str], condition: str) -> None:
    where = sa.text(condition)
    op.create_index(name, table, columns, sqlite_where=where, postgresql_where=where)
