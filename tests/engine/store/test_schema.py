from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import closing
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
from engine.store.schema import main, migrate, revise, stored_revision
from engine.store.snapshot import SNAPSHOT


def execute(database: Database, statement: str) -> None:
    with database.writer.begin() as connection:
        connection.execute(text(statement))


@pytest.fixture
def revised(tmp_path: Path) -> Iterator[Database]:
    """A database that went through all revisions."""
    database = open_database(sqlite_url(tmp_path / "revised.db"))
    with closing(database):
        with database.writer.begin() as connection:
            revise(connection)
        yield database


def content(database: Database) -> list[str]:
    """Return statements that make the whole database, without their blanks."""
    with database.reader.connect() as connection:
        dumped = connection.connection.driver_connection.iterdump()  # type: ignore[union-attr]
        return [re.sub(r"\s", "", line) for line in dumped]


def test_an_empty_file_is_given_what_the_revisions_make(database: Database, revised: Database) -> None:
    assert content(database) == content(revised)


def test_the_tables_in_one_piece_are_written_from_the_revisions(tmp_path: Path) -> None:
    main(tmp_path / "sqlite.sql")
    assert (tmp_path / "sqlite.sql").read_text("utf-8") == SNAPSHOT.read_text("utf-8")


def test_the_revisions_end_where_the_tables_of_this_version_are(revised: Database) -> None:
    # The index of words is no table of the models: each database has its own kind.
    options = {"include_name": lambda name, *_: not (name or "").startswith("run_text")}
    with revised.writer.connect() as connection:
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


def test_a_first_start_that_fails_leaves_nothing_behind(empty: Database) -> None:
    fail_for_want_of_room(empty, pages=5)
    with empty.reader.connect() as connection:
        assert stored_revision(connection) is None
    migrate(empty.writer)
    with empty.reader.connect() as connection:
        assert stored_revision(connection) == migrations.HEAD


def test_a_migration_that_fails_leaves_the_database_as_it_was(empty: Database) -> None:
    with empty.writer.begin() as connection:
        revise(connection, to="0001")
        pages = connection.exec_driver_sql("PRAGMA page_count").scalar_one()
    before = content(empty)
    fail_for_want_of_room(empty, pages)
    assert content(empty) == before
    migrate(empty.writer)
    with empty.reader.connect() as connection:
        assert stored_revision(connection) == migrations.HEAD


def fail_for_want_of_room(database: Database, pages: int) -> None:
    """Let a migration find that the file can have no more than so many pages."""
    with database.writer.connect() as connection:
        connection.exec_driver_sql(f"PRAGMA max_page_count = {pages}")
    with pytest.raises(StoreUnavailable, match="full"):
        migrate(database.writer)
    database.close()
