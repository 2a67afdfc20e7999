"""When an engine takes a worker for lost, and what it says of runs that wait for one."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import delete

from engine.errors import StoreError
from engine.extensions.executors import Handed
from engine.remote.journey import Carried
from engine.remote.observing import Observer
from engine.run import RunRequest
from engine.states import NodeKind, NodeState, Trigger
from engine.store.database import Database
from engine.store.engineside import Standing
from engine.store.models import NODE
from engine.store.nodes import SILENT_SECONDS, Beat, Newcomer, beat, join, leave
from engine.times.clock import ManualClock
from tests.engine.store.conftest import NOON
from tests.engine.store.servers import migrated


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    with migrated("sqlite", tmp_path) as database:
        yield database


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(NOON)


@pytest.fixture
def observer(database: Database, clock: ManualClock) -> Observer:
    return Observer(database.reader, clock)


def worker(name: str, *tags: str) -> Newcomer:
    return Newcomer(NodeKind.WORKER, name, "here", "/home", 1, "1", NodeState.WORKING, tags=tags, id=name)


def carried(*, on: str | None = None, runs_on: tuple[str, ...] = ()) -> Carried:
    """Return a run that waits, or that a worker has."""
    request = RunRequest(1, "report", b"", "", Trigger.MANUAL, NOON, runs_on=runs_on)
    standing = None if on is None else Standing(1, "taken", on, on, 0, 0, None)
    return Carried(request, Handed(begun=lambda worker: None), standing=standing)


def let_join(database: Database, *workers: Newcomer) -> None:
    with database.writer.begin() as connection:
        for one in workers:
            join(connection, one)


async def lost_after(observer: Observer, clock: ManualClock, seconds: float, run: Carried) -> str | None:
    clock.advance(seconds)
    await observer.look()
    observer.judge(run)
    return run.lost


async def test_a_worker_without_a_heartbeat_for_long_is_lost(
    database: Database, observer: Observer, clock: ManualClock
) -> None:
    let_join(database, worker("north"))
    await observer.look()
    run = carried(on="north")
    assert await lost_after(observer, clock, SILENT_SECONDS, run) is None
    assert await lost_after(observer, clock, 1, run) == "worker north was lost: no sign of life for 16 s"
    assert run.news.is_set()


async def test_a_worker_with_heartbeats_is_not_lost(
    database: Database, observer: Observer, clock: ManualClock
) -> None:
    let_join(database, worker("north"))
    run = carried(on="north")
    for _ in range(3):
        with database.writer.begin() as connection:
            beat(connection, "north", Beat(NodeState.WORKING))
        assert await lost_after(observer, clock, SILENT_SECONDS - 1, run) is None


async def test_after_an_outage_of_the_database_each_worker_has_its_time_again(
    database: Database, observer: Observer, clock: ManualClock
) -> None:
    let_join(database, worker("north"))
    await observer.look()
    with database.writer.begin() as connection:
        connection.exec_driver_sql("ALTER TABLE node RENAME TO away")
    with pytest.raises(StoreError, match="node"):
        await observer.look()
    with database.writer.begin() as connection:
        connection.exec_driver_sql("ALTER TABLE away RENAME TO node")
    run = carried(on="north")
    assert await lost_after(observer, clock, 10 * SILENT_SECONDS, run) is None


async def test_a_worker_that_has_left_or_was_forgotten_has_lost_its_run(
    database: Database, observer: Observer, clock: ManualClock
) -> None:
    let_join(database, worker("north"), worker("south"))
    with database.writer.begin() as connection:
        leave(connection, "north")
        connection.execute(delete(NODE).where(NODE.c.id == "south"))
    left, forgotten = carried(on="north"), carried(on="south")
    assert await lost_after(observer, clock, 0, left) == "worker north was lost: it ended before the run did"
    assert await lost_after(observer, clock, 0, forgotten) is None
    assert await lost_after(observer, clock, SILENT_SECONDS + 1, forgotten) == (
        "worker south was lost: its row was removed"
    )


@pytest.mark.parametrize(
    ("there", "wanted", "words"),
    [
        ((), (), "no worker is there; `moontide worker` starts one"),
        ((), ("gpu",), "no worker offers gpu"),
        ((("eu",),), ("eu", "gpu"), "no worker offers eu and gpu"),
        ((("eu", "gpu"),), ("gpu",), "a worker with a free slot"),
        ((("eu",),), (), "a worker with a free slot"),
    ],
)
async def test_a_run_that_waits_says_for_what(
    database: Database,
    observer: Observer,
    there: tuple[tuple[str, ...], ...],
    wanted: tuple[str, ...],
    words: str,
) -> None:
    let_join(database, *(worker(f"w{n}", *tags) for n, tags in enumerate(there)))
    await observer.look()
    run = carried(runs_on=wanted)
    observer.judge(run)
    assert run.handed.waits_for == words
