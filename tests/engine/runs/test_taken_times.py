"""A due time that is taken and its run are on record together, whatever else of the job is written."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import Connection, select

from engine.events import Event, Events, RunFinished
from engine.extensions.runlog import RunLog
from engine.jobs.jobfile import JobSettings
from engine.rules.holds import Holds
from engine.rules.lifecycle import UNKNOWN, waiting
from engine.run import Limits, Outcome, RunRequest
from engine.runs.dispatcher import Dispatcher
from engine.runs.job import Job, Source
from engine.runs.jobrows import patch_of
from engine.states import Returned, RunStatus
from engine.store.database import Database
from engine.store.jobstates import JobStates
from engine.store.journal import Journal
from engine.store.models import JOB, RUN
from engine.store.sessions import recover
from engine.times.clock import ManualClock
from engine.times.schedule import Interval
from tests.engine.store.servers import KINDS, migrated

NOON = datetime(2025, 6, 1, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)


class AtOnce:
    """Carries each run out at once."""

    async def run(self, request: RunRequest, *, log: RunLog, cancel: asyncio.Future[str]) -> Outcome:
        return Outcome(RunStatus.COMPLETE, Returned.OK)


class Desk:
    """A dispatcher with one hourly job, whose file is read only when `disk` gives it."""

    def __init__(self, database: Database, journal: Journal, pool_size: int, overlap: str) -> None:
        self.database, self.journal, self.disk = database, journal, asyncio.Event()
        schedule = Interval(3600)
        state = waiting(replace(UNKNOWN, armed=True), schedule, NOON)
        settings = JobSettings(every=3600, overlap=overlap)
        self.job = Job("report", "report.lua", state, settings=settings, schedule=schedule)
        self.ended = asyncio.Event()
        events = Events()
        events.subscribe(self._hear)
        clock = ManualClock(NOON)
        self.dispatcher = Dispatcher(
            clock=clock,
            find_job={"report": self.job}.get,
            read_source=self._read,
            arm=lambda job, due: None,
            skip_due=lambda job, due: None,
            runner=AtOnce(),
            journal=journal,
            states=JobStates(journal, database.reader, clock=clock, held=set()),
            events=events,
            session=1,
            first_run_id=1,
            pool_size=pool_size,
            label_limits={},
            holds=Holds(),
            limits=Limits(),
            timezone="UTC",
            stop_grace=1.0,
        )

    async def _read(self, job: Job) -> Source:
        await self.disk.wait()
        return Source(b"return 1", "hash")

    def _hear(self, event: Event) -> None:
        if isinstance(event, RunFinished):
            self.ended.set()

    async def change(self) -> None:
        """Write something else of the job, as an operator or another run of it does."""
        await self.journal.job_changed([patch_of(self.job)])

    def on_record(self) -> tuple[datetime, list[tuple[datetime, str]]]:
        """Return the job's next due time and its runs, as a kill would leave them now."""
        with self.database.reader.connect() as connection:
            return _next_due(connection), _runs(connection)

    async def after_a_kill(self) -> list[tuple[datetime, str]]:
        """Let nothing more be written, and return the runs as the next start leaves them."""
        await self.journal.stop()
        with self.database.writer.begin() as connection:
            recover(connection, 2, NOON)
            return _runs(connection)


def _next_due(connection: Connection) -> datetime:
    found = connection.scalar(select(JOB.c.next_due))
    assert isinstance(found, datetime)
    return found


def _runs(connection: Connection) -> list[tuple[datetime, str]]:
    return [
        (row[0], row[1]) for row in connection.execute(select(RUN.c.due, RUN.c.status).order_by(RUN.c.id))
    ]


@asynccontextmanager
async def a_desk(kind: str, folder: Path, pool_size: int = 10, overlap: str = "allow") -> AsyncIterator[Desk]:
    with migrated(kind, folder) as database:
        journal = Journal(
            database.writer, clock=ManualClock(NOON), on_stalled=lambda *_: None, on_recovered=lambda _: None
        )
        journal.start()
        desk = Desk(database, journal, pool_size, overlap)
        try:
            yield desk
        finally:
            desk.disk.set()
            await desk.dispatcher.drain("the test is over", 5)
            await journal.stop()


@pytest.mark.parametrize("kind", KINDS)
async def test_a_time_whose_run_is_still_being_made_is_not_lost_by_a_kill(kind: str, tmp_path: Path) -> None:
    async with a_desk(kind, tmp_path) as desk:
        desk.dispatcher.due("report", NOON)
        await desk.change()
        assert desk.on_record() == (NOON + HOUR, [(NOON, "QUEUED")])
        assert await desk.after_a_kill() == [(NOON, "CRASHED")]


@pytest.mark.parametrize("kind", KINDS)
async def test_such_a_run_goes_on_and_is_there_once(kind: str, tmp_path: Path) -> None:
    async with a_desk(kind, tmp_path) as desk:
        desk.dispatcher.due("report", NOON)
        await desk.change()
        await desk.change()
        desk.disk.set()
        await asyncio.wait_for(desk.ended.wait(), 10)
        assert desk.on_record() == (NOON + HOUR, [(NOON, "COMPLETE")])


@pytest.mark.parametrize("kind", KINDS)
async def test_each_of_several_such_times_is_kept(kind: str, tmp_path: Path) -> None:
    async with a_desk(kind, tmp_path) as desk:
        desk.dispatcher.due("report", NOON)
        desk.dispatcher.due("report", NOON + HOUR)
        await desk.change()
        _, runs = desk.on_record()
        assert runs == [(NOON, "QUEUED"), (NOON + HOUR, "QUEUED")]


async def test_a_run_that_waits_for_its_turn_is_kept_too_and_told_when_it_is(tmp_path: Path) -> None:
    async with a_desk("sqlite", tmp_path, pool_size=1, overlap="queue") as desk:
        desk.dispatcher.due("report", NOON)
        desk.dispatcher.due("report", NOON + HOUR)
        await desk.change()
        assert [status for _, status in desk.on_record()[1]] == ["QUEUED", "QUEUED"]
        desk.disk.set()
        await desk.dispatcher.drain("the test is over", 10)
        assert [status for _, status in desk.on_record()[1]] == ["COMPLETE", "CANCELLED"]
