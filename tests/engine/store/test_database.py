from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest
from sqlalchemy import insert, text
from sqlalchemy.exc import DBAPIError

from engine.errors import StoreError, StoreUnavailable
from engine.store.database import Database, open_database
from engine.store.dialects import sqlite_url, translate
from engine.store.link import connect
from engine.store.models import SOURCE
from engine.store.schema import migrate
from tests.engine.store.conftest import NOON
from tests.engine.store.servers import migrated


def pragma(database: Database, name: str) -> object:
    with database.writer.connect() as connection:
        return connection.exec_driver_sql(f"PRAGMA {name}").scalar()


@pytest.mark.parametrize(
    ("name", "value"),
    [("journal_mode", "wal"), ("synchronous", 2), ("foreign_keys", 1), ("busy_timeout", 20)],
)
def test_the_writer_is_durable_and_patient(database: Database, name: str, value: object) -> None:
    assert pragma(database, name) == value


def test_a_reader_cannot_write(database: Database) -> None:
    with database.reader.connect() as connection, pytest.raises(DBAPIError, match="readonly"):
        connection.execute(insert(SOURCE).values(hash="a", text="", first_seen=NOON))


def test_a_reader_sees_what_is_committed_while_a_write_goes_on(database: Database) -> None:
    with database.writer.begin() as writing:
        writing.execute(insert(SOURCE).values(hash="a", text="", first_seen=NOON))
        with database.reader.connect() as reading:
            assert reading.scalar(text("SELECT count(*) FROM source")) == 0
    with database.reader.connect() as reading:
        assert reading.scalar(text("SELECT count(*) FROM source")) == 1


@pytest.mark.parametrize("url", ["", "no url", "nosuchdatabase:///x"])
def test_a_url_that_cannot_be_used_is_refused(url: str) -> None:
    with pytest.raises(StoreError, match="database URL cannot be used"):
        open_database(url)


@pytest.mark.parametrize("url", ["sqlite://anna:secret@/x.db", "nosuch://anna:secret@h/x", "anna:secret@h"])
def test_a_refused_url_keeps_its_password_to_itself(url: str) -> None:
    with pytest.raises(StoreError) as caught:
        open_database(url)
    assert "secret" not in str(caught.value)


def sqlite_error(path: Path, statement: str) -> DBAPIError:
    connection = sqlite3.connect(path, isolation_level=None)
    try:
        connection.execute(statement)
    except sqlite3.Error as error:
        return DBAPIError(statement, None, error)
    finally:
        connection.close()
    raise AssertionError("the statement was accepted")


def test_a_wrong_statement_is_no_reason_to_wait(path: Path) -> None:
    error = translate(sqlite_error(path, "SELECT nothing FROM nowhere"))
    assert not isinstance(error, StoreUnavailable)


def test_a_file_that_is_no_database_says_so(path: Path) -> None:
    path.write_text("Dear diary, " * 1000)
    error = translate(sqlite_error(path, "CREATE TABLE t (x)"))
    assert isinstance(error, StoreUnavailable)
    assert "the file is not a database" in str(error)


def test_a_lost_connection_is_a_reason_to_wait() -> None:
    error = DBAPIError("SELECT 1", None, OSError("gone"), connection_invalidated=True)
    assert isinstance(translate(error), StoreUnavailable)


async def test_a_server_gives_up_connections_to_who_is_cut_off_within_20_s(tmp_path: Path) -> None:
    asked = "SHOW tcp_user_timeout"
    with migrated("postgresql", tmp_path) as database:
        with database.writer.connect() as connection:
            assert connection.scalar(text(asked)) == "20000"
        async with await connect(database.writer.url, "a test") as line:
            assert await (await line.execute(asked)).fetchone() == ("20000",)


def test_sqlite_urls_take_any_path(tmp_path: Path) -> None:
    folder = tmp_path / "a b%20c?d#e"
    folder.mkdir()
    database = open_database(sqlite_url(folder / "x.db"))
    with database.writer.begin() as connection:
        connection.execute(text("CREATE TABLE t (x INTEGER)"))
    database.close()
    assert (folder / "x.db").exists()


def test_nobody_else_may_read_the_database_files(tmp_path: Path) -> None:
    database = open_database(sqlite_url(tmp_path / "private.db"))
    migrate(database.writer)
    modes = {file.name: file.stat().st_mode & 0o777 for file in tmp_path.iterdir()}
    database.close()
    assert modes.keys() >= {"private.db", "private.db-wal"}
    assert set(modes.values()) == {0o600}
