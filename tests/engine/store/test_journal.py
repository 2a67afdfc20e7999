from __future__ import annotations

import asyncio
import logging
import sqlite3
from collections import Counter
from dataclasses import asdict
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import Connection, event, insert, text

from engine.errors import Refused, StoreError, StoreUnavailable
from engine.run import LogLine
from engine.states import Returned, RunStatus
from engine.store.auditqueries import AuditQueries
from engine.store.database import Database, open_database
from engine.store.journal import Journal
from engine.store.models import SOURCE, metadata
from engine.store.queries import Queries
from engine.store.rows import AuditEntry, Changes, JobPatch, RunStart, SourceRow
from engine.store.writes import write
from engine.times.clock import ManualClock
from engine.views import AuditView
from tests.engine.store.conftest import NOON, Gate, Told, a_run, an_end

LATER = NOON + timedelta(minutes=5)


def committed(path: Path, statement: str) -> list[tuple[object, ...]]:
    """Ask the database as another program would."""
    connection = sqlite3.connect(path)
    try:
        return connection.execute(statement).fetchall()
    finally:
        connection.close()


def add_source(name: str) -> object:
    def work(connection: Connection) -> str:
        connection.execute(insert(SOURCE).values(hash=name, text="", first_seen=NOON))
        return name

    return work


async def test_an_acknowledged_run_is_in_the_database_with_its_job(journal: Journal, path: Path) -> None:
    await journal.run_created(a_run(1), JobPatch("report", {"last_run_id": 1}), (SourceRow("h", "return 1"),))
    assert committed(path, "SELECT id, job, status FROM run") == [(1, "report", "RUNNING")]
    assert committed(path, "SELECT name, last_run_id FROM job") == [("report", 1)]
    assert committed(path, "SELECT hash, text FROM source") == [("h", "return 1")]


async def test_a_run_goes_from_queued_to_its_end(journal: Journal, queries: Queries) -> None:
    await journal.run_created(a_run(1, status=RunStatus.QUEUED, data={"n": [1, None]}, user_id=7))
    await journal.run_started(RunStart(1, LATER, "h"))
    end = an_end(returned=Returned.OK, duration_ms=12.5, result={"sold": 3}, info=[1], log_lines=2)
    await journal.run_finished(1, end, JobPatch("report", {"last_status": "COMPLETE"}))
    run = queries.run(1)
    assert run is not None
    assert (run.status, run.returned, run.started, run.finished) == ("COMPLETE", "OK", LATER, NOON)
    assert (run.data, run.user_id, run.result, run.info) == ({"n": [1, None]}, 7, {"sold": 3}, [1])
    assert (run.duration_ms, run.log_lines) == (12.5, 2)
    assert queries.jobs()[0].last_status == "COMPLETE"


async def test_log_lines_are_durable_when_the_run_has_ended(journal: Journal, queries: Queries) -> None:
    await journal.run_created(a_run(1))
    journal.log_lines(1, [LogLine(1, NOON, "info", "a"), LogLine(2, NOON, "warn", "b")])
    journal.log_lines(1, [LogLine(3, NOON, "error", "c")])
    await journal.run_finished(1, an_end())
    assert [(line.number, line.level, line.text) for line in queries.log(1)] == [
        (1, "info", "a"),
        (2, "warn", "b"),
        (3, "error", "c"),
    ]


async def test_what_is_handed_over_during_a_commit_goes_into_one_transaction(
    journal: Journal, database: Database, queries: Queries
) -> None:
    commits: list[Connection] = []
    event.listen(database.writer, "commit", commits.append)
    async with Gate(journal):
        waiting = [journal.run_created(a_run(n, status=RunStatus.QUEUED)) for n in range(1, 101)]
        waiting += [journal.run_started(RunStart(n, NOON)) for n in range(1, 101)]
        waiting += [journal.run_finished(n, an_end()) for n in range(1, 51)]
        waiting += [journal.job_changed([JobPatch(f"j{n}", {"status": "WAITING"})]) for n in range(100)]
        assert journal.waiting == 351
    await asyncio.gather(*waiting)
    assert len(commits) == 2
    statuses = Counter(run.status for run in queries.runs(limit=200))
    assert statuses == {"COMPLETE": 50, "RUNNING": 50}
    assert journal.waiting == 0


async def test_of_several_values_for_a_job_the_last_one_stays(journal: Journal, queries: Queries) -> None:
    async with Gate(journal):
        journal.job_changed([JobPatch("a", {"status": "WAITING", "reason": "new"})])
        journal.job_changed([JobPatch("b", {"status": "INVALID"})])
        last = journal.job_changed([JobPatch("a", {"status": "STOPPED"})])
    await last
    assert [(job.name, job.status, job.reason) for job in queries.jobs()] == [
        ("a", "STOPPED", "new"),
        ("b", "INVALID", ""),
    ]


async def test_what_an_operator_set_is_kept_with_its_job_and_taken_away_again(
    journal: Journal, queries: Queries
) -> None:
    given = {"every": "5m", "tags": {"team": "shop"}, "expires": None, "cron": ["@daily"]}
    await journal.job_changed([JobPatch("a", {"overrides": given})])
    await journal.job_changed([JobPatch("a", {"status": "WAITING"})])
    assert queries.jobs(["a"])[0].overrides == given
    await journal.job_changed([JobPatch("a", {"overrides": None})])
    assert queries.jobs(["a"])[0].overrides is None


async def test_a_job_row_keeps_when_it_was_first_seen(
    journal: Journal, clock: ManualClock, queries: Queries
) -> None:
    await journal.job_changed([JobPatch("a", {"status": "WAITING"})])
    clock.advance(60)
    await journal.job_changed([JobPatch("a", {"active": False})])
    job = queries.jobs()[0]
    assert (job.first_seen, job.updated) == (NOON, NOON + timedelta(minutes=1))
    assert (job.status, job.active, job.present) == ("WAITING", False, True)


def test_a_column_that_no_job_has_is_refused_at_once() -> None:
    with pytest.raises(ValueError, match="no column colour, speed"):
        JobPatch("a", {"speed": 1, "colour": 2, "status": "WAITING"})


async def test_a_source_is_kept_once_as_it_came_first(journal: Journal, path: Path) -> None:
    for number in (1, 2):
        await journal.run_created(a_run(number), sources=(SourceRow("h", f"text {number}"),))
    assert committed(path, "SELECT hash, text FROM source") == [("h", "text 1")]


async def test_an_operators_action_is_kept_beside_what_it_changed(
    journal: Journal, database: Database
) -> None:
    entry = AuditEntry(
        NOON, "anna@web1", "socket", "job.deactivate", "a", {"active": True}, {"active": False}
    )
    await journal.job_changed([JobPatch("a", {"active": False})], entry)
    (view,) = AuditQueries(database.reader).entries()
    assert view == AuditView(id=1, **asdict(entry))


async def test_work_sees_what_came_before_it_and_nothing_after(journal: Journal) -> None:
    def count(connection: Connection) -> int:
        return int(connection.scalar(text("SELECT count(*) FROM run")) or 0)

    async with Gate(journal):
        journal.run_created(a_run(1))
        first = journal.transact(count)
        journal.run_created(a_run(2))
        second = journal.transact(count)
    assert (await first, await second) == (1, 2)


async def test_work_that_raises_fails_alone_and_leaves_nothing(journal: Journal, path: Path) -> None:
    def refuse(connection: Connection) -> None:
        add_source("lost")(connection)  # type: ignore[operator]
        raise Refused("not today")

    async with Gate(journal):
        before = journal.transact(add_source("before"))  # type: ignore[arg-type]
        refused = journal.transact(refuse)
        after = journal.run_created(a_run(1))
    with pytest.raises(Refused, match="not today"):
        await refused
    assert await before == "before"
    await after
    assert committed(path, "SELECT hash FROM source") == [("before",)]
    assert committed(path, "SELECT id FROM run") == [(1,)]


async def test_a_refused_change_fails_alone(journal: Journal, queries: Queries, told: Told) -> None:
    await journal.run_created(a_run(1))
    async with Gate(journal):
        good = [journal.run_created(a_run(2))]
        twice = journal.run_created(a_run(1), JobPatch("report", {"status": "STOPPED"}))
        good.append(journal.run_created(a_run(3)))
    with pytest.raises(StoreError, match="the database refused"):
        await twice
    await asyncio.gather(*good)
    assert [run.id for run in queries.runs()] == [3, 2, 1]
    assert queries.jobs() == []
    assert told.stalls == []


async def test_the_end_of_a_run_that_nobody_began_is_refused(journal: Journal, queries: Queries) -> None:
    with pytest.raises(StoreError, match="run 5 cannot go on"):
        await journal.run_finished(5, an_end(), JobPatch("report", {"status": "WAITING"}))
    assert queries.jobs() == []


async def test_a_run_that_has_ended_cannot_end_otherwise(journal: Journal, queries: Queries) -> None:
    await journal.run_created(a_run(1))
    await journal.run_finished(1, an_end(RunStatus.CANCELLED))
    with pytest.raises(StoreError, match="run 1 cannot go on"):
        await journal.run_finished(1, an_end(RunStatus.COMPLETE))
    with pytest.raises(StoreError, match="run 1 cannot go on"):
        await journal.run_started(RunStart(1, NOON))
    assert queries.run(1).status == "CANCELLED"  # type: ignore[union-attr]


async def test_a_log_line_that_is_refused_is_reported(
    journal: Journal, caplog: pytest.LogCaptureFixture
) -> None:
    line = LogLine(1, NOON, "info", "a")
    with caplog.at_level(logging.ERROR, "moontide.journal"):
        journal.log_lines(1, [line])
        journal.log_lines(1, [line])
        await journal.transact(lambda _: None)
    assert "a change was refused and is lost" in caplog.text


async def test_a_caller_that_gives_up_takes_nothing_back(journal: Journal, queries: Queries) -> None:
    async with Gate(journal):
        journal.run_created(a_run(1)).cancel()
        last = journal.run_created(a_run(2))
    await last
    assert [run.id for run in queries.runs()] == [2, 1]
    assert journal.waiting == 0


async def test_stopping_commits_all_that_waits(journal: Journal, queries: Queries) -> None:
    async with Gate(journal):
        waiting = [journal.run_created(a_run(n)) for n in range(1, 51)]
        stopping = asyncio.create_task(journal.stop())
        await asyncio.sleep(0)
    assert await stopping == 0
    await asyncio.gather(*waiting)
    assert len(queries.runs(limit=100)) == 50


async def test_what_one_turn_of_the_loop_brings_is_committed_together(journal: Journal) -> None:
    await journal.transact(lambda connection: None)
    before = journal.commits
    written = [journal.run_created(a_run(n)) for n in range(1, 51)]
    journal.log_lines(1, [LogLine(1, NOON, "info", "one of them")])
    await asyncio.gather(*written)
    assert journal.commits == before + 1


async def test_the_loop_is_woken_once_for_each_commit(
    journal: Journal, monkeypatch: pytest.MonkeyPatch
) -> None:
    await journal.run_created(a_run(1))
    loop, woken = asyncio.get_running_loop(), list[object]()
    call_soon_threadsafe = loop.call_soon_threadsafe

    def counted(callback: Any, *arguments: Any) -> asyncio.Handle:
        woken.append(callback)
        return call_soon_threadsafe(callback, *arguments)

    monkeypatch.setattr(loop, "call_soon_threadsafe", counted)
    before = journal.commits
    for number in range(2, 7):
        await journal.run_created(a_run(number))
    assert len(woken) == journal.commits - before == 5


async def test_what_came_in_the_turn_of_the_stop_is_committed(journal: Journal, queries: Queries) -> None:
    written = journal.run_created(a_run(1))
    assert await journal.stop() == 0
    assert written.done()
    assert [run.id for run in queries.runs(limit=10)] == [1]


async def test_a_stopped_journal_takes_nothing(journal: Journal) -> None:
    assert await journal.stop() == 0
    assert await journal.stop() == 0
    with pytest.raises(StoreUnavailable, match="stopping"):
        journal.run_created(a_run(1))


async def test_a_journal_that_never_started_can_be_stopped(database: Database, clock: ManualClock) -> None:
    told = Told()
    journal = Journal(database.writer, clock=clock, on_stalled=told.stalled, on_recovered=told.recovered)
    assert await journal.stop() == 0


@settings(max_examples=25, deadline=None)
@given(
    st.lists(
        st.builds(
            JobPatch,
            st.sampled_from("abc"),
            st.fixed_dictionaries(
                {},
                optional={
                    "status": st.sampled_from(["WAITING", "STOPPED"]),
                    "active": st.booleans(),
                    "error": st.none() | st.text(max_size=3, alphabet="xyz"),
                    "settings": st.none() | st.dictionaries(st.sampled_from("kl"), st.integers()),
                },
            ),
        ),
        max_size=8,
    )
)
def test_patches_of_a_batch_end_as_if_written_one_after_the_other(patches: list[JobPatch]) -> None:
    assert jobs_after([patches]) == jobs_after([[patch] for patch in patches])


def jobs_after(batches: list[list[JobPatch]]) -> object:
    database = open_database("sqlite://")
    with database.writer.connect() as connection:
        metadata.create_all(connection)
        for batch in batches:
            write(connection, [Changes(jobs=(patch,)) for patch in batch], NOON)
        rows = connection.execute(text("SELECT * FROM job ORDER BY name")).fetchall()
    database.close()
    return rows
