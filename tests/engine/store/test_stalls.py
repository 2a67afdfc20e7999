"""What happens while the database takes no writes; the refusals are SQLite's own."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from sqlalchemy import event

from engine.errors import StoreUnavailable
from engine.run import LogLine
from engine.states import RunStatus
from engine.store.database import Database
from engine.store.journal import Journal
from engine.store.queries import Queries
from engine.store.rows import JobPatch, RunStart
from engine.times.clock import ManualClock
from tests.engine.store.conftest import NOON, Told, a_run, an_end, until


class Trouble:
    """Sets a pragma on each new connection of the writer, for as long as it is on."""

    def __init__(self, database: Database, pragma: str) -> None:
        self._on = True
        self._pragma = pragma
        event.listen(database.writer, "connect", self._connect)
        database.writer.dispose()

    def _connect(self, connection: sqlite3.Connection, _record: object) -> None:
        if self._on:
            connection.execute(f"PRAGMA {self._pragma}").close()

    def end(self) -> None:
        self._on = False


@contextmanager
def locked(path: Path) -> Iterator[None]:
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN EXCLUSIVE")
    try:
        yield
    finally:
        other.close()


async def fill(journal: Journal, told: Told) -> list[asyncio.Future[None]]:
    """Create runs with much data until the database takes no more."""
    waiting: list[asyncio.Future[None]] = []
    for number in range(1, 500):
        waiting.append(journal.run_created(a_run(number, data="x" * 20_000)))
        await asyncio.wait(waiting[-1:], timeout=0.1)
        if told.stalls:
            return waiting
    raise AssertionError("the database never filled up")


async def test_a_full_disk_loses_nothing_and_acknowledges_nothing_too_soon(
    database: Database, journal: Journal, queries: Queries, told: Told
) -> None:
    trouble = Trouble(database, "max_page_count = 100")
    waiting = await fill(journal, told)
    waiting.append(journal.run_created(a_run(1000)))
    journal.log_lines(1000, [LogLine(1, NOON, "info", "kept")])
    waiting.append(journal.run_finished(1000, an_end(), JobPatch("report", {"status": "WAITING"})))
    acknowledged = [future for future in waiting if future.done()]
    assert 0 < len(acknowledged) < len(waiting)
    assert len(queries.runs(limit=1000)) == len(acknowledged)
    assert journal.stalled == told.stalls[0][0]
    assert "full" in journal.stalled
    assert journal.waiting == len(waiting) - len(acknowledged) + 1

    trouble.end()
    await asyncio.wait_for(asyncio.gather(*waiting), 10)
    await until(lambda: told.recoveries != [])
    assert len(queries.runs(limit=1000)) == len(waiting) - 1
    assert [line.text for line in queries.log(1000)] == ["kept"]
    assert queries.jobs()[0].status == "WAITING"
    assert (journal.stalled, journal.waiting) == (None, 0)
    assert (len(told.stalls), len(told.recoveries)) == (1, 1)


async def test_a_lock_of_another_program_is_waited_out(
    journal: Journal, path: Path, told: Told, clock: ManualClock, queries: Queries
) -> None:
    with locked(path):
        waiting = journal.run_created(a_run(1))
        await until(lambda: told.stalls != [])
        clock.advance(3)
        assert not waiting.done()
        assert queries.runs() == []
    await asyncio.wait_for(waiting, 10)
    await until(lambda: told.recoveries != [])
    assert "locked by another program" in told.stalls[0][0]
    assert told.recoveries == [3.0]
    assert [run.id for run in queries.runs()] == [1]


async def test_a_read_only_database_is_named_as_the_reason(
    database: Database, journal: Journal, told: Told
) -> None:
    trouble = Trouble(database, "query_only = ON")
    waiting = journal.run_created(a_run(1))
    await until(lambda: told.stalls != [])
    assert told.stalls == [("the database is read-only: attempt to write a readonly database", 1)]
    trouble.end()
    await asyncio.wait_for(waiting, 10)


async def test_a_second_stall_is_reported_again(journal: Journal, path: Path, told: Told) -> None:
    for number in (1, 2):
        with locked(path):
            waiting = journal.run_created(a_run(number))
            await until(lambda: len(told.stalls) == number)  # noqa: B023
        await asyncio.wait_for(waiting, 10)
        await until(lambda: len(told.recoveries) == number)  # noqa: B023


async def test_work_is_repeated_until_it_is_committed(journal: Journal, path: Path, told: Told) -> None:
    with locked(path):
        waiting = journal.transact(lambda connection: connection.exec_driver_sql("SELECT 5").scalar())
        await until(lambda: told.stalls != [])
    assert await asyncio.wait_for(waiting, 10) == 5


async def test_stopping_in_a_stall_gives_up_in_time_and_says_what_was_lost(
    journal: Journal, path: Path, told: Told, queries: Queries
) -> None:
    await journal.run_created(a_run(1, status=RunStatus.QUEUED))
    with locked(path):
        waiting = [journal.run_started(RunStart(1, NOON))]
        await until(lambda: told.stalls != [])
        waiting += [journal.run_created(a_run(2)), journal.run_created(a_run(3))]
        async with asyncio.timeout(2):
            assert await journal.stop(timeout_seconds=0.1) == 3
    for future in waiting:
        with pytest.raises(StoreUnavailable, match=r"stopped before this was written.*locked"):
            await asyncio.wait_for(future, 10)
    assert [(run.id, run.status) for run in queries.runs()] == [(1, "QUEUED")]


async def test_stopping_in_a_stall_that_ends_in_time_loses_nothing(
    journal: Journal, path: Path, told: Told, queries: Queries
) -> None:
    with locked(path):
        waiting = journal.run_created(a_run(1))
        await until(lambda: told.stalls != [])
        stopping = asyncio.create_task(journal.stop(timeout_seconds=5))
        await asyncio.sleep(0)
    assert await stopping == 0
    await asyncio.wait_for(waiting, 10)
    assert [run.id for run in queries.runs()] == [1]
