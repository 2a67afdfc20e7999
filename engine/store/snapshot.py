"""All tables of this version in one piece, for an empty file of SQLite: it needs none of the revisions then.

`make schema` writes the piece anew from what the revisions make.
"""

from __future__ import annotations

import re
from pathlib import Path

from sqlalchemy import Connection, text

from engine.store.dialects import choose
from engine.store.migrations import HEAD

SNAPSHOT = Path(__file__).parent / "migrations" / "sqlite.sql"

_END = ";\n\n"

# SQLite makes the tables of an index of words with it.
_STATEMENTS = """
SELECT sql FROM sqlite_master
WHERE sql IS NOT NULL AND NOT (type = 'table' AND name GLOB 'run_text_*') ORDER BY rowid
"""


def has_snapshot(connection: Connection) -> bool:
    """Whether there is one for this kind of database."""
    return choose(connection.dialect.name, sqlite=True, postgresql=False)


def lay_out(connection: Connection) -> None:
    """Make the tables of this version in an empty database, inside the connection's transaction."""
    for statement in SNAPSHOT.read_text("utf-8").split(_END):
        connection.exec_driver_sql(statement)
    connection.execute(text("INSERT INTO alembic_version VALUES (:head)"), {"head": HEAD})


def taken_of(connection: Connection) -> str:
    """Return the snapshot of a database's tables."""
    statements = connection.scalars(text(_STATEMENTS))
    return _END.join(map(_tidy, statements)) + "\n"


def _tidy(statement: str) -> str:
    return re.sub(r"\s*\n\s*", "\n  ", statement.strip()).replace("\n  )", "\n)")
