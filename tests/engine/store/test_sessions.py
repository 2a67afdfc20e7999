from __future__ import annotations

from datetime import timedelta
from functools import partial
from pathlib import Path

import pytest

from engine.run import LogLine
from engine.states import RunStatus
from engine.store.journal import Journal
from engine.store.queries import Queries
from engine.store.rows import JobPatch
from engine.store.sessions import begin_session, end_session, next_run_id, recover
from tests.engine.store.conftest import NOON, a_run, an_end
from tests.engine.store.test_journal import committed

LATER = NOON + timedelta(hours=1)


async def begin(journal: Journal) -> int:
    return await journal.transact(partial(begin_session, pid=7, host="web1", version="0.1.0", now=NOON))


@pytest.fixture
async def second(journal: Journal) -> int:
    """The second session, after a first one that left two runs open and one closed."""
    first = await begin(journal)
    await journal.run_created(a_run(1, session=first), JobPatch("report", {"last_run_id": 1}))
    journal.log_lines(1, [LogLine(1, NOON, "info", "so far")])
    await journal.run_created(a_run(2, status=RunStatus.QUEUED, session=first))
    await journal.run_created(a_run(3, session=first), JobPatch("other", {"last_run_id": 3}))
    await journal.run_finished(3, an_end(), JobPatch("other", {"last_status": "COMPLETE"}))
    return await begin(journal)


async def test_unfinished_runs_of_earlier_sessions_become_crashed_once(
    journal: Journal, second: int, queries: Queries
) -> None:
    assert await journal.transact(partial(recover, session_id=second, now=LATER)) == [1, 2]
    assert await journal.transact(partial(recover, session_id=second, now=LATER)) == []
    runs = {run.id: (run.status, run.error, run.finished) for run in queries.runs()}
    assert runs == {
        1: ("CRASHED", "the engine ended while this run was under way", LATER),
        2: ("CRASHED", "the engine ended before this run started", LATER),
        3: ("COMPLETE", None, NOON),
    }


async def test_a_crashed_run_counts_the_lines_it_wrote(
    journal: Journal, second: int, queries: Queries
) -> None:
    await journal.transact(partial(recover, session_id=second, now=LATER))
    assert [(run.id, run.log_lines) for run in queries.runs()] == [(3, 0), (2, 0), (1, 1)]


async def test_a_job_shows_that_its_last_run_crashed(journal: Journal, second: int, queries: Queries) -> None:
    await journal.transact(partial(recover, session_id=second, now=LATER))
    assert {job.name: job.last_status for job in queries.jobs()} == {"report": "CRASHED", "other": "COMPLETE"}


async def test_runs_of_the_present_session_are_left_alone(
    journal: Journal, second: int, queries: Queries
) -> None:
    await journal.run_created(a_run(4, session=second))
    await journal.transact(partial(recover, session_id=second, now=LATER))
    assert queries.run(4).status == "RUNNING"  # type: ignore[union-attr]


async def test_sessions_that_never_ended_are_closed_as_not_clean(
    journal: Journal, second: int, path: Path
) -> None:
    await journal.transact(partial(recover, session_id=second, now=LATER))
    await journal.transact(partial(end_session, session_id=second, now=LATER))
    rows = committed(path, "SELECT id, pid, host, ended IS NOT NULL, clean FROM session ORDER BY id")
    assert rows == [(1, 7, "web1", 1, 0), (second, 7, "web1", 1, 1)]


async def test_run_ids_go_on_after_the_highest(journal: Journal) -> None:
    assert await journal.transact(next_run_id) == 1
    await journal.run_created(a_run(41))
    assert await journal.transact(next_run_id) == 42
