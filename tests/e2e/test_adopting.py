"""Runs on workers whose engine dies or ends: the next engine goes on with them."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

import pytest

from engine.errors import EngineUnreachable
from tests.e2e.conftest import Home, Served, job
from tests.e2e.processes import until
from tests.e2e.workers import Worker, working
from tests.homebases import POSTGRESQL

pytestmark = pytest.mark.long

#: A machine under load needs a while for what takes milliseconds.
SECONDS = 90

#: Goes on until the worker's folder has the file that its data names.
WAITS = """
core.log("begun")
while not core.files.exists(run.data.gate) do core.sleep(0.05) end
core.log("let go")
return job.OK, run.data
"""


def home_in(path: Path, executor: str = "pgqueuer") -> Home:
    home = Home(path, database=POSTGRESQL)
    furnish(home, executor)
    return home


def furnish(home: Home, executor: str = "pgqueuer") -> None:
    home.settings(f'executor = "{executor}"\npool.size = 0\n')
    home.write("waits", job(WAITS, 'on_error = "continue"'))


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return home_in(tmp_path / "home")


def let_go(worker: Worker, gate: str = "gate") -> None:
    """Let runs come to their end that wait for a file."""
    (worker.path / "files").mkdir(exist_ok=True)
    (worker.path / "files" / gate).touch()


def leads(served: Served) -> bool:
    """Return whether an engine serves by itself; one that stands by finds nobody to ask for a while."""
    with suppress(EngineUnreachable):
        status = served.client.status()
        return status.state == "Running" and status.pid == served.process.pid
    return False


def begun(served: Served, name: str = "waits") -> int:
    """Return a run that is under way on a worker, with the first line of its log on record."""
    run_id = served.client.run_job(name, data={"gate": "gate"}).id
    until(lambda: served.log(run_id) == ["begun"], SECONDS)
    return run_id


def assert_whole(served: Served, run_id: int) -> None:
    """Check that a run ended well, once, with each line of its log once."""
    run = served.finished(run_id, SECONDS)
    assert (run.status, run.result, run.superseded) == ("COMPLETE", {"gate": "gate"}, None), run.error
    assert served.log(run_id) == ["begun", "let go"]
    assert (run.attempt, run.worker) == (1, "north")


def test_the_next_engine_goes_on_with_runs_of_one_that_was_killed(home: Home) -> None:
    with home.serving() as first, working(home, "--name", "north") as north:
        run_id = begun(first)
        before = first.client.run(run_id)
        first.kill()
        with home.serving() as second:
            assert second.client.run(run_id).status == "RUNNING"
            let_go(north)
            assert_whole(second, run_id)
            assert second.client.run(run_id).started == before.started
            assert home.base.rows("SELECT count(*) FROM remote_run") == [(0,)]
            assert len(second.client.runs(job="waits")) == 1


def test_an_engine_that_stood_by_goes_on_with_them(home: Home, tmp_path: Path) -> None:
    other = Home(tmp_path / "other")
    other.base = home.base
    furnish(other)
    with home.serving() as first, working(home, "--name", "north") as north:
        run_id = begun(first)
        second = other.start()
        try:
            standing = "SELECT count(*) FROM node WHERE state = 'standby'"
            until(lambda: home.base.rows(standing) == [(1,)], SECONDS)
            first.kill()
            until(lambda: leads(second), SECONDS)
            let_go(north)
            assert_whole(second, run_id)
            second.stop()
        finally:
            second.end()


def test_what_ends_on_a_worker_while_no_engine_is_there_is_not_lost(home: Home) -> None:
    with home.serving() as first, working(home, "--name", "north") as north:
        run_id = begun(first)
        first.kill()
        let_go(north)
        ended = f"SELECT state FROM remote_run WHERE run_id = {run_id}"
        until(lambda: home.base.rows(ended) == [("over",)], SECONDS)
        with home.serving() as second:
            assert_whole(second, run_id)


def test_an_engine_that_is_stopped_leaves_its_runs_on_workers_to_the_next_one(home: Home) -> None:
    home.write("elsewhere", job("return job.OK", 'runs_on = "gpu"'))
    with home.serving() as first, working(home, "--name", "north") as north:
        under_way = begun(first)
        waiting = first.client.run_job("elsewhere").id
        first.stop()
        with home.serving() as second:
            assert second.client.run(under_way).status == "RUNNING"
            assert second.client.run(waiting).status == "QUEUED"
            let_go(north)
            assert_whole(second, under_way)
            with working(home, "--name", "south", "--tags", "gpu"):
                assert second.finished(waiting, SECONDS).worker == "south"


def test_a_run_that_the_next_engine_cannot_read_is_crashed_and_keeps_it_from_nothing(home: Home) -> None:
    home.write("other", job(WAITS))
    with home.serving() as first, working(home, "--name", "north") as north:
        damaged, whole = begun(first, "other"), begun(first)
        first.kill()
        home.base.rows(f"UPDATE remote_run SET request = '\\xc1ff' WHERE run_id = {damaged}")
        with home.serving() as second:
            let_go(north)
            assert_whole(second, whole)
            run = second.client.run(damaged)
            assert (run.status, run.log_lines) == ("CRASHED", 1)
            assert "cannot go on with a run of an earlier one" in (run.error or "")
            late = f"SELECT superseded IS NOT NULL FROM run WHERE id = {damaged}"
            until(lambda: home.base.rows(late) == [(True,)], SECONDS)


def test_a_run_that_is_gone_on_with_is_cancelled_as_any_other(home: Home) -> None:
    with home.serving() as first, working(home, "--name", "north"):
        run_id = begun(first)
        first.kill()
        with home.serving() as second:
            run = second.client.cancel(run_id)
            assert (run.status, run.superseded) == ("CANCELLED", None)


def test_a_run_that_is_gone_on_with_keeps_others_of_its_job_waiting(home: Home) -> None:
    with home.serving() as first, working(home, "--name", "north") as north:
        run_id = begun(first)
        first.kill()
        with home.serving() as second:
            later = second.client.run_job("waits", data={"gate": "gate"}).id
            assert second.client.run(later).wait == "number 1 in line: another run of the job goes on"
            let_go(north)
            assert_whole(second, run_id)
            assert second.finished(later, SECONDS).status == "COMPLETE"


def test_a_run_that_is_gone_on_with_is_tried_again_when_it_fails(home: Home) -> None:
    body = WAITS.replace("return", "error('ebb') --")
    home.write("fails", job(body, 'retries = 1, retry_delay = "1s"'))
    with home.serving() as first, working(home, "--name", "north") as north:
        run_id = begun(first, "fails")
        first.kill()
        with home.serving() as second:
            let_go(north)
            one, two = second.ends("fails", 2, SECONDS)
    assert (one.id, one.status, one.attempt) == (run_id, "ERROR", 1)
    assert (two.rescheduled_from, two.trigger, two.attempt) == (run_id, "retry", 2)


def test_the_next_engine_answers_what_a_run_asks_while_none_is_there(home: Home) -> None:
    asks = WAITS.replace("return job.OK", 'return job.OK, assert(core.jobs.now("other")) --')
    home.write("asks", job(asks))
    home.write("other", job("return job.OK"))
    with home.serving() as first, working(home, "--name", "north") as north:
        run_id = begun(first, "asks")
        first.kill()
        let_go(north)
        asked = f"SELECT calls FROM remote_run WHERE run_id = {run_id}"
        until(lambda: home.base.rows(asked) == [(1,)], SECONDS)
        with home.serving() as second:
            run = second.finished(run_id, SECONDS)
            assert run.status == "COMPLETE", run.error
            [other] = second.ends("other", 1, SECONDS)
            assert (other.id, other.called_by) == (run.result, run_id)


def test_an_engine_without_workers_closes_what_they_have_as_crashed(home: Home) -> None:
    with home.serving() as first, working(home, "--name", "north") as north:
        run_id = begun(first)
        first.kill()
        furnish(home, "local")
        with home.serving() as second:
            run = second.client.run(run_id)
            assert (run.status, run.error) == ("CRASHED", "the engine ended while this run was under way")
            let_go(north)
            until(lambda: bool(second.client.run(run_id).superseded), SECONDS)
            assert second.client.run(run_id).status == "CRASHED"
