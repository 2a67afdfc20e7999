"""The rows of engines and workers, on both kinds of database."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select, type_coerce, update

from engine.states import NodeKind, NodeState
from engine.store.database import Database
from engine.store.dialects import server_now
from engine.store.models import NODE, UtcDateTime
from engine.store.nodes import (
    SILENT_SECONDS,
    Beat,
    Newcomer,
    NodeRow,
    ask_to_drain,
    beat,
    forget,
    join,
    leave,
    nodes_in,
    stored_nodes,
)

NEWCOMER = Newcomer(
    kind=NodeKind.WORKER,
    name="gpu1",
    host="gpu1.example",
    home="/srv/shop",
    pid=7,
    version="1.2",
    state=NodeState.WORKING,
    addresses=("/srv/shop/moontide.sock", "https://gpu1.example:7424"),
    slots=4,
    tags=("gpu", "eu"),
)


def joined(database: Database, newcomer: Newcomer = NEWCOMER) -> NodeRow:
    with database.writer.begin() as connection:
        join(connection, newcomer)
    return row_of(database, newcomer.id)


def row_of(database: Database, node: str) -> NodeRow:
    [row] = [row for row in stored_nodes(database.reader).rows if row.id == node]
    return row


def test_a_node_that_joined_is_listed_with_all_that_it_said(either: Database) -> None:
    row = joined(either)
    assert (row.kind, row.name, row.host, row.home, row.pid) == (
        "worker",
        "gpu1",
        "gpu1.example",
        "/srv/shop",
        7,
    )
    assert row.addresses == ["/srv/shop/moontide.sock", "https://gpu1.example:7424"]
    assert (row.slots, row.tags, row.running, row.drain) == (4, ["eu", "gpu"], 0, False)
    assert row.started == row.heartbeat or row.heartbeat - row.started < timedelta(seconds=1)


def test_a_heartbeat_is_by_the_databases_clock_and_brings_what_changed(either: Database) -> None:
    before = joined(either)
    with either.writer.begin() as connection:
        heard = beat(connection, NEWCOMER.id, Beat(NodeState.DRAINING, 3, -2.5, "abc"))
    after = row_of(either, NEWCOMER.id)
    assert heard is not None
    assert not heard.drain
    assert before.heartbeat <= after.heartbeat <= heard.now + timedelta(seconds=1)
    assert (after.state, after.running, after.clock_ahead, after.jobs_hash) == ("draining", 3, -2.5, "abc")


def test_a_heartbeat_tells_whether_the_node_is_to_drain(either: Database) -> None:
    joined(either)
    for wanted in (True, False):
        with either.writer.begin() as connection:
            assert ask_to_drain(connection, "gpu1", drain=wanted) == 1
        with either.writer.begin() as connection:
            heard = beat(connection, NEWCOMER.id, Beat(NodeState.WORKING))
        assert heard is not None
        assert heard.drain is wanted


def test_a_node_that_was_forgotten_is_told_so(either: Database) -> None:
    joined(either)
    with either.writer.begin() as connection:
        assert forget(connection, [NEWCOMER.id]) == 1
        assert beat(connection, NEWCOMER.id, Beat(NodeState.WORKING)) is None
        assert ask_to_drain(connection, "gpu1") == 0
    assert stored_nodes(either.reader).rows == ()


def test_the_next_life_of_a_node_takes_the_place_of_the_last_one(either: Database) -> None:
    joined(either)
    other = joined(either, replace(NEWCOMER, home="/srv/other", id="other"))
    again = joined(either, replace(NEWCOMER, pid=8, id="again"))
    assert {row.id for row in stored_nodes(either.reader).rows} == {other.id, again.id}


@pytest.mark.parametrize("seconds", [SILENT_SECONDS - 5, SILENT_SECONDS + 1])
def test_a_node_without_heartbeats_is_silent_unless_it_said_goodbye(either: Database, seconds: float) -> None:
    joined(either)
    joined(either, replace(NEWCOMER, name="gone", id="gone"))
    with either.writer.begin() as connection:
        leave(connection, "gone")
        earlier = server_now(connection.dialect.name, -seconds)
        connection.execute(update(NODE).values(heartbeat=earlier))
        nodes = nodes_in(connection)
    silent = {row.id: nodes.silent(row) for row in nodes.rows}
    assert silent == {NEWCOMER.id: seconds > SILENT_SECONDS, "gone": False}
    assert {row.id for row in nodes.rows if nodes.alive(row)} == {
        row for row in (NEWCOMER.id,) if seconds < SILENT_SECONDS
    }


def test_the_databases_clock_is_this_machines_here_and_can_be_asked_for_another_moment(
    either: Database,
) -> None:
    with either.reader.connect() as connection:
        moments = [
            connection.scalar(select(type_coerce(server_now(connection.dialect.name, plus), UtcDateTime())))
            for plus in (-60.25, 0, 60.25)
        ]
    now = datetime.now(UTC)
    differences = [(moment - now).total_seconds() for moment in moments if moment is not None]
    assert differences == pytest.approx([-60.25, 0, 60.25], abs=30)
    assert differences[2] - differences[1] == pytest.approx(60.25, abs=30)
