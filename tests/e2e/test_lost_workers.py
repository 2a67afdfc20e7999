"""Workers that are lost: killed, frozen, or cut off from the database."""

from __future__ import annotations

from pathlib import Path

import pytest
from sqlalchemy.engine import make_url

from engine.views import RunView
from tests.e2e.conftest import Home, job
from tests.e2e.processes import until
from tests.e2e.workers import SECONDS, SLEEPS, at_work, remote_home, working
from tests.faults.cutter import before

pytestmark = pytest.mark.long

#: A worker is given up 15 s after its last heartbeat.
LOST_SECONDS = 90


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return remote_home(tmp_path)


def test_a_worker_that_is_killed_loses_its_run_to_another_try_elsewhere(home: Home) -> None:
    home.write("rest", job(SLEEPS, 'retries = 1, retry_delay = "1s"'))
    home.write("once", job(SLEEPS, 'every = "1h"'))
    with home.serving() as served, working(home, "--name", "north") as north:
        retried, lost = at_work(served, "rest", 1), at_work(served, "once", 600)
        north.kill()
        with working(home, "--name", "south"):
            for run_id in (retried, lost):
                assert_lost(served.finished(run_id, LOST_SECONDS))
            again = served.ends("rest", 2, SECONDS)[-1]
    assert (again.status, again.worker, again.rescheduled_from) == ("COMPLETE", "south", retried)


def assert_lost(run: RunView) -> None:
    assert run.status == "CRASHED", run.error
    assert "worker north was lost: no sign of life for" in (run.error or "")


def test_the_loss_of_a_worker_is_none_of_the_jobs_doing(home: Home) -> None:
    home.write("once", job(SLEEPS, 'every = "1h"'))
    with home.serving() as served, working(home, "--name", "north") as north:
        run_id = at_work(served, "once", 600)
        north.kill()
        assert_lost(served.finished(run_id, LOST_SECONDS))
        assert served.client.job("once").status == "WAITING"


def test_a_worker_that_wakes_up_late_is_refused_and_what_it_says_is_kept(home: Home) -> None:
    home.write(
        "late", job('core.log("at work") core.sleep(1) core.data("late"):save({ n = 1 }) return job.OK')
    )
    with home.serving() as served, working(home, "--name", "north") as north:
        run_id = at_work(served, "late", 0)
        north.freeze()
        assert_lost(served.finished(run_id, LOST_SECONDS))
        north.thaw()
        until(lambda: bool(served.client.run(run_id).superseded), SECONDS)
        run = served.client.run(run_id)
        assert_lost(run)
        [late] = run.superseded or []
        assert late["worker"] == "north"
        assert home.base.rows("SELECT count(*) FROM document") == [(0,)]
        assert served.run("late", seconds=SECONDS).status == "COMPLETE"


def test_a_worker_that_is_cut_off_is_refused_and_goes_on_when_it_is_back(home: Home) -> None:
    home.write("rest", job(SLEEPS))
    address = make_url(home.base.url)
    assert address.port is not None
    with home.serving() as served, before(address.port) as cutter:
        through = address.set(port=cutter.port).render_as_string(hide_password=False)
        with working(home, "--name", "north", MOONTIDE_DATABASE=through):
            run_id = at_work(served, "rest", 600)
            cutter.die()
            assert_lost(served.finished(run_id, LOST_SECONDS))
            cutter.live()
            until(lambda: bool(served.client.run(run_id).superseded), SECONDS)
            assert served.run("rest", {"seconds": 0}, LOST_SECONDS).worker == "north"
            assert_lost(served.client.run(run_id))


def test_a_short_cut_between_worker_and_database_costs_no_run(home: Home) -> None:
    home.write("rest", job(SLEEPS))
    address = make_url(home.base.url)
    assert address.port is not None
    with home.serving() as served, before(address.port) as cutter:
        through = address.set(port=cutter.port).render_as_string(hide_password=False)
        with working(home, "--name", "north", MOONTIDE_DATABASE=through):
            for _ in range(3):
                run_id = at_work(served, "rest", 1)
                cutter.die()
                cutter.live()
                run = served.finished(run_id, LOST_SECONDS)
                assert (run.status, run.superseded) == ("COMPLETE", None), run.error
