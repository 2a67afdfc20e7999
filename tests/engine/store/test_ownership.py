"""One engine for each database on a server."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from engine.errors import ServerInUse, SessionClosed, StoreUnavailable
from engine.store.database import Database, open_database
from engine.store.ownership import Ownership
from engine.store.schema import migrate
from engine.store.sessions import begin_session, recover
from tests.engine.store.conftest import NOON, until
from tests.services import Server, pg_database, pg_do, psycopg_url


@pytest.fixture
def server() -> Iterator[Server]:
    with pg_database() as server:
        yield server


@pytest.fixture
def database(server: Server) -> Iterator[Database]:
    database = open_database(psycopg_url(server))
    migrate(database.writer)
    yield database
    database.close()


def begin(database: Database) -> int:
    with database.writer.begin() as connection:
        return begin_session(connection, pid=7, host="here", version="0", now=NOON)


def cut(server: Server) -> None:
    """End the connections that hold the lock."""
    pg_do(
        server,
        "SELECT pg_terminate_backend(pid) FROM pg_locks WHERE locktype = 'advisory' "
        "AND database = (SELECT oid FROM pg_database WHERE datname = current_database())",
    )


async def test_a_second_engine_is_kept_out_and_told_who_is_in(database: Database) -> None:
    first, second = Ownership(database), Ownership(database)
    first.acquire()
    with pytest.raises(ServerInUse, match=r"an engine already works on postgresql.*process \d+ from"):
        second.acquire(wait_seconds=0)
    await first.stop()
    second.acquire()
    await second.stop()


async def test_engines_on_different_schemas_of_a_database_are_none_of_each_others_business(
    server: Server, database: Database
) -> None:
    pg_do(server, "CREATE SCHEMA other")
    elsewhere = open_database(f"{psycopg_url(server)}?options=-csearch_path%3Dother")
    first, second = Ownership(database), Ownership(elsewhere)
    first.acquire()
    second.acquire(wait_seconds=0)
    await first.stop()
    await second.stop()
    elsewhere.close()


async def test_a_lock_whose_connection_broke_is_taken_again(server: Server, database: Database) -> None:
    closed: list[SessionClosed] = []
    first, second = Ownership(database), Ownership(database)
    first.acquire()
    first.keep(begin(database), closed.append)
    for _ in range(2):
        before = holder(database)
        cut(server)
        await until(lambda: holder(database) not in (None, before), 60)  # noqa: B023
    with pytest.raises(ServerInUse):
        second.acquire(wait_seconds=0)
    assert closed == []
    await first.stop()
    await second.stop()


def holder(database: Database) -> int | None:
    """Return the server's process that holds the lock."""
    with database.reader.connect() as connection:
        found = connection.exec_driver_sql(
            "SELECT pid FROM pg_locks WHERE locktype = 'advisory' AND granted "
            "AND database = (SELECT oid FROM pg_database WHERE datname = current_database())"
        )
        return next((int(row[0]) for row in found), None)


async def test_an_engine_whose_session_was_closed_meanwhile_hears_of_it(
    server: Server, database: Database
) -> None:
    closed: list[SessionClosed] = []
    first, second = Ownership(database), Ownership(database)
    first.acquire()
    session = begin(database)
    with database.writer.begin() as connection:
        recover(connection, begin_session(connection, pid=8, host="there", version="0", now=NOON), NOON)
    first.keep(session, closed.append)
    cut(server)
    await until(lambda: closed != [], 60)
    assert str(session) in str(closed[0])
    second.acquire()
    await first.stop()
    await second.stop()


def test_a_server_that_is_away_is_named() -> None:
    away = open_database("postgresql+psycopg://anna:secret@127.0.0.1:1/home")
    with pytest.raises(StoreUnavailable, match="connection to the database is lost") as caught:
        Ownership(away).acquire()
    assert "secret" not in str(caught.value)
    away.close()
