"""Jobs that choose when they are due next."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from tests.e2e.conftest import Home, Served, job
from tests.e2e.processes import until

CHOOSE = "local ok, why = job.next(run.data.time) return job.OK, { ok = ok, why = why or '' }"
AGAIN = 'if run.trigger == "manual" then assert(job:next(run.data.time)) end return job.OK'


def test_a_run_brings_its_next_due_time_forward(shared: Served, name: str) -> None:
    before = shared.add(name, job(CHOOSE, 'every = "1h"'))
    run = shared.run(name, {"time": "10m"})
    after = shared.client.job(name)
    assert run.result == {"ok": True, "why": ""}
    assert run.started is not None
    assert before.next_run is not None
    assert after.next_run is not None
    assert after.next_run < before.next_run
    assert timedelta(0) <= after.next_run - run.started - timedelta(minutes=10) < timedelta(seconds=10)
    assert "job.next" in after.reason


@pytest.mark.parametrize(
    ("time", "words"),
    [("2h", "before that"), ("2020-01-01T00:00:00", "not in the future"), (0, "not in the future")],
)
def test_a_time_that_is_past_or_later_is_refused_with_the_reason(
    shared: Served, name: str, time: object, words: str
) -> None:
    before = shared.add(name, job(CHOOSE, 'every = "1h"'))
    run = shared.run(name, {"time": time})
    assert run.result["ok"] is False
    assert words in run.result["why"]
    assert shared.client.job(name).next_run == before.next_run


@pytest.mark.parametrize("time", ["soon", "", 1e300, "2026-13-01T00:00:00", {}])
def test_what_is_no_time_is_an_error(shared: Served, name: str, time: object) -> None:
    body = "local ok, problem, code = job.next(run.data.time) return job.OK, { ok == nil, code, problem }"
    shared.add(name, job(body, 'every = "1h"'))
    result = shared.run(name, {"time": time}).result
    assert result[:2] == [True, 801]
    assert "job.next: time must be" in result[2]


def test_a_text_without_offset_counts_in_the_jobs_zone(shared: Served, name: str) -> None:
    shared.add(name, job(CHOOSE, 'every = "1d", timezone = "Asia/Tokyo"'))
    moment = datetime.now(UTC).replace(microsecond=0) + timedelta(minutes=5)
    text = (moment + timedelta(hours=9)).strftime("%Y-%m-%dT%H:%M:%S")
    assert shared.run(name, {"time": text}).result["ok"] is True
    assert shared.client.job(name).next_run == moment


def test_the_chosen_time_survives_the_engine(home: Home) -> None:
    home.write("again", job(AGAIN, 'every = "1h"'))
    with home.serving() as engine:
        engine.run("again", {"time": "10m"})
        chosen = engine.client.job("again").next_run
        engine.kill()
    with home.serving() as engine:
        assert engine.client.job("again").next_run == chosen


def test_the_job_runs_at_the_chosen_time_and_then_by_its_schedule(shared: Served, name: str) -> None:
    shared.add(name, job(AGAIN, 'every = "1h"'))
    shared.run(name, {"time": "0.3s"})
    second = shared.ends(name, 2)[1]
    assert second.trigger == "schedule"
    until(lambda: shared.client.job(name).next_run == second.due + timedelta(hours=1))


def test_a_job_without_a_schedule_can_call_itself_again(shared: Served, name: str) -> None:
    shared.add(name, job(AGAIN))
    shared.run(name, {"time": "0.3s"})
    assert [run.trigger for run in shared.ends(name, 2)] == ["manual", "schedule"]
    assert shared.client.job(name).next_run is None


def test_a_job_that_stopped_has_no_next_time(shared: Served, name: str) -> None:
    body = "if run.data.time then job.save_info({ job.next(run.data.time) }) end return job.STOP"
    shared.add(name, job(body, 'every = "1h"'))
    shared.run(name)
    info = shared.run(name, {"time": "1m"}).info
    assert info[0] is False
    assert "STOPPED" in info[1]
