"""How SQLite goes about the questions: by an index, so that the answer does not wait for a large history."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest
from msgspec import structs
from sqlalchemy import event

from engine.run import Retention
from engine.runfilter import RunFilter
from engine.states import RunStatus, Trigger
from engine.store.aging import ALERTS, AUDITS, SCHEDULES, SLOTS, Aging
from engine.store.alertrows import AlertQueries
from engine.store.database import Database
from engine.store.given import GivenQueries
from engine.store.history import History
from engine.store.pruning import Pruning
from engine.store.rows import Changes
from engine.store.slotqueries import SlotQueries
from engine.store.timelines import Steps, Timelines
from engine.store.writes import write
from tests.engine.store.conftest import NOON, a_run

HOUR = timedelta(hours=1)
AGES = Retention(age_seconds=3600, failed_age_seconds=7200)

Ask = Callable[[Database], object]


def runs(**wanted: Any) -> Ask:
    return lambda database: History(database.reader).find(RunFilter(**wanted))


def counts(**wanted: Any) -> Ask:
    return lambda database: History(database.reader).counts(RunFilter(**wanted))


QUESTIONS: dict[str, tuple[Ask, str]] = {
    "runs of a job": (runs(job="report"), "ix_run_job_id"),
    "runs in a status": (runs(statuses=(RunStatus.ERROR,)), "ix_run_status_id"),
    "runs by hand": (runs(triggers=(Trigger.MANUAL,)), "ix_run_asked_for"),
    "runs by hand or call": (runs(triggers=(Trigger.MANUAL, Trigger.CALL)), "ix_run_asked_for"),
    "failed runs of a job": (runs(job="report", statuses=(RunStatus.ERROR,)), "ix_run_job_otherwise"),
    "runs for a user": (runs(user_id=7), "ix_run_user_id"),
    "runs of an hour": (runs(since=NOON, until=NOON + HOUR), "ix_run_queued"),
    "runs counted since": (counts(since=NOON), "ix_run_queued"),
    "a timeline": (
        lambda database: Timelines(database.reader).timeline(Steps(NOON, NOON + HOUR, 60), NOON, 9),
        "ix_run_queued",
    ),
    "failures over time": (
        lambda database: Timelines(database.reader).failures(Steps(NOON, NOON + HOUR, 60), 9),
        "ix_run_queued",
    ),
    "runs too old": (lambda database: Pruning(database.reader).runs(AGES, NOON), "ix_run_queued"),
    "jobs with too many runs": (
        lambda database: Pruning(database.reader).runs(Retention(runs=5), NOON),
        "COVERING INDEX ix_run_job_id",
    ),
    "alerts to take up": (lambda database: AlertQueries(database.reader).open(), "ix_alert_untold"),
    "alerts too old": (lambda database: Aging(database.reader).find(ALERTS, NOON), "ix_alert_ended"),
    "slots too old": (lambda database: Aging(database.reader).find(SLOTS, NOON), "ix_slot_last_due"),
    "actions too old": (lambda database: Aging(database.reader).find(AUDITS, NOON), "ix_audit_at"),
    "given schedules too old": (
        lambda database: Aging(database.reader).find(SCHEDULES, NOON),
        "planned_run USING INDEX ix_planned_run_schedule_id",
    ),
    "given schedules of a job": (
        lambda database: GivenQueries(database.reader).find(job="report"),
        "planned_run USING INDEX ix_planned_run_schedule_id",
    ),
    "a schedule's newest slot": (
        lambda database: SlotQueries(database.reader).newest("report", 7),
        "slot USING PRIMARY KEY (job=?)",
    ),
}


@pytest.fixture
def plan(database: Database) -> Iterator[list[str]]:
    """The steps of all statements that the reader is asked for."""
    steps: list[str] = []

    def explain(_connection: Any, cursor: Any, statement: str, parameters: Any, *_: Any) -> None:
        explaining = cursor.connection.cursor()
        explaining.execute(f"EXPLAIN QUERY PLAN {statement}", parameters)
        steps.extend(row[3] for row in explaining.fetchall())

    event.listen(database.reader, "before_cursor_execute", explain)
    yield steps
    event.remove(database.reader, "before_cursor_execute", explain)


@pytest.mark.parametrize("name", QUESTIONS)
def test_few_rows_among_many_are_found_by_an_index(database: Database, plan: list[str], name: str) -> None:
    ask, index = QUESTIONS[name]
    ask(database)
    assert any(index in step for step in plan), plan
    tables = ("run", "slot", "alert", "audit", "planned_run", "given_schedule")
    assert [step for step in plan if step in {f"SCAN {table}" for table in tables}] == []


@pytest.mark.parametrize("more", [{}, {"job": "report"}, {"text": "moon"}])
def test_runs_until_a_time_are_looked_up_below_the_ids_of_newer_ones(
    database: Database, plan: list[str], more: dict[str, Any]
) -> None:
    with database.writer.begin() as connection:
        newer = structs.replace(a_run(9), queued=NOON + timedelta(days=2))
        write(connection, [Changes(runs=(newer,))], NOON)
    runs(until=NOON, **more)(database)
    assert any("<" in step for step in plan), plan
    assert not any("TEMP B-TREE" in step for step in plan), plan


@pytest.mark.parametrize("more", [{}, {"job": "report"}, {"statuses": (RunStatus.ERROR,)}])
def test_words_are_looked_up_from_the_newest_run_on_and_nothing_is_sorted(
    database: Database, plan: list[str], more: dict[str, Any]
) -> None:
    runs(text='order "shop 7"', **more)(database)
    looked_up = [step for step in plan if "run_text" in step]
    assert len(looked_up) == 1, plan
    assert looked_up[0].startswith("SCAN run_text VIRTUAL TABLE")
    assert not any("TEMP B-TREE" in step for step in plan), plan
    assert "SEARCH run USING INTEGER PRIMARY KEY (rowid=?)" in plan
