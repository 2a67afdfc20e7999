"""A node that is seen."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import Connection

from engine.errors import StoreUnavailable
from engine.states import NodeKind, NodeState
from engine.store.database import Database
from engine.store.nodes import Newcomer, NodeRow, ask_to_drain, forget, stored_nodes
from engine.store.ownline import OwnLine
from engine.store.presence import Presence, certain_lead, in_thread
from engine.times.clock import SystemClock
from tests.engine.store.conftest import until
from tests.engine.store.servers import migrated

NEWCOMER = Newcomer(NodeKind.ENGINE, "web1", "web1", "/srv/shop", 7, "1.2", NodeState.STANDBY)


class ShiftedClock(SystemClock):
    """The machine's clock, set wrong."""

    def __init__(self, seconds: float) -> None:
        super().__init__()
        self._by = timedelta(seconds=seconds)

    def now(self):  # type: ignore[no-untyped-def]
        return super().now() + self._by


@pytest.fixture(scope="module")
def database(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Database]:
    with migrated("postgresql", Path(tmp_path_factory.mktemp("none"))) as database:
        yield database


@pytest.fixture
def line(database: Database) -> Iterator[OwnLine]:
    line = OwnLine(database)
    yield line
    line.close()


def row(database: Database) -> NodeRow:
    [row] = [row for row in stored_nodes(database.reader).rows if row.id == NEWCOMER.id]
    return row


async def test_a_node_is_there_from_its_start_to_its_stop_and_says_what_it_does(
    database: Database, line: OwnLine
) -> None:
    presence = Presence(NEWCOMER, transact=in_thread(line.do), clock=SystemClock(), running=lambda: 3)
    await presence.join()
    assert row(database).state == NodeState.STANDBY
    presence.start()
    presence.say(state=NodeState.LEADING)
    await until(lambda: (row(database).state, row(database).running) == ("leading", 3))
    await presence.stop()
    assert (row(database).state, row(database).running) == ("gone", 0)


async def test_a_node_hears_once_that_it_is_to_drain_and_once_that_it_may_go_on(
    database: Database, line: OwnLine
) -> None:
    asked: list[bool] = []
    presence = Presence(NEWCOMER, transact=in_thread(line.do), clock=SystemClock(), on_drain=asked.append)
    await presence.join()
    for drain in (True, False):
        with database.writer.begin() as connection:
            ask_to_drain(connection, NEWCOMER.name, drain=drain)
        await presence.tick()
        await presence.tick()
    assert asked == [True, False]
    await presence.stop()


async def test_a_node_that_lives_and_was_forgotten_joins_anew(database: Database, line: OwnLine) -> None:
    presence = Presence(NEWCOMER, transact=in_thread(line.do), clock=SystemClock())
    await presence.join()
    with database.writer.begin() as connection:
        forget(connection, [NEWCOMER.id])
    assert await presence.tick() is None
    assert await presence.tick() is not None
    assert row(database).state == NodeState.STANDBY
    await presence.stop()


@pytest.mark.parametrize("seconds", [-3600.0, 3600.0])
async def test_a_node_whose_clock_is_wrong_says_by_how_much(
    database: Database, line: OwnLine, seconds: float
) -> None:
    presence = Presence(NEWCOMER, transact=in_thread(line.do), clock=ShiftedClock(seconds))
    await presence.join()
    await presence.tick()
    await presence.tick()
    assert row(database).clock_ahead == pytest.approx(seconds, abs=60)
    await presence.stop()


async def test_without_the_database_heartbeats_are_left_out_and_the_goodbye_too() -> None:
    async def transact(work: object) -> object:
        raise StoreUnavailable("away")

    presence = Presence(NEWCOMER, transact=transact, clock=SystemClock())  # type: ignore[arg-type]
    assert await presence.tick() is None
    await presence.stop()


async def test_a_database_that_does_not_answer_holds_up_no_stop() -> None:
    asked: list[object] = []

    def transact(work: object) -> asyncio.Future[object]:
        asked.append(work)
        return asyncio.get_running_loop().create_future()

    presence = Presence(NEWCOMER, transact=transact, clock=SystemClock())  # type: ignore[arg-type]
    async with asyncio.timeout(60):
        await presence.stop()
    assert len(asked) == 1


def test_a_line_that_broke_is_made_anew(database: Database, line: OwnLine) -> None:
    def own_pid(connection: Connection) -> int:
        return int(connection.exec_driver_sql("SELECT pg_backend_pid()").scalar_one())

    first = line.do(own_pid)
    with database.writer.begin() as connection:
        connection.exec_driver_sql(f"SELECT pg_terminate_backend({first})")
    with pytest.raises(StoreUnavailable):
        line.do(own_pid)
    assert line.do(own_pid) != first


MOMENTS = st.floats(-1000, 1000)
WAITS = st.floats(0, 100)


@given(ahead=MOMENTS, there=WAITS, back=WAITS)
def test_no_clock_is_called_wrong_by_more_than_it_is(ahead: float, there: float, back: float) -> None:
    # Asked at 0 by the other clock, answered after `there`, heard after `back` more.
    told = certain_lead(ahead - there, there + back)
    assert abs(told) <= abs(ahead) + 1e-9
    assert told * ahead >= 0
    assert abs(told - ahead) <= there + back + 1e-9
