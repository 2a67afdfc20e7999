"""An executor of a distribution of its own, built and installed as users do: Celery on a real Redis."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path

import pytest

from tests.e2e.conftest import START_SECONDS, STOP_SECONDS, Home, Served, job
from tests.e2e.installed import EXAMPLES, REPOSITORY, carry_out, install
from tests.e2e.processes import until
from tests.e2e.workers import Worker
from tests.services import OwnServer, own_redis, own_server

pytestmark = pytest.mark.long

EXAMPLE = EXAMPLES / "moontide-celery"

NAP = """
core.log.info("napping")
core.sleep(type(run.data) == "number" and run.data or 60)
return job.OK, "slept"
"""

_queues = count(1)


@pytest.fixture(scope="module")
def programs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The programs of a fresh environment that has Moontide, the example and pytest."""
    return install(tmp_path_factory.mktemp("celery"), REPOSITORY, EXAMPLE, also=("pytest>=9.0",))


@pytest.fixture(scope="module")
def redis() -> Iterator[OwnServer]:
    with own_server(own_redis, "redis-server") as server:
        yield server


@pytest.fixture
def home(tmp_path: Path, database_kind: str, programs: Path, redis: OwnServer) -> Home:
    """The home of an engine whose runs Celery carries, on queues of this test alone."""
    home = Home(tmp_path / "home", str(programs / "moontide"), database=database_kind)
    home.settings(f'executor = "celery"\n{table(redis.server.port)}')
    return home


def table(port: int) -> str:
    """Return the settings of engine and worker."""
    broker, queue = f"redis://127.0.0.1:{port}/0", f"tide{next(_queues)}"
    return f'[celery]\nbroker = "{broker}"\nqueue = "{queue}"\nsilence_seconds = 5\n'


class CeleryWorker(Worker):
    """One `moontide celery worker` with a home folder of its own."""

    def __init__(self, home: Home, *options: str, settings: str = "") -> None:
        """Start it with the engine's table [celery]; it may not be ready yet."""
        self.path = home.path.parent / f"worker{next(_queues)}"
        (self.path / "jobs" / "lib").mkdir(parents=True)
        shared = (home.path / "moontide.toml").read_text("utf-8").partition("\n")[2]
        (self.path / "moontide.toml").write_text(settings + shared, "utf-8")
        with self.out.open("ab") as out, self.err.open("ab") as err:
            self.process = subprocess.Popen(
                [home.program, "--home", str(self.path), "celery", "worker", *options],
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=err,
                env=home.environment(),
            )


@contextmanager
def working(home: Home, *options: str, settings: str = "") -> Iterator[CeleryWorker]:
    """Give a worker that takes runs; it is stopped as an operator does."""
    worker = CeleryWorker(home, *options, settings=settings)
    try:
        worker.wait_ready()
        yield worker
        if worker.process.poll() is None:
            worker.stop()
    finally:
        if worker.process.poll() is None:
            worker.thaw()
            worker.kill()


def begun(engine: Served, run_id: int) -> bool:
    return "napping" in engine.log(run_id)


def test_the_tests_of_the_example_pass_where_it_is_installed(programs: Path, tmp_path: Path) -> None:
    tests = tmp_path / "tests"
    tests.mkdir()
    for file in (EXAMPLE / "tests").glob("*.py"):
        (tests / file.name).write_text(file.read_text("utf-8"), "utf-8")
    assert "6 passed" in carry_out(str(programs / "python"), "-m", "pytest", "-q", cwd=tmp_path)


def test_a_run_goes_to_a_worker_and_its_log_and_end_come_back(home: Home) -> None:
    home.write("greet", job('core.log.info("moin", run.data) return job.OK, { n = run.id, text = "ä" }'))
    home.write("broken", job('core.log.warn("before") error("no moon")', 'on_error = "continue"'))
    with home.serving() as engine, working(home, "--name", "w1"):
        greeted, broken = engine.run("greet", "ebb"), engine.run("broken")
        lines = engine.log(greeted.id)
    assert (greeted.status, greeted.returned) == ("COMPLETE", "OK")
    assert greeted.result == {"n": greeted.id, "text": "ä"}
    assert lines == ["begun by Celery worker w1", "moin ebb"]
    assert broken.status == "ERROR"
    assert "no moon" in (broken.error or "")


def test_library_modules_come_from_the_workers_own_jobs_folder(home: Home) -> None:
    home.write("lib/tide", 'return { name = "the engine\'s" }')
    home.write("ask", job('return job.OK, require("lib.tide").name'))
    with home.serving() as engine, working(home) as worker:
        (worker.path / "jobs" / "lib" / "tide.lua").write_text('return { name = "the worker\'s" }', "utf-8")
        assert engine.run("ask").result == "the worker's"


def test_what_needs_the_engine_is_refused_in_words(home: Home) -> None:
    body = (
        'local _, data = core.data("x"):save({ a = 1 })\nlocal _, jobs = core.jobs.now("greet")\n'
        "local _, kept = job.save_state({ a = 1 })\nreturn job.OK, { data, jobs, kept }"
    )
    home.write("ask", job(body))
    with home.serving() as engine, working(home):
        words = engine.run("ask").result
    assert words[0] == "core.data is not to be had here: this run is carried out apart from the engine"
    assert "no engine" in words[1]
    assert words[2].startswith("job.state is not to be had here")


def test_a_run_waits_for_a_worker_that_offers_its_tags(home: Home) -> None:
    home.write("paint", job("return job.OK", 'runs_on = { "gpu" }'))
    with home.serving() as engine, working(home, "--name", "plain"):
        asked = engine.client.run_job("paint")
        with working(home, "--name", "bright", "--tags", "eu,gpu"):
            done = engine.finished(asked.id)
            assert engine.log(done.id) == ["begun by Celery worker bright"]


def test_a_cancelled_run_is_stopped_on_its_worker(home: Home) -> None:
    home.write("nap", job(NAP))
    with home.serving() as engine, working(home, "--slots", "1"):
        napping = engine.client.run_job("nap")
        until(lambda: begun(engine, napping.id))
        engine.client.cancel(napping.id)
        cancelled = engine.finished(napping.id)
        # The only slot is free again.
        assert engine.run("nap", 0.01).result == "slept"
    assert cancelled.status == "CANCELLED"


def test_a_cancelled_run_that_no_worker_took_is_not_begun_later(home: Home) -> None:
    home.write("nap", job(NAP))
    home.write("greet", job("return job.OK"))
    with home.serving() as engine, working(home, "--slots", "1"):
        first = engine.client.run_job("nap")
        until(lambda: begun(engine, first.id))
        home.write("second", job('core.log.info("begun") return job.OK'))
        engine.client.reload("second")
        second = engine.client.run_job("second")
        until(lambda: engine.client.run(second.id).status == "RUNNING")
        engine.client.cancel(second.id)
        assert engine.finished(second.id).status == "CANCELLED"
        engine.client.cancel(first.id)
        engine.run("greet")
        assert engine.log(second.id) == []


def test_the_run_of_a_worker_that_dies_is_crashed_and_its_job_goes_on(home: Home) -> None:
    home.write("nap", job(NAP, 'every = "1h"'))
    with home.serving() as engine, working(home) as worker:
        napping = engine.client.run_job("nap")
        until(lambda: begun(engine, napping.id))
        worker.kill()
        crashed = engine.finished(napping.id, 30)
        assert crashed.status == "CRASHED"
        assert "has said nothing for 5 s" in (crashed.error or "")
        assert engine.client.job("nap").status == "WAITING"


def test_the_end_of_a_worker_that_wakes_up_late_does_not_count(home: Home) -> None:
    home.write("nap", job(NAP))
    home.write("greet", job("return job.OK"))
    with home.serving() as engine, working(home) as worker:
        napping = engine.client.run_job("nap", data=2)
        until(lambda: begun(engine, napping.id))
        worker.freeze()
        crashed = engine.finished(napping.id, 30)
        worker.thaw()
        until(lambda: "given up ended on a worker" in engine.complaints, 30)
        assert engine.run("greet").status == "COMPLETE"
        assert engine.client.run(napping.id) == crashed
    assert crashed.status == "CRASHED"


def test_runs_go_on_by_themselves_after_the_broker_was_restarted(home: Home, redis: OwnServer) -> None:
    home.write("nap", job(NAP))
    with home.serving() as engine, working(home):
        napping = engine.client.run_job("nap", data=4)
        until(lambda: begun(engine, napping.id))
        redis.stop()
        redis.start()
        over = engine.finished(napping.id, 40)
        assert (over.status, over.result) == ("COMPLETE", "slept")
        assert engine.run("nap", 0.01, seconds=40).result == "slept"


def test_a_stopped_worker_lets_its_runs_end_and_then_stops_them(home: Home) -> None:
    home.write("nap", job(NAP))
    with home.serving() as engine, working(home, settings='engine.stop_after = "2s"\n') as worker:
        short, long = engine.client.run_job("nap", data=1), None
        home.write("long", job(NAP))
        engine.client.reload("long")
        long = engine.client.run_job("long")
        until(lambda: begun(engine, short.id) and begun(engine, long.id))
        worker.stop()
        ends = [engine.finished(one.id) for one in (short, long)]
    assert [end.status for end in ends] == ["COMPLETE", "CANCELLED"]
    assert ends[1].error == "the worker was stopped"


def test_an_engine_whose_broker_is_not_there_does_not_start_and_says_why(home: Home) -> None:
    home.settings('executor = "celery"\n[celery]\nbroker = "redis://:geheim@127.0.0.1:1/0"\n')
    engine = home.start()
    try:
        assert engine.process.wait(START_SECONDS) == 1
        assert "the broker of Celery cannot be reached" in engine.complaints
        assert "geheim" not in engine.complaints + engine.output
    finally:
        engine.end()


def test_a_worker_without_a_broker_says_what_is_missing(home: Home) -> None:
    home.settings("")
    worker = CeleryWorker(home)
    assert worker.process.wait(STOP_SECONDS) == 1
    assert 'name the broker in moontide.toml: [celery] broker = "redis' in worker.complaints
