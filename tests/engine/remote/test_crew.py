"""When a worker looks at the queue."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Collection, Iterator, Sequence
from pathlib import Path
from typing import Any, cast

import pytest
from sqlalchemy import insert, select, update

from engine.errors import CoreError
from engine.extensions.executors import Ticket
from engine.remote.asking import AskedRuns
from engine.remote.crew import LOOK_AGAIN_SECONDS, Crew
from engine.remote.parcels import Answer, answer_bytes, read_end, request_bytes
from engine.run import Outcome, RunRequest
from engine.runs.runner import Runner
from engine.states import RunStatus, Trigger
from engine.store import remote
from engine.store.database import Database
from engine.store.documents import StoredDocuments
from engine.store.link import Connection
from engine.store.models import REMOTE_CALL, REMOTE_RUN, RUN, SOURCE
from engine.store.remote import RemoteRun
from engine.times.clock import ManualClock
from tests.engine.conftest import until
from tests.engine.store.conftest import NOON
from tests.engine.store.servers import migrated

#: A machine under load needs a while for what takes milliseconds.
SECONDS = 90

#: Of the text that all these runs carry out.
SOURCE_HASH = "50ce"


class Queue:
    """A queue in memory, whose tickets nobody is told of."""

    channel = "of_the_tests"

    def __init__(self) -> None:
        self.tickets: list[Ticket] = []
        self.failures: list[Exception] = []

    async def prepare(self, connection: Connection) -> None:
        pass

    def put(self, connection: Any, tickets: Sequence[Ticket]) -> None:
        self.tickets += tickets

    async def take(self, connection: Connection, tags: Collection[str], most: int) -> list[Ticket]:
        if self.failures:
            raise self.failures.pop()
        taken, self.tickets = self.tickets[:most], self.tickets[most:]
        return taken

    def is_news(self, payload: str) -> bool:
        return True

    async def tidy(self, connection: Connection) -> None:
        pass


class Obliging:
    """A runner whose runs ask if told to, and end well, or with an error, once they are let go on."""

    def __init__(self) -> None:
        self.goes_on = asyncio.Event()
        self.asks = False
        self.error: str | None = None
        self.refused: list[str] = []

    def serving(self, *, runs: AskedRuns, **_: Any) -> Obliging:
        self._runs = runs
        return self

    async def run(self, request: RunRequest, **_: Any) -> Outcome:
        if self.asks:
            await self._ask()
        await self.goes_on.wait()
        return Outcome(RunStatus.ERROR if self.error else RunStatus.COMPLETE, error=self.error)

    async def _ask(self) -> None:
        try:
            await self._runs.status(1)
        except CoreError as error:
            self.refused.append(error.message)


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Database]:
    with migrated("postgresql", tmp_path) as database:
        with database.writer.begin() as connection:
            connection.execute(insert(SOURCE).values(hash=SOURCE_HASH, text="return", first_seen=NOON))
        yield database


@pytest.fixture
def queue() -> Queue:
    return Queue()


@pytest.fixture
def runner() -> Obliging:
    return Obliging()


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(NOON)


@pytest.fixture
async def crew(server: Database, queue: Queue, runner: Obliging, clock: ManualClock) -> AsyncIterator[Crew]:
    """A worker with two slots."""
    crew = Crew(
        queue=queue,
        url=server.writer.url,
        runner=cast(Runner, runner),
        documents=lambda run_id, token: cast(StoredDocuments, None),
        clock=clock,
        node="north",
        name="north",
        version="1",
        tags=(),
        slots=2,
        modules=(),
    )
    crew.start()
    yield crew
    await crew.drain("the test is over", 10)


def hand_over(server: Database, queue: Queue, *run_ids: int) -> None:
    for run_id in run_ids:
        request = RunRequest(run_id, "report", b"return", SOURCE_HASH, Trigger.MANUAL, NOON)
        row = {"id": run_id, "job": "report", "session": 1, "status": "QUEUED", "trigger": "manual"}
        with server.writer.begin() as connection:
            connection.execute(insert(RUN).values(**row, due=NOON, queued=NOON))
            sent = request_bytes(request, "1", ())
            remote.write_remote(connection, [RemoteRun(run_id, 1, "5e55", sent, SOURCE_HASH)])
    queue.put(None, [Ticket(run_id, 1) for run_id in run_ids])


def completed(server: Database) -> int:
    """Return how many runs are over; each has to have ended well."""
    with server.reader.connect() as connection:
        outcomes = connection.scalars(select(REMOTE_RUN.c.outcome).where(REMOTE_RUN.c.state == remote.OVER))
        ends = [read_end(outcome).outcome for outcome in outcomes]
    assert all(end.status is RunStatus.COMPLETE for end in ends), ends
    return len(ends)


async def tell(server: Database, queue: Queue) -> None:
    with server.writer.begin() as connection:
        connection.exec_driver_sql(f"NOTIFY {queue.channel}")


async def test_it_looks_again_after_a_run_when_the_last_look_was_long_ago(
    server: Database, queue: Queue, crew: Crew, runner: Obliging, clock: ManualClock
) -> None:
    hand_over(server, queue, 1)
    await tell(server, queue)
    await until(lambda: crew.running == 1, SECONDS)
    hand_over(server, queue, 2)
    clock.advance(LOOK_AGAIN_SECONDS + 1)
    runner.goes_on.set()
    await until(lambda: completed(server) == 2, SECONDS)


async def test_it_looks_again_at_once_while_more_may_wait(
    server: Database, queue: Queue, crew: Crew, runner: Obliging
) -> None:
    hand_over(server, queue, 1, 2, 3)
    runner.goes_on.set()
    await tell(server, queue)
    await until(lambda: completed(server) == 3, SECONDS)


def read_only(server: Database, value: str) -> None:
    """Let a database take no writes of its workers, or take them again, as a fail-over does."""
    with server.writer.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.exec_driver_sql("SET default_transaction_read_only = off")
        name = connection.exec_driver_sql("SELECT current_database()").scalar()
        connection.exec_driver_sql(f'ALTER DATABASE "{name}" SET default_transaction_read_only = {value}')
        connection.exec_driver_sql(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
            "WHERE datname = current_database() AND application_name LIKE 'moontide worker%%'"
        )


async def test_ends_are_reported_when_a_database_that_was_read_only_takes_writes_again(
    server: Database, queue: Queue, crew: Crew, runner: Obliging, caplog: pytest.LogCaptureFixture
) -> None:
    hand_over(server, queue, 1, 2)
    await tell(server, queue)
    await until(lambda: crew.running == 2, SECONDS)
    read_only(server, "on")
    runner.goes_on.set()
    await until(lambda: "read-only" in caplog.text, SECONDS)
    read_only(server, "off")
    await until(lambda: completed(server) == 2, SECONDS)


async def test_runs_are_taken_when_a_database_that_was_read_only_takes_writes_again(
    server: Database, queue: Queue, crew: Crew, runner: Obliging, caplog: pytest.LogCaptureFixture
) -> None:
    runner.goes_on.set()
    hand_over(server, queue, 1)
    read_only(server, "on")
    await tell(server, queue)
    await until(lambda: "read-only" in caplog.text, SECONDS)
    read_only(server, "off")
    # A queue in the database has its ticket again when the transaction is rolled back; this one is in memory.
    queue.put(None, [Ticket(1, 1)])
    await until(lambda: completed(server) == 1, SECONDS)


async def test_runs_are_taken_after_a_queue_has_failed(
    server: Database, queue: Queue, crew: Crew, runner: Obliging, caplog: pytest.LogCaptureFixture
) -> None:
    runner.goes_on.set()
    queue.failures.append(RuntimeError("a plugin with a bug"))
    hand_over(server, queue, 1)
    await tell(server, queue)
    await until(lambda: completed(server) == 1, SECONDS)
    assert "a plugin with a bug" in caplog.text


async def test_a_late_end_with_any_bytes_in_its_error_keeps_no_other_end_from_being_reported(
    server: Database, queue: Queue, crew: Crew, runner: Obliging
) -> None:
    hand_over(server, queue, 1)
    await tell(server, queue)
    await until(lambda: crew.running == 1, SECONDS)
    with server.writer.begin() as connection:
        connection.execute(update(REMOTE_RUN).values(state=remote.LOST))
    runner.error = "a\0b\ud800c"
    runner.goes_on.set()
    await until(lambda: superseded(server) == [["a\\x00b?c"]], SECONDS)
    runner.error = None
    hand_over(server, queue, 2)
    await tell(server, queue)
    await until(lambda: completed(server) == 1, SECONDS)


def superseded(server: Database) -> list[list[str]]:
    """Return the errors of ends that came too late, run by run."""
    with server.reader.connect() as connection:
        found = connection.scalars(select(RUN.c.superseded).where(RUN.c.superseded.is_not(None)))
        return [[late["error"] for late in ends] for ends in found]


async def test_an_answer_that_cannot_be_read_is_an_error_for_its_run_and_later_ones_are_heard(
    server: Database, queue: Queue, crew: Crew, runner: Obliging
) -> None:
    runner.asks = True
    runner.goes_on.set()
    hand_over(server, queue, 1, 2)
    await tell(server, queue)
    await until(lambda: asked(server) == {1, 2}, SECONDS)
    answer(server, 1, b"\xc1")
    await until(lambda: len(runner.refused) == 1, SECONDS)
    answer(server, 2, answer_bytes(Answer(error="no run 1", code=810)))
    await until(lambda: completed(server) == 2, SECONDS)
    assert "cannot be read" in runner.refused[0]
    assert runner.refused[1] == "no run 1"


async def test_words_of_others_on_its_channel_leave_a_worker_listening(
    server: Database, queue: Queue, crew: Crew, runner: Obliging
) -> None:
    runner.asks = True
    runner.goes_on.set()
    hand_over(server, queue, 1)
    await tell(server, queue)
    await until(lambda: asked(server) == {1}, SECONDS)
    with server.writer.begin() as connection:
        connection.exec_driver_sql(f"SELECT pg_notify('{remote.TO_WORKERS}' || {remote.SCHEMA}, 'hello')")
    answer(server, 1, answer_bytes(Answer(error="no run 1", code=810)))
    await until(lambda: completed(server) == 1, SECONDS)


def answer(server: Database, run_id: int, told: bytes) -> None:
    with server.writer.begin() as connection:
        remote.answer_call(connection, run_id, 1, told)


def asked(server: Database) -> set[int]:
    """Return the runs whose questions have no answer."""
    with server.reader.connect() as connection:
        return set(connection.scalars(select(REMOTE_CALL.c.run_id).where(REMOTE_CALL.c.answer.is_(None))))
