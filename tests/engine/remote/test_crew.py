"""When a worker looks at the queue."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Collection, Iterator, Sequence
from pathlib import Path
from typing import Any, cast

import pytest
from sqlalchemy import insert, select

from engine.extensions.executors import Ticket
from engine.remote.crew import LOOK_AGAIN_SECONDS, Crew
from engine.remote.parcels import read_end, request_bytes
from engine.run import Outcome, RunRequest
from engine.runs.runner import Runner
from engine.states import RunStatus, Trigger
from engine.store import remote
from engine.store.database import Database
from engine.store.documents import StoredDocuments
from engine.store.link import Connection
from engine.store.models import REMOTE_RUN, RUN, SOURCE
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

    async def prepare(self, connection: Connection) -> None:
        pass

    def put(self, connection: Any, tickets: Sequence[Ticket]) -> None:
        self.tickets += tickets

    async def take(self, connection: Connection, tags: Collection[str], most: int) -> list[Ticket]:
        taken, self.tickets = self.tickets[:most], self.tickets[most:]
        return taken

    def is_news(self, payload: str) -> bool:
        return True

    async def tidy(self, connection: Connection) -> None:
        pass


class Obliging:
    """A runner whose runs end well, once they are let go on."""

    def __init__(self) -> None:
        self.goes_on = asyncio.Event()

    def serving(self, **_: Any) -> Obliging:
        return self

    async def run(self, request: RunRequest, **_: Any) -> Outcome:
        await self.goes_on.wait()
        return Outcome(RunStatus.COMPLETE)


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
