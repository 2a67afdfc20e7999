"""A real database in a file for each test, and a journal on it."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import pytest

from engine.states import RunStatus, Trigger
from engine.store.database import Database, open_database
from engine.store.dialects import sqlite_url
from engine.store.journal import Journal
from engine.store.queries import Queries
from engine.store.rows import RunEnd, RunRow
from engine.store.schema import migrate
from engine.times.clock import ManualClock
from tests.engine.store.servers import KINDS, migrated

NOON = datetime(2025, 6, 1, 12, tzinfo=UTC)
BUSY_TIMEOUT_SECONDS = 0.02


@dataclass
class Told:
    """What the journal told about the database."""

    stalls: list[tuple[str, int]] = field(default_factory=list)
    recoveries: list[float] = field(default_factory=list)

    def stalled(self, reason: str, waiting: int) -> None:
        self.stalls.append((reason, waiting))

    def recovered(self, seconds: float) -> None:
        self.recoveries.append(seconds)


class Gate:
    """Holds the journal's thread, so that what is handed over meanwhile becomes one batch."""

    def __init__(self, journal: Journal) -> None:
        self._open = threading.Event()
        self._entered = threading.Event()
        journal.transact(self._hold)

    def _hold(self, _connection: object) -> None:
        self._entered.set()
        self._open.wait(10)

    async def __aenter__(self) -> Gate:
        assert await asyncio.to_thread(self._entered.wait, 10)
        return self

    async def __aexit__(self, *_: object) -> None:
        self._open.set()


def a_run(
    run_id: int, job: str = "report", status: RunStatus = RunStatus.RUNNING, **values: object
) -> RunRow:
    """Return a run as it is written first."""
    started = NOON if status is RunStatus.RUNNING else None
    given = {"session": 1, "started": started} | values
    return RunRow(run_id, job, Trigger.SCHEDULE, NOON, NOON, status=status, **given)  # type: ignore[arg-type]


def an_end(status: RunStatus = RunStatus.COMPLETE, **values: object) -> RunEnd:
    """Return the end of a run."""
    return RunEnd(status, NOON, **values)  # type: ignore[arg-type]


async def until(condition: Callable[[], bool], seconds: float = 10.0) -> None:
    """Wait until a condition holds."""
    async with asyncio.timeout(seconds):
        while not condition():  # noqa: ASYNC110 (what is waited for happens in another thread)
            await asyncio.sleep(0.002)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "moontide.db"


@pytest.fixture
def empty(path: Path) -> Iterator[Database]:
    """A database without tables."""
    database = open_database(sqlite_url(path), busy_timeout_seconds=BUSY_TIMEOUT_SECONDS)
    yield database
    database.close()


@pytest.fixture
def database(empty: Database) -> Database:
    migrate(empty.writer)
    return empty


@pytest.fixture(params=KINDS)
def either(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Database]:
    """Both kinds of database, one after the other."""
    with migrated(request.param, tmp_path) as database:
        yield database


@pytest.fixture
def queries(database: Database) -> Queries:
    return Queries(database.reader)


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(NOON)


@pytest.fixture
def told() -> Told:
    return Told()


@pytest.fixture
async def journal(database: Database, clock: ManualClock, told: Told) -> AsyncIterator[Journal]:
    journal = Journal(database.writer, clock=clock, on_stalled=told.stalled, on_recovered=told.recovered)
    journal.start()
    yield journal
    await journal.stop(timeout_seconds=1.0)
