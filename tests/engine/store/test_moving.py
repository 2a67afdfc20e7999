"""All rows of a database in another one, and back again."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import (
    JSON,
    Boolean,
    Column,
    Connection,
    Float,
    Integer,
    LargeBinary,
    func,
    insert,
    select,
    text,
)
from sqlalchemy.engine import URL, make_url

from engine.errors import NewerDatabase, Refused, ServerInUse, StoreError
from engine.runfilter import RunFilter
from engine.store.database import open_database
from engine.store.dialects import sqlite_url
from engine.store.history import History
from engine.store.models import AUDIT, DOCUMENT, SESSION, SOURCE, UtcDateTime, metadata
from engine.store.moving import database_named, move_database
from engine.store.ownership import Ownership
from engine.store.schema import migrate
from engine.store.search import unindexed
from engine.store.sessions import begin_session
from tests.engine.store.conftest import NOON
from tests.services import pg_database, psycopg_url

ROWS = 7

#: What columns of a kind hold, one after another.
TEXTS = ("plain", "", "Grüße 🌙", "line\nline\ttab", "'quoted' \"twice\" \\", "ﬀ e\u0301 é", "x" * 20_000)
TIMES = (
    NOON,
    datetime(1, 1, 1, tzinfo=UTC),
    datetime(9999, 12, 31, 23, 59, 59, 999_999, tzinfo=UTC),
    datetime(2025, 3, 30, 1, 0, 0, 1, tzinfo=UTC),
)
NUMBERS = (0.0, 0.1, -1.5, 1e300, 123_456_789.123_456_78, 5e-324)
DOCUMENTS: tuple[Any, ...] = (
    {"a": [1, 2.5, None, True], "ü": "🌙"},
    {"zero": "a\0b", "nested": {"deep": [{}]}},
    7,
    7.25,
    0.1 + 0.2,
    "text",
    [],
    False,
    2**53 + 1,
    {"large": "y" * 300_000},
)


def value_of(column: Column[Any], number: int) -> Any:
    """Return what a column holds in a row of some number."""
    kind = column.type
    if column.nullable and number == 1:
        return None
    if isinstance(kind, JSON):
        return DOCUMENTS[number % len(DOCUMENTS)]
    if isinstance(kind, UtcDateTime):
        return TIMES[number % len(TIMES)]
    if isinstance(kind, Boolean):
        return number % 2 == 0
    if isinstance(kind, LargeBinary):
        return bytes(range(256)) * (number + 1)
    if isinstance(kind, Float):
        return NUMBERS[number % len(NUMBERS)]
    if isinstance(kind, Integer):
        return number + 1 if column.primary_key else number * (1 if kind.__class__ is Integer else 2**40)
    words = TEXTS[number % len(TEXTS)]
    return f"{number} {words[:500]}" if column.primary_key else words


def fill(connection: Connection) -> None:
    """Write some rows into every table."""
    for table in metadata.sorted_tables:
        rows = [{column.name: value_of(column, number) for column in table.columns} for number in range(ROWS)]
        connection.execute(insert(table), _distinct(table, rows))


def _distinct(table: Any, rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    keys = [column.name for column in table.primary_key]
    return list({tuple(row[key] for key in keys): row for row in rows}.values())


def content(url: URL) -> dict[str, list[tuple[Any, ...]]]:
    """Return all rows of all tables."""
    database = open_database(url)
    with database.reader.connect() as connection:
        found = {
            table.name: sorted((tuple(row) for row in connection.execute(select(table))), key=repr)
            for table in metadata.sorted_tables
        }
    database.close()
    return found


@pytest.fixture
def file(tmp_path: Path) -> URL:
    """An SQLite database with rows in every table."""
    url = sqlite_url(tmp_path / "moontide.db")
    database = open_database(url)
    migrate(database.writer)
    with database.writer.begin() as connection:
        fill(connection)
    database.close()
    return url


@pytest.fixture
def server() -> Iterator[URL]:
    """An empty database on a server."""
    with pg_database() as server:
        yield make_url(psycopg_url(server))


def test_every_table_arrives_whole_on_a_server_and_comes_back_as_it_was(
    file: URL, server: URL, tmp_path: Path
) -> None:
    before, told = content(file), []
    there = move_database(file, server, progress=lambda *step: told.append(step))
    assert content(server) == before
    assert all(rows for rows in before.values())
    back = move_database(server, sqlite_url(tmp_path / "back.db"))
    assert content(sqlite_url(tmp_path / "back.db")) == before == content(file)
    assert there.tables == back.tables
    assert {table.name: table.rows for table in there.tables} == {
        name: len(rows) for name, rows in before.items()
    }
    assert told[-1][1] == told[-1][2]


def test_what_was_moved_is_numbered_on_and_can_be_searched(file: URL, server: URL) -> None:
    move_database(file, server)
    database = open_database(server)
    with database.writer.begin() as connection:
        assert begin_session(connection, pid=1, host="here", version="0", now=NOON) == ROWS + 1
        inserted = connection.execute(
            insert(AUDIT).values(at=NOON, actor="a", origin="b", action="c", target="d")
        )
        assert inserted.inserted_primary_key == (ROWS + 1,)
        assert unindexed(connection) == []
    found = History(database.reader).find(RunFilter(text="quoted twice"))
    database.close()
    assert [run.id for run in found] == [5]


def test_an_engines_file_is_for_its_owner_alone_also_after_a_move(
    file: URL, server: URL, tmp_path: Path
) -> None:
    move_database(file, server)
    target = tmp_path / "back.db"
    move_database(server, sqlite_url(target))
    assert target.stat().st_mode & 0o777 == 0o600


def test_a_target_that_holds_something_is_refused_and_stays_as_it_is(file: URL, server: URL) -> None:
    move_database(file, server)
    before = content(server)
    with pytest.raises(Refused, match="holds something already"):
        move_database(file, server)
    with pytest.raises(Refused, match="holds something already"):
        move_database(server, file)
    assert content(server) == before == content(file)


def test_a_target_with_tables_and_no_rows_is_taken(file: URL, server: URL) -> None:
    database = open_database(server)
    migrate(database.writer)
    database.close()
    move_database(file, server)
    assert content(server) == content(file)


def test_tables_of_somebody_else_are_left_alone(file: URL, server: URL) -> None:
    database = open_database(server)
    with database.writer.begin() as connection:
        connection.execute(text("CREATE TABLE toys (id INTEGER)"))
    database.close()
    with pytest.raises(StoreError, match=r"not Moontide's \(toys\)"):
        move_database(file, server)


def test_nothing_is_moved_from_a_file_that_an_engine_has_open(file: URL, server: URL) -> None:
    engine = open_database(file)
    with engine.reader.connect() as connection:
        connection.scalar(select(SESSION.c.id).limit(1))
        with pytest.raises(Refused, match=r"an engine works on .*moontide\.db"):
            move_database(file, server)
    engine.close()
    move_database(file, server)


def test_nothing_is_moved_to_or_from_a_server_where_an_engine_works(file: URL, server: URL) -> None:
    database = open_database(server)
    engine = Ownership(database)
    engine.acquire()
    for source, target in ((file, server), (server, file)):
        with pytest.raises((ServerInUse, Refused), match="engine already works"):
            move_database(source, target, wait_seconds=0)
    engine.release()
    database.close()
    move_database(file, server)


def test_text_that_a_server_cannot_keep_ends_the_move_and_leaves_nothing(file: URL, server: URL) -> None:
    database = open_database(file)
    with database.writer.begin() as connection:
        connection.execute(insert(SOURCE).values(hash="z", text="a\0b", first_seen=NOON))
    database.close()
    with pytest.raises(StoreError, match="table source cannot be kept there, and nothing was moved"):
        move_database(file, server)
    database = open_database(server)
    with database.reader.connect() as connection:
        tables = connection.scalar(text("SELECT count(*) FROM pg_tables WHERE schemaname = 'public'"))
    database.close()
    assert tables == 0


def test_a_move_that_fails_leaves_no_new_file(tmp_path: Path, server: URL) -> None:
    target = tmp_path / "new.db"
    with pytest.raises(Refused, match="nothing of Moontide's"):
        move_database(server, sqlite_url(target))
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(("revision", "error"), [("0003", Refused), ("9999", NewerDatabase)])
def test_only_a_database_of_this_version_is_moved(
    file: URL, server: URL, revision: str, error: type[Exception]
) -> None:
    database = open_database(file)
    with database.writer.begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = :new"), {"new": revision})
    database.close()
    with pytest.raises(error, match=revision):
        move_database(file, server)


def test_a_difference_between_both_is_found_and_ends_the_move(file: URL, tmp_path: Path) -> None:
    target = sqlite_url(tmp_path / "spoiling.db")
    database = open_database(target)
    migrate(database.writer)
    with database.writer.begin() as connection:
        connection.exec_driver_sql(
            "CREATE TRIGGER spoil AFTER INSERT ON document WHEN new.id = '0 plain' "
            "BEGIN UPDATE document SET body = '{}' WHERE id = new.id; END"
        )
    database.close()
    with pytest.raises(StoreError, match="table document arrived with 7 of 7 rows and the checksum"):
        move_database(file, target)
    with database.reader.connect() as connection:
        assert connection.scalar(select(func.count()).select_from(DOCUMENT)) == 0
    database.close()


def test_a_file_that_is_not_there_is_named(tmp_path: Path, server: URL) -> None:
    with pytest.raises(Refused, match="there is no database"):
        move_database(database_named(str(tmp_path / "absent.db")), server)


def test_a_database_is_not_moved_to_itself(file: URL) -> None:
    with pytest.raises(Refused, match="same database"):
        move_database(file, file)


def test_a_server_that_is_away_is_named_without_its_password(file: URL) -> None:
    with pytest.raises(StoreError) as caught:
        move_database(file, make_url("postgresql+psycopg://anna:geheim@127.0.0.1:1/x"))
    assert "geheim" not in str(caught.value)
