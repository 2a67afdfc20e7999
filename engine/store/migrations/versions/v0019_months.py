"""On PostgreSQL the history is kept in parts, one for each month; what was there becomes the first one."""

from datetime import UTC, datetime

from alembic import op
from sqlalchemy import Connection, text

from engine.store.dialects import choose

revision = "0019"
down_revision = "0018"

#: The tables with the column that their rows are told apart by.
_TABLES = {"run": "id", "log_line": "run_id", "run_text": "run_id"}

_INDEXES = """
SELECT c.relname, pg_get_indexdef(c.oid), i.indisprimary, k.conname, pg_get_constraintdef(k.oid)
FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid LEFT JOIN pg_constraint k ON k.conindid = c.oid
WHERE i.indrelid = '{table}'::regclass ORDER BY c.relname
"""


def upgrade() -> None:
    """Put each table into a new one of parts, as its only part. No row is moved, so that it takes no time."""
    connection = op.get_bind()
    if not choose(connection.dialect.name, sqlite=False, postgresql=True):
        return
    view = connection.scalar(text("SELECT pg_get_viewdef('run_text_source'::regclass)"))
    connection.exec_driver_sql("DROP VIEW run_text_source")
    for table, column in _TABLES.items():
        _divide(connection, table, column, f"{datetime.now(UTC):y%Ym%m}")
    connection.exec_driver_sql(f"CREATE VIEW run_text_source AS {view}")


def _divide(connection: Connection, table: str, column: str, month: str) -> None:
    part = f"{table}_{month}"
    indexes = list(connection.execute(text(_INDEXES.format(table=table))))
    for name, *_ in indexes:
        connection.exec_driver_sql(f"ALTER INDEX {name} RENAME TO {name}_{month}")
    connection.exec_driver_sql(f"ALTER TABLE {table} RENAME TO {part}")
    connection.exec_driver_sql(
        f"CREATE TABLE {table} (LIKE {part} INCLUDING DEFAULTS) PARTITION BY RANGE ({column})"
    )
    for _, definition, is_key, constraint, constrains in indexes:
        if is_key:
            connection.exec_driver_sql(f"ALTER TABLE {table} ADD CONSTRAINT {constraint} {constrains}")
        else:
            connection.exec_driver_sql(definition)
    connection.exec_driver_sql(
        f"ALTER TABLE {table} ATTACH PARTITION {part} FOR VALUES FROM (MINVALUE) TO (MAXVALUE)"
    )
