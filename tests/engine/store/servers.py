"""The two kinds of database, each migrated and empty, for tests that must hold on both."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import text

from engine.store.database import Database, open_database
from engine.store.dialects import sqlite_url
from engine.store.models import metadata
from engine.store.schema import migrate
from engine.store.search import forget_runs
from tests.homebases import laid_out
from tests.services import psycopg_url

KINDS = ("sqlite", "postgresql")


@contextmanager
def migrated(kind: str, folder: Path) -> Iterator[Database]:
    """Open a database of a kind with all tables."""
    if kind == "sqlite":
        with _open(str(sqlite_url(folder / "moontide.db"))) as database:
            yield database
        return
    with laid_out() as server, _open(psycopg_url(server)) as database:
        yield database


@contextmanager
def _open(url: str) -> Iterator[Database]:
    database = open_database(url)
    try:
        migrate(database.writer)
        yield database
    finally:
        database.close()


def emptied(database: Database) -> Database:
    """Return a database without any row of jobs and runs."""
    with database.writer.begin() as connection:
        forget_runs(connection, list(connection.scalars(text("SELECT id FROM run"))))
        for table in metadata.tables.values():
            connection.execute(table.delete())
    return database
