"""What jobs keep, in both databases."""

from __future__ import annotations

import pytest

from engine.desks.audit import audit_entry
from engine.errors import StoreUnavailable
from engine.states import RunStatus
from engine.store.auditqueries import AuditQueries
from engine.store.database import Database
from engine.store.jobstates import JobStates, jobs_with_state
from engine.store.journal import Journal
from engine.times.clock import ManualClock
from tests.engine.store.conftest import NOON, a_run, an_end


@pytest.fixture
def database(either: Database) -> Database:
    """The journal's, of both kinds one after the other."""
    return either


@pytest.fixture
async def states(database: Database, journal: Journal, clock: ManualClock) -> JobStates:
    return JobStates(journal, database.reader, clock=clock, held=())


async def test_the_last_value_counts_and_the_two_kinds_are_apart(states: JobStates) -> None:
    await states.keep("a", {"page": 1}, lasting=False, run_id=4)
    await states.keep("a", [1, None, "ü"], lasting=False, run_id=5)
    await states.keep("a", "for good", lasting=True)
    view = await states.view("a", lasting=False)
    assert (view.value, view.updated, view.run_id) == ([1, None, "ü"], NOON, 5)
    assert (await states.view("a", lasting=True)).value == "for good"
    assert (await states.view("b", lasting=False)).value is None


async def test_a_run_that_ends_complete_takes_it_away_in_its_own_transaction(
    states: JobStates, journal: Journal
) -> None:
    for job in ("a", "b"):
        await states.keep(job, 1, lasting=False)
        await states.keep(job, 1, lasting=True)
    await journal.run_created(a_run(1, "a"))
    assert states.goes_with("a", RunStatus.COMPLETE)
    await journal.run_finished(1, an_end(), cleared=("a",))
    kept = [(await states.view(job, lasting=kind)).value for job in "ab" for kind in (False, True)]
    assert kept == [None, 1, 1, 1]
    assert not states.goes_with("a", RunStatus.COMPLETE)
    assert not states.goes_with("b", RunStatus.ERROR)


async def test_a_new_engine_knows_which_jobs_keep_something(states: JobStates, database: Database) -> None:
    await states.keep("a", 1, lasting=False)
    await states.keep("b", 1, lasting=True)
    await states.keep("c", 1, lasting=False)
    await states.keep("c", None, lasting=False)
    with database.reader.connect() as connection:
        assert jobs_with_state(connection) == {"a"}


async def test_an_operators_change_is_audited_in_the_same_transaction(
    states: JobStates, database: Database
) -> None:
    entry = audit_entry(NOON, "anna@web1 via socket", "set state", "a", None, {"page": 3})
    await states.keep("a", {"page": 3}, lasting=False, audit=entry)
    (found,) = AuditQueries(database.reader).entries(target="a")
    assert (found.actor, found.action, found.after) == ("anna@web1", "set state", {"page": 3})
    assert (await states.view("a", lasting=False)).run_id is None


async def test_a_database_that_takes_no_writes_is_told_at_once(states: JobStates, journal: Journal) -> None:
    journal.stalled = "the disk is full"
    with pytest.raises(StoreUnavailable, match="disk is full"):
        await states.keep("a", 1, lasting=False)
