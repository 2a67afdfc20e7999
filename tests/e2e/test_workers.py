"""Runs carried to workers: real processes on a real PostgreSQL."""

from __future__ import annotations

import time
from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path
from statistics import quantiles

import msgspec
import pytest

from engine.store.migrations import HEAD
from tests.e2e.conftest import Home, Served, job
from tests.e2e.processes import until
from tests.e2e.workers import SECONDS, SLEEPS, Worker, at_work, remote_home, working
from tests.homebases import make_empty_homebase

VERSION = version("moontide")

pytestmark = pytest.mark.long

CANCELS = 40


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return remote_home(tmp_path)


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """An engine, for tests that leave it and its worker as they were."""
    home = remote_home(tmp_path_factory.mktemp("workers"))
    with home.serving() as served:
        yield served


@pytest.fixture(scope="module")
def north(engine: Served) -> Iterator[Worker]:
    with working(engine.home, "--name", "north", "--slots", "4") as worker:
        yield worker


def test_a_run_goes_to_a_worker_and_comes_back_whole(engine: Served, north: Worker, name: str) -> None:
    engine.home.write("lib/words", 'return { greeting = "hello" }')
    engine.add(
        name,
        job(
            'local words = require("lib.words")\n'
            'core.log(words.greeting .. " " .. run.data.who)\n'
            "job.save_info({ attempt = run.attempt })\n"
            "return job.OK, { got = run.data.who }"
        ),
    )
    run = engine.run(name, {"who": "moon"}, SECONDS)
    assert (run.status, run.returned, run.result) == ("COMPLETE", "OK", {"got": "moon"}), run.error
    assert (run.worker, run.info) == ("north", {"attempt": 1})
    assert list(run.modules or {}) == ["lib.words"]
    assert engine.log(run.id) == ["hello moon"]
    until(lambda: engine.home.base.rows("SELECT count(*) FROM remote_run") == [(0,)], SECONDS)
    assert engine.home.base.rows("SELECT count(*) FROM moontide_pgqueuer") == [(0,)]


def test_a_run_on_a_worker_reaches_documents_other_jobs_and_its_own_state(
    engine: Served, north: Worker, name: str
) -> None:
    engine.add(f"{name}_other", job("return job.OK, run.data"))
    engine.add(
        name,
        job(
            'local id = assert(core.data("notes"):save({ text = "tide" }))\n'
            'local note = assert(core.data("notes"):get(id))\n'
            f'local other = assert(core.jobs.now("{name}_other", {{ n = 7 }}))\n'
            "assert(job.persist({ seen = 3 }))\n"
            "local why, _, code = core.jobs.now('nobody')\n"
            "return job.OK, { text = note.text, other = other, why = why, code = code }"
        ),
    )
    run = engine.run(name, seconds=SECONDS)
    assert run.status == "COMPLETE", run.error
    assert run.result["text"] == "tide"
    assert run.result["code"] == 804
    other = engine.finished(run.result["other"], SECONDS)
    assert (other.called_by, other.result, other.worker) == (run.id, {"n": 7}, "north")
    assert engine.home.base.rows(f"SELECT value FROM job_state WHERE job = '{name}'") == [({"seen": 3},)]


def test_an_error_comes_back_with_its_traceback(engine: Served, north: Worker, name: str) -> None:
    engine.add(name, job('error("ebb")', 'on_error = "continue"'))
    run = engine.run(name, seconds=SECONDS)
    assert run.status == "ERROR"
    assert "ebb" in (run.error or "")
    assert f"{name}.lua:3" in (run.error or "")


def test_a_run_waits_and_says_why_until_a_worker_offers_what_its_job_asks_for(
    engine: Served, north: Worker, name: str
) -> None:
    engine.add(name, job("return job.OK", 'runs_on = { "gpu" }'))
    run_id = engine.client.run_job(name).id
    until(lambda: engine.client.run(run_id).wait == "no worker offers gpu", SECONDS)
    assert engine.client.run(run_id).status == "QUEUED"
    with working(engine.home, "--name", "south", "--tags", "eu,gpu"):
        run = engine.finished(run_id, SECONDS)
    assert (run.status, run.worker) == ("COMPLETE", "south")


def test_runs_that_wait_for_a_worker_keep_no_others_from_theirs(home: Home) -> None:
    home.settings('executor = "pgqueuer"\npool.size = 1\n')
    home.write("elsewhere", job("return job.OK", 'runs_on = "moon", overlap = "allow"'))
    home.write("here", job("return job.OK"))
    with home.serving() as served, working(home, "--name", "north"):
        waiting = [served.client.run_job("elsewhere").id for _ in range(3)]
        assert served.run("here", seconds=SECONDS).worker == "north"
        assert {served.client.run(one).status for one in waiting} == {"QUEUED"}
        assert any("pool.size = 1 limits nothing" in one for one in served.client.status().problems)


def test_a_run_that_waits_for_a_worker_is_cancelled_at_once(engine: Served, north: Worker, name: str) -> None:
    engine.add(name, job("return job.OK", 'runs_on = "moon"'))
    run_id = engine.client.run_job(name).id
    assert engine.client.cancel(run_id).status == "CANCELLED"
    assert engine.client.run(run_id).started is None


def test_a_cancelled_run_ends_on_its_worker(engine: Served, north: Worker, name: str) -> None:
    engine.add(name, job(SLEEPS))
    took = [cancelled_within(engine, at_work(engine, name, 60)) for _ in range(CANCELS)]
    cuts = quantiles(took, n=20)
    print(f"\ncancelled on a worker: p50 {cuts[9] * 1000:.0f} ms, p95 {cuts[18] * 1000:.0f} ms")


def cancelled_within(engine: Served, run_id: int) -> float:
    began = time.perf_counter()
    run = engine.client.cancel(run_id)
    took = time.perf_counter() - began
    assert (run.status, run.worker) == ("CANCELLED", "north")
    assert engine.home.base.rows(f"SELECT superseded FROM run WHERE id = {run_id}") == [(None,)]
    return took


def test_a_run_that_listens_is_asked_to_end_on_its_worker(engine: Served, north: Worker, name: str) -> None:
    engine.add(
        name,
        job(
            "job.stopping() core.log('at work')\n"
            "while not job.stopping() do core.sleep(0.05) end\n"
            'core.log("tidied up") return job.OK'
        ),
    )
    run = engine.client.cancel(at_work(engine, name, 0))
    assert (run.status, engine.log(run.id)[-1]) == ("CANCELLED", "tidied up")


def test_two_workers_share_runs(engine: Served, north: Worker, name: str) -> None:
    engine.add(name, job(SLEEPS, 'overlap = "allow"'))
    with working(engine.home, "--name", "south", "--slots", "2"):
        runs = [engine.client.run_job(name, data={"seconds": 60}).id for _ in range(6)]
        until(lambda: {engine.client.run(one).status for one in runs} == {"RUNNING"}, SECONDS)
        on = [engine.client.run(one).worker for one in runs]
        for one in runs:
            engine.client.cancel(one)
    assert sorted(map(str, on)) == ["north"] * 4 + ["south"] * 2


def test_a_worker_that_is_stopped_lets_its_run_end_and_takes_nothing_new(home: Home) -> None:
    home.write("rest", job(SLEEPS))
    with home.serving() as served:
        with working(home, "--name", "north") as worker:
            run_id = at_work(served, "rest", 2)
            worker.stop()
        assert served.client.run(run_id).status == "COMPLETE"
        waiting = served.client.run_job("rest", data={"seconds": 0}).id
        until(lambda: served.client.run(waiting).wait.startswith("no worker is there"), SECONDS)
        assert served.client.run(waiting).status == "QUEUED"


def test_an_engine_with_workers_needs_a_database_that_they_reach(tmp_path: Path) -> None:
    home = Home(tmp_path / "home", database="sqlite")
    home.settings('executor = "pgqueuer"\n')
    done = home.moontide("serve")
    assert done.code == 1
    assert "needs a database that other machines reach" in done.err


def test_a_worker_refuses_a_home_whose_executor_has_no_workers(home: Home) -> None:
    home.settings('executor = "local"\n')
    done = home.moontide("worker")
    assert done.code == 1
    assert 'executor = "local" has no workers of this kind' in done.err


def test_a_worker_says_in_the_log_of_a_run_which_plugin_it_lacks(home: Home) -> None:
    home.write("greets", job('core.log("begun") return job.OK, core.template.render("hello")'))
    with (
        home.serving() as served,
        working(home, "--name", "north", settings='plugins.disable = ["template"]'),
    ):
        run = served.run("greets", seconds=SECONDS)
        assert run.status == "ERROR"
        assert served.log(run.id) == [
            "worker north has no core.template: its plugin is not loaded there",
            "begun",
        ]


def test_a_worker_says_in_the_log_of_a_run_that_the_engine_has_another_version(home: Home) -> None:
    home.write("rest", job("return job.OK"))
    with home.serving() as served:
        run_id = served.client.run_job("rest").id
        until(lambda: home.base.rows("SELECT count(*) FROM remote_run") == [(1,)], SECONDS)
        [(request,)] = home.base.rows("SELECT request FROM remote_run")
        older = msgspec.msgpack.encode({**msgspec.msgpack.decode(request), "version": "0.0.1"})
        home.base.rows(f"UPDATE remote_run SET request = '\\x{older.hex()}'")
        with working(home, "--name", "north"):
            assert served.finished(run_id, SECONDS).status == "COMPLETE"
            [line] = served.log(run_id)
            assert line == f"worker north is Moontide {VERSION}, the engine is 0.0.1"


def test_a_worker_does_not_start_without_tables(home: Home) -> None:
    home.base = make_empty_homebase()
    empty = home.moontide("worker")
    assert (empty.code, "is empty; start an engine on it first" in empty.err) == (1, True)


def test_a_worker_does_not_start_on_tables_of_another_version(home: Home) -> None:
    with home.serving():
        home.base.rows("UPDATE alembic_version SET version_num = '0001'")
        done = home.moontide("worker")
        home.base.rows(f"UPDATE alembic_version SET version_num = '{HEAD}'")
    assert done.code == 1
    assert f"has tables of revision 0001, and this worker ({VERSION}) needs {HEAD}" in done.err
