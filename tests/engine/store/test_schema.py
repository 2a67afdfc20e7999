from __future__ import annotations

from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import text

import engine.store.migrations as migrations
from engine.errors import NewerDatabase, StoreError, StoreUnavailable
from engine.store.database import Database, open_database
from engine.store.dialects import sqlite_url
from engine.store.models import metadata
from engine.store.schema import migrate, stored_revision


def execute(database: Database, statement: str) -> None:
    with database.writer.begin() as connection:
        connection.execute(text(statement))


def test_the_revisions_end_where_the_tables_of_this_version_are(database: Database) -> None:
    # The index of words is no table of the models: each database has its own kind.
    options = {"include_name": lambda name, *_: not (name or "").startswith("run_text")}
    with database.writer.connect() as connection:
        assert compare_metadata(MigrationContext.configure(connection, opts=options), metadata) == []


def test_the_newest_revision_is_the_one_the_quick_check_knows() -> None:
    config = Config()
    config.set_main_option("script_location", str(Path(migrations.__file__).parent))
    config.set_main_option("path_separator", "os")
    assert ScriptDirectory.from_config(config).get_current_head() == migrations.HEAD


def test_a_migrated_database_is_left_alone(database: Database) -> None:
    execute(database, "INSERT INTO source (hash, text, first_seen) VALUES ('a', 'b', '2025-01-01')")
    migrate(database.writer)
    with database.reader.connect() as connection:
        assert connection.scalar(text("SELECT text FROM source")) == "b"
        assert stored_revision(connection) == migrations.HEAD


def test_a_database_of_a_newer_version_is_refused_untouched(database: Database) -> None:
    execute(database, "UPDATE alembic_version SET version_num = '9999'")
    with pytest.raises(NewerDatabase, match=r"newer Moontide \(revision 9999\).*upgrade Moontide or restore"):
        migrate(database.writer)
    with database.reader.connect() as connection:
        assert stored_revision(connection) == "9999"


def test_a_database_of_somebody_else_is_refused_untouched(empty: Database) -> None:
    execute(empty, "CREATE TABLE recipe (name TEXT)")
    with pytest.raises(StoreError, match="not Moontide's \\(recipe\\)"):
        migrate(empty.writer)


def test_a_file_that_is_no_database_is_refused_untouched(empty: Database, path: Path) -> None:
    path.write_text("Dear diary, " * 1000)
    with pytest.raises(StoreError, match="the file is not a database"):
        migrate(empty.writer)
    assert path.read_text().startswith("Dear diary")


def test_a_folder_that_is_missing_is_named_as_the_reason(tmp_path: Path) -> None:
    database = open_database(sqlite_url(tmp_path / "missing" / "x.db"))
    with pytest.raises(StoreUnavailable, match="cannot be opened"):
        migrate(database.writer)


def test_a_migration_that_fails_leaves_nothing_behind(empty: Database) -> None:
    with empty.writer.connect() as connection:
        connection.exec_driver_sql("PRAGMA max_page_count = 5")
    with pytest.raises(StoreUnavailable, match="full"):
        migrate(empty.writer)
    empty.close()
    migrate(empty.writer)
    with empty.reader.connect() as connection:
        assert stored_revision(connection) == migrations.HEAD
