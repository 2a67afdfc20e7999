"""A server that goes away in the midst of a commit, and one that another engine has taken over."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from dataclasses import replace
from functools import partial

import pytest

from engine.errors import SessionClosed, StoreUnavailable
from engine.states import RunStatus
from engine.store.claim import Claim
from engine.store.database import Database, open_database
from engine.store.journal import Journal
from engine.store.queries import Queries
from engine.store.rows import JobPatch, RunStart
from engine.store.schema import migrate
from engine.store.sessions import begin_session, end_session, recover
from engine.times.clock import ManualClock
from tests.engine.store.conftest import NOON, Told, a_run, an_end, until
from tests.engine.store.cuttable import CuttableWay
from tests.services import Server, pg_database, psycopg_url


@pytest.fixture
def server() -> Iterator[Server]:
    with pg_database() as server:
        yield server


@pytest.fixture
def way(server: Server) -> Iterator[CuttableWay]:
    way = CuttableWay(server)
    yield way
    way.close()


@pytest.fixture
def direct(server: Server) -> Iterator[Database]:
    """The database as it is seen past the way that is cut."""
    database = open_database(psycopg_url(server))
    migrate(database.writer)
    yield database
    database.close()


@pytest.fixture
def session(direct: Database) -> int:
    return begin(direct)


def begin(database: Database) -> int:
    with database.writer.begin() as connection:
        return begin_session(connection, pid=7, host="here", version="0", now=NOON)


@pytest.fixture
def closed() -> list[SessionClosed]:
    return []


@pytest.fixture
async def journal(
    server: Server,
    way: CuttableWay,
    session: int,
    clock: ManualClock,
    told: Told,
    closed: list[SessionClosed],
) -> AsyncIterator[Journal]:
    database = open_database(psycopg_url(replace(server, port=way.port)))
    journal = Journal(
        database.writer,
        clock=clock,
        on_stalled=told.stalled,
        on_recovered=told.recovered,
        claim=Claim(session),
        on_closed=closed.append,
    )
    journal.start()
    yield journal
    await journal.stop()
    database.close()


async def test_a_commit_that_nobody_heard_of_is_not_repeated(
    journal: Journal, way: CuttableWay, direct: Database, told: Told
) -> None:
    await journal.run_created(a_run(1, status=RunStatus.QUEUED))
    way.cut_after_commit()
    await asyncio.wait_for(journal.run_started(RunStart(1, NOON)), 60)
    await asyncio.wait_for(journal.run_finished(1, an_end(), JobPatch("report", {"status": "WAITING"})), 60)
    assert way.cuts == 1
    assert [(run.id, run.status) for run in Queries(direct.reader).runs()] == [(1, "COMPLETE")]
    await until(lambda: told.recoveries != [])


async def test_what_work_returned_is_kept_when_its_commit_was_not_heard_of(
    journal: Journal, way: CuttableWay, direct: Database
) -> None:
    way.cut_after_commit()
    again = await asyncio.wait_for(
        journal.transact(partial(begin_session, pid=1, host="x", version="", now=NOON)), 60
    )
    with direct.reader.connect() as connection:
        ids = [row[0] for row in connection.exec_driver_sql("SELECT id FROM session WHERE host = 'x'")]
    assert (way.cuts, ids) == (1, [again])


async def test_a_commit_that_the_server_never_heard_of_is_repeated(
    journal: Journal, way: CuttableWay, direct: Database
) -> None:
    way.cut_before_commit()
    await asyncio.wait_for(journal.run_created(a_run(1)), 60)
    assert way.cuts == 1
    assert [run.id for run in Queries(direct.reader).runs()] == [1]


async def test_commit_after_commit_may_go_unheard(
    journal: Journal, way: CuttableWay, direct: Database
) -> None:
    for number in range(1, 7):
        (way.cut_after_commit if number % 2 else way.cut_before_commit)()
        await asyncio.wait_for(journal.run_created(a_run(number)), 60)
    assert way.cuts == 6
    assert sorted(run.id for run in Queries(direct.reader).runs()) == [1, 2, 3, 4, 5, 6]


async def test_nothing_is_written_for_a_session_that_another_engine_has_closed(
    journal: Journal, direct: Database, closed: list[SessionClosed], session: int
) -> None:
    await journal.run_created(a_run(1, session=session))
    other = begin(direct)
    with direct.writer.begin() as connection:
        assert recover(connection, other, NOON) == [1]
    ending = journal.run_finished(1, an_end())
    with pytest.raises(SessionClosed, match=f"closed session {session}"):
        await asyncio.wait_for(ending, 60)
    with pytest.raises(SessionClosed):
        await asyncio.wait_for(journal.run_created(a_run(2)), 60)
    with pytest.raises(StoreUnavailable, match="taken the database over"):
        journal.check_available()
    assert [str(error) for error in closed] == [journal.stalled]
    assert [(run.id, run.status) for run in Queries(direct.reader).runs()] == [(1, "CRASHED")]


async def test_one_refused_change_among_others_is_refused_alone(
    journal: Journal, direct: Database, closed: list[SessionClosed]
) -> None:
    await journal.run_created(a_run(1))
    futures = [journal.run_created(a_run(number)) for number in (2, 1, 3)]
    done = await asyncio.wait_for(asyncio.gather(*futures, return_exceptions=True), 60)
    assert [error is None for error in done] == [True, False, True]
    assert sorted(run.id for run in Queries(direct.reader).runs()) == [1, 2, 3]
    assert closed == []


async def test_a_session_closes_itself_with_its_last_commit(
    journal: Journal, direct: Database, session: int, closed: list[SessionClosed]
) -> None:
    await asyncio.wait_for(journal.transact(lambda connection: end_session(connection, session, NOON)), 60)
    assert await journal.stop() == 0
    with direct.reader.connect() as connection:
        assert list(connection.exec_driver_sql("SELECT clean FROM session")) == [(True,)]
    assert closed == []
