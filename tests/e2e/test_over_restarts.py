"""What stays of a job over reloads, stops and kills of the engine."""

from __future__ import annotations

import re
import signal
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import pytest

from engine.views import JobView, RunView
from tests.e2e.conftest import Home, Served, job
from tests.e2e.processes import until

HOURLY = 'every = "1h"'

JOBS = {
    "waiting": job("return job.OK", HOURLY),
    "cron": job("return job.OK", 'cron = "@yearly"'),
    "sleeping": job("return job.SLEEP", HOURLY),
    "stopped": job("return job.STOP", HOURLY),
    "exited": job("return job.EXIT", HOURLY),
    "failed": job('error("no toys")', HOURLY),
    "off": job("return job.OK", HOURLY),
    "activated": job("return job.EXIT", HOURLY),
    "once": job("return job.OK", 'every = "1s", run_once = true'),
    "once_later": job("return job.OK", 'every = "1h", run_once = true'),
    "once_at_start": job("return job.OK", "run_once = true, run_at_start = true"),
    "at_start": job("return job.OK", 'every = "1h", run_at_start = true'),
    "on_demand": job("return job.OK"),
    "invalid": "local job = core.job {",
}


@dataclass(frozen=True, slots=True)
class Snapshot:
    """All jobs and their runs at one time, the oldest first."""

    jobs: dict[str, JobView]
    runs: dict[str, list[RunView]]


@dataclass(frozen=True, slots=True)
class Lives:
    """The same jobs before and after."""

    ran: Snapshot
    reloaded: Snapshot
    restarted: Snapshot


@pytest.fixture(scope="module", params=[signal.SIGTERM, signal.SIGKILL], ids=["stopped", "killed"])
def lives(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Lives:
    """Let jobs run, reload them, end the engine, start another."""
    home = Home(tmp_path_factory.mktemp("lives") / "home")
    for name, text in JOBS.items():
        home.write(name, text)
    with home.serving() as engine:
        _let_run(engine)
        ran = _look(engine)
        engine.client.reload()
        reloaded = _look(engine)
        # What follows is about a restart alone: the reload has revived this one.
        engine.run("stopped")
        if request.param is signal.SIGKILL:
            engine.kill()
    with home.serving() as engine:
        engine.ends("once", 2)
        engine.ends("once_at_start", 2)
        engine.ends("at_start", 2)
        restarted = _look(engine)
    return Lives(ran, reloaded, restarted)


def _let_run(engine: Served) -> None:
    for name in ("sleeping", "stopped", "exited", "failed", "activated"):
        engine.run(name)
    engine.client.deactivate("off")
    engine.client.activate("activated")
    for name in ("once", "once_at_start", "at_start"):
        engine.ends(name, 1)
    until(lambda: engine.client.status().running == 0)


def _look(engine: Served) -> Snapshot:
    jobs = {view.name: view for view in engine.client.jobs()}
    return Snapshot(jobs, {name: engine.client.runs(job=name)[::-1] for name in jobs})


@pytest.mark.parametrize("name", ["waiting", "cron", "once_later", "at_start"])
def test_the_remaining_time_is_kept(lives: Lives, name: str) -> None:
    due = lives.ran.jobs[name].next_run
    assert due is not None
    assert lives.reloaded.jobs[name].next_run == due


@pytest.mark.parametrize("name", ["waiting", "cron", "at_start"])
def test_the_remaining_time_is_kept_over_a_restart(lives: Lives, name: str) -> None:
    assert lives.restarted.jobs[name].next_run == lives.ran.jobs[name].next_run


def test_sleep_is_kept(lives: Lives) -> None:
    due = lives.ran.jobs["sleeping"].next_run
    assert due is not None
    for snapshot in (lives.ran, lives.reloaded, lives.restarted):
        assert (snapshot.jobs["sleeping"].status, snapshot.jobs["sleeping"].next_run) == ("SLEEPING", due)


def test_stop_is_revived_by_a_reload_and_by_a_restart(lives: Lives) -> None:
    statuses = [snapshot.jobs["stopped"].status for snapshot in (lives.ran, lives.reloaded, lives.restarted)]
    assert statuses == ["STOPPED", "WAITING", "WAITING"]
    assert lives.restarted.runs["stopped"][-1].returned == "STOP"


@pytest.mark.parametrize("name", ["exited", "failed", "off"])
def test_inactive_stays_inactive(lives: Lives, name: str) -> None:
    for snapshot in (lives.ran, lives.reloaded, lives.restarted):
        view = snapshot.jobs[name]
        assert (view.status, view.active, view.next_run) == ("INACTIVE", False, None)
    assert lives.restarted.jobs[name].reason == lives.ran.jobs[name].reason


def test_an_error_is_kept(lives: Lives) -> None:
    error = lives.ran.jobs["failed"].error
    assert error is not None
    assert "no toys" in error
    assert lives.reloaded.jobs["failed"].error == lives.restarted.jobs["failed"].error == error


def test_a_job_activated_by_a_person_is_back_with_the_reload(lives: Lives) -> None:
    assert lives.ran.jobs["activated"].status == "INACTIVE"
    assert lives.reloaded.jobs["activated"].status == "WAITING"
    assert lives.restarted.jobs["activated"].next_run == lives.reloaded.jobs["activated"].next_run


def test_run_once_runs_once_for_each_start_and_not_for_a_reload(lives: Lives) -> None:
    for name in ("once", "once_at_start"):
        assert lives.ran.jobs[name].status == lives.reloaded.jobs[name].status == "ONCE DONE"
        assert [run.id for run in lives.reloaded.runs[name]] == [run.id for run in lives.ran.runs[name]]
        assert [run.session for run in lives.restarted.runs[name]] == [1, 2]


def test_run_once_counts_its_interval_from_each_start(lives: Lives) -> None:
    first, second = lives.ran.jobs["once_later"], lives.restarted.jobs["once_later"]
    assert first.status == second.status == "ONCE"
    assert first.next_run is not None
    assert second.next_run is not None
    assert second.next_run > first.next_run
    assert lives.restarted.runs["once_later"] == []


def test_run_at_start_runs_at_each_start_and_not_at_a_reload(lives: Lives) -> None:
    assert [run.trigger for run in lives.reloaded.runs["at_start"]] == ["start"]
    assert [(run.trigger, run.session) for run in lives.restarted.runs["at_start"]] == [
        ("start", 1),
        ("start", 2),
    ]


def test_a_bad_file_is_invalid_each_time(lives: Lives) -> None:
    for snapshot in (lives.ran, lives.reloaded, lives.restarted):
        assert snapshot.jobs["invalid"].status == "INVALID"


def test_runs_stay_as_they_were(lives: Lives) -> None:
    for name, runs in lives.ran.runs.items():
        assert lives.restarted.runs[name][: len(runs)] == runs


def test_missed_times_are_told_and_not_caught_up(home: Home) -> None:
    home.write("tick", job("return job.OK", 'every = "1s"'))
    with home.serving() as engine:
        last = engine.ends("tick", 1)[-1]
    until(lambda: datetime.now(UTC) > last.due + timedelta(seconds=4))
    with home.serving() as engine:
        until(lambda: any(run.session == 2 for run in engine.ends("tick", 2)))
        runs = [run for run in engine.ends("tick", 2) if run.session == 2]
        engine.stop()
        missed = re.search(r"job tick missed (\d+) runs", engine.output)
    assert missed is not None
    assert int(missed[1]) >= 3, missed[0]
    seconds = [(run.due - last.due).total_seconds() for run in runs]
    assert seconds[0] >= 4
    assert all(one == int(one) for one in seconds)
    assert {run.trigger for run in runs} == {"schedule"}
