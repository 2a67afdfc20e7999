"""Planned runs in the database: in one table before their time, in the other from then on."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from msgspec import structs
from sqlalchemy import text

from engine.errors import StoreError
from engine.states import RunStatus, Trigger
from engine.store.database import Database
from engine.store.journal import Journal
from engine.store.queries import Queries
from engine.store.rows import Changes, PlannedRun, PlannedTime
from engine.store.schema import migrate, revise
from engine.store.sessions import next_run_id, recover
from tests.engine.store.conftest import NOON, a_run, an_end

LATER = NOON + timedelta(hours=1)
PLANNED = PlannedRun(5, "report", LATER, NOON, data={"n": [1]}, user_id=7, called_by=3)


async def test_a_planned_run_is_read_as_a_run_that_is_planned(journal: Journal, queries: Queries) -> None:
    await journal.run_planned(PLANNED)
    view = queries.run(5)
    assert view is not None
    assert (view.status, view.job, view.due, view.data) == ("PLANNED", "report", LATER, {"n": [1]})
    assert (view.trigger, view.user_id, view.called_by) == ("call", 7, 3)
    assert queries.planned_run(5) == PLANNED
    assert queries.planned_times() == [PlannedTime(5, "report", LATER, user_id=7)]


async def test_a_retry_keeps_why_there_was_a_first_attempt(journal: Journal, queries: Queries) -> None:
    retry = replace(PLANNED, trigger=Trigger.RETRY, attempt=2, first_trigger=Trigger.MANUAL)
    await journal.run_planned(retry)
    assert queries.planned_run(5) == retry


async def test_planned_runs_are_listed_apart_and_in_pages(journal: Journal, queries: Queries) -> None:
    for number in range(10, 16):
        await journal.run_planned(replace(PLANNED, id=number, job="a" if number % 2 else "b"))
    assert queries.runs() == []

    def ids(**options: int | str) -> list[int]:
        return [run.id for run in queries.runs(status=RunStatus.PLANNED, **options)]  # type: ignore[arg-type]

    assert ids() == [15, 14, 13, 12, 11, 10]
    assert ids(job="a") == [15, 13, 11]
    assert ids(before_id=14, limit=2) == [13, 12]


@pytest.mark.parametrize("status", [RunStatus.QUEUED, RunStatus.RUNNING])
async def test_its_row_makes_way_for_the_runs(journal: Journal, queries: Queries, status: RunStatus) -> None:
    await journal.run_planned(PLANNED)
    await journal.run_created(a_run(5, status=status, called_by=3), was_planned=True)
    view = queries.run(5)
    assert view is not None
    assert (view.status, view.called_by) == (status.value, 3)
    assert queries.planned_run(5) is None


async def test_a_run_cannot_take_the_place_of_a_planned_one_twice(journal: Journal, queries: Queries) -> None:
    await journal.run_planned(PLANNED)
    row = structs.replace(a_run(5, status=RunStatus.QUEUED), trigger=Trigger.CALL)
    await journal.together(Changes(runs=(row,), ends=((5, an_end()),), unplanned=(5,)))
    with pytest.raises(StoreError):
        await journal.run_created(a_run(5), was_planned=True)
    with pytest.raises(StoreError, match="run 6 cannot go on"):
        await journal.run_created(a_run(6), was_planned=True)
    assert queries.run(6) is None


async def test_recovery_leaves_planned_runs_alone_and_their_ids_are_taken(
    journal: Journal, queries: Queries
) -> None:
    await journal.run_created(a_run(4))
    await journal.run_planned(PLANNED)
    assert await journal.transact(lambda connection: recover(connection, 9, LATER)) == [4]
    assert queries.planned_run(5) == PLANNED
    assert await journal.transact(next_run_id) == 6


def test_runs_of_the_first_schema_are_kept(empty: Database) -> None:
    with empty.writer.begin() as connection:
        revise(connection, to="0001")
        connection.execute(
            text(
                "INSERT INTO run (id, job, status, trigger, due, queued) "
                "VALUES (8, 'old', 'COMPLETE', 'manual', '2025-01-01', '2025-01-01')"
            )
        )
    migrate(empty.writer)
    view = Queries(empty.reader).run(8)
    assert view is not None
    assert (view.job, view.called_by) == ("old", None)
