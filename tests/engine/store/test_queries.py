from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest
from sqlalchemy import event
from sqlalchemy.exc import StatementError

from engine.run import LogLine
from engine.states import RunStatus
from engine.store.database import Database
from engine.store.journal import Journal
from engine.store.queries import Queries
from engine.store.rows import JobPatch, SourceRow
from engine.views import LogLineView
from tests.engine.store.conftest import NOON, a_run, an_end


@pytest.fixture
async def history(journal: Journal) -> None:
    """Runs 1 to 6, of `report` and `other` in turn; the last two go on, the others are over."""
    for number in range(1, 7):
        await journal.run_created(a_run(number, job="other" if number % 2 else "report"))
    for number, status in enumerate(("COMPLETE", "COMPLETE", "ERROR", "TIMEOUT"), 1):
        await journal.run_finished(number, an_end(RunStatus(status)))


def ids(queries: Queries, **chosen: object) -> list[int]:
    return [run.id for run in queries.runs(**chosen)]  # type: ignore[arg-type]


@pytest.mark.usefixtures("history")
def test_runs_come_newest_first_and_in_pages(queries: Queries) -> None:
    assert ids(queries) == [6, 5, 4, 3, 2, 1]
    assert ids(queries, limit=4) == [6, 5, 4, 3]
    assert ids(queries, before_id=3, limit=4) == [2, 1]


@pytest.mark.usefixtures("history")
def test_runs_can_be_chosen_by_job_and_status(queries: Queries) -> None:
    assert ids(queries, job="report") == [6, 4, 2]
    assert ids(queries, status=RunStatus.COMPLETE) == [2, 1]
    assert ids(queries, job="report", status=RunStatus.RUNNING, before_id=100) == [6]
    assert ids(queries, job="nobody") == []


@pytest.mark.usefixtures("history")
def test_a_jobs_last_run_is_its_newest(queries: Queries) -> None:
    assert queries.last_run("other").id == 5  # type: ignore[union-attr]
    assert queries.last_run("nobody") is None
    assert queries.run(99) is None


@pytest.mark.usefixtures("history")
@pytest.mark.parametrize(
    "chosen", [{}, {"job": "report"}, {"status": RunStatus.COMPLETE}, {"job": "report", "before_id": 5}]
)
def test_a_page_of_runs_costs_one_statement_and_no_sorting(
    database: Database, queries: Queries, chosen: dict[str, object]
) -> None:
    statements: list[tuple[str, object]] = []
    event.listen(
        database.reader,
        "before_cursor_execute",
        lambda c, cursor, sql, values, *_: statements.append((sql, values)),
    )
    queries.runs(**chosen)  # type: ignore[arg-type]
    assert len(statements) == 1
    sql, values = statements[0]
    with database.reader.connect() as connection:
        plan = str(connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {sql}", values).fetchall())
    assert "TEMP B-TREE" not in plan
    assert "INDEX" in plan or "PRIMARY KEY" in plan or "SCAN run" in plan


async def test_a_log_comes_in_order_and_in_pages(journal: Journal, queries: Queries) -> None:
    for number in (2, 1, 3):
        journal.log_lines(1, [LogLine(number, NOON, "info", f"line {number}")])
    journal.log_lines(2, [LogLine(1, NOON, "info", "of another run")])
    await journal.transact(lambda _: None)
    assert [line.text for line in queries.log(1)] == ["line 1", "line 2", "line 3"]
    assert queries.log(1, after=1, limit=1) == [LogLineView(2, NOON, "info", "line 2")]


async def test_times_come_back_aware_and_in_utc(journal: Journal, queries: Queries) -> None:
    berlin = datetime(2025, 6, 1, 14, 30, 15, 123456, timezone(timedelta(hours=2)))
    await journal.job_changed([JobPatch("a", {"next_due": berlin})])
    due = queries.jobs()[0].next_due
    assert due == berlin
    assert due is not None
    assert due.tzinfo is UTC


async def test_a_time_without_zone_is_refused(journal: Journal) -> None:
    naive = datetime(2025, 6, 1)  # noqa: DTZ001
    with pytest.raises(Exception, match="has no time zone") as caught:
        await journal.job_changed([JobPatch("a", {"next_due": naive})])
    assert not isinstance(caught.value, StatementError)


async def test_a_source_is_found_by_its_hash(journal: Journal, queries: Queries) -> None:
    await journal.run_created(a_run(1), sources=(SourceRow("abc", "-- é\nreturn"),))
    assert queries.source("abc") == "-- é\nreturn"
    assert queries.source("abd") is None


async def test_whole_numbers_of_64_bits_survive(journal: Journal, queries: Queries) -> None:
    await journal.run_created(a_run(2**62, data={"n": 2**63 - 1}, user_id=-(2**63)))
    run = queries.run(2**62)
    assert run is not None
    assert (run.data, run.user_id) == ({"n": 2**63 - 1}, -(2**63))


async def test_rows_of_some_jobs_can_be_read_alone(journal: Journal, queries: Queries) -> None:
    await journal.job_changed([JobPatch(name, {"status": "WAITING"}) for name in ("a", "b", "c")])
    assert [job.name for job in queries.jobs({"c", "a", "unknown"})] == ["a", "c"]
