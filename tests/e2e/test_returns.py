"""What a run returns, and what is found when a run is due."""

from __future__ import annotations

from datetime import timedelta

import pytest

from engine.views import JobView
from tests.e2e.conftest import Served, job
from tests.e2e.processes import until

HOURLY = 'every = "1h"'
GOOD = job("return job.OK", HOURLY)


def test_ok_leaves_the_job_on_its_schedule(shared: Served, name: str) -> None:
    before = shared.add(name, job("return job.OK, { sum = 1 + 2 }", HOURLY))
    run = shared.run(name)
    after = shared.client.job(name)
    assert (run.status, run.returned, run.result, run.error) == ("COMPLETE", "OK", {"sum": 3}, None)
    assert (after.status, after.active, after.next_run) == ("WAITING", True, before.next_run)


def test_sleep_runs_the_job_again_24_hours_after_the_start_of_its_run(shared: Served, name: str) -> None:
    shared.add(name, job('core.sleep(0.5) return job.SLEEP, "zzz"', HOURLY))
    run = shared.run(name)
    after = shared.client.job(name)
    assert (run.status, run.returned, run.result) == ("COMPLETE", "SLEEP", "zzz")
    assert run.started is not None
    assert after.next_run == run.started + timedelta(hours=24)
    assert (after.status, after.active) == ("SLEEPING", True)


def test_stop_waits_for_a_reload_and_stays_active(shared: Served, name: str) -> None:
    shared.add(name, job("return job.STOP", HOURLY))
    assert shared.run(name).returned == "STOP"
    stopped = shared.client.job(name)
    assert (stopped.status, stopped.active, stopped.next_run) == ("STOPPED", True, None)
    view = shared.client.reload(name)
    assert view.revived == [name]
    assert _waits(shared.client.job(name))


def test_exit_deactivates_and_a_reload_alone_does_not_help(shared: Served, name: str) -> None:
    shared.add(name, job("return job.EXIT", HOURLY))
    run = shared.run(name)
    assert (run.status, run.returned, run.error) == ("COMPLETE", "EXIT", None)
    assert _is_off(shared.client.job(name))
    shared.client.reload(name)
    assert _is_off(shared.client.job(name))


def test_activating_an_inactive_job_is_not_enough_a_reload_follows(shared: Served, name: str) -> None:
    shared.add(name, job("return job.EXIT", 'every = "1s"'))
    shared.ends(name, 1)
    until(lambda: shared.client.job(name).status == "INACTIVE")
    activated = shared.client.activate(name)
    assert (activated.status, activated.active, activated.next_run) == ("INACTIVE", True, None)
    assert "reload" in activated.reason
    view = shared.client.reload(name)
    assert view.revived == [name]
    assert _waits(shared.client.job(name))
    assert len(shared.ends(name, 2)) >= 2


@pytest.mark.parametrize(
    "value",
    [
        "nil",
        "",
        "true",
        "false",
        '"OK"',
        "1",
        "0",
        "{}",
        "job",
        "job.Ok",
        "job.run",
        "run",
        "nil, job.OK",
        "'job.OK'",
    ],
)
def test_any_other_return_deactivates_with_the_error_kept(shared: Served, name: str, value: str) -> None:
    shared.add(name, job(f"do return {value} end", HOURLY))
    run = shared.run(name)
    after = shared.client.job(name)
    assert (run.status, run.returned) == ("ERROR", None)
    assert run.error is not None
    assert "job.OK" in run.error
    assert _is_off(after)
    assert after.error == run.error


def test_an_error_deactivates_with_place_and_traceback_kept(shared: Served, name: str) -> None:
    shared.add(name, job('local function deep() error("no toys") end\ndeep()', HOURLY))
    run = shared.run(name)
    after = shared.client.job(name)
    assert run.status == "ERROR"
    assert run.error is not None
    first, *traceback = run.error.splitlines()
    assert f"{name}.lua:3: no toys" in first
    assert any(f"{name}.lua:4" in line for line in traceback)
    assert _is_off(after)
    assert (after.error, after.reason) == (run.error, first)


@pytest.mark.parametrize(
    "thrown", ["nil", "{}", "{ code = 7 }", "42", "setmetatable({}, { __tostring = error })"]
)
def test_whatever_is_thrown_is_an_error_in_words(shared: Served, name: str, thrown: str) -> None:
    shared.add(name, job(f"error({thrown})", HOURLY))
    run = shared.run(name)
    assert run.status == "ERROR"
    assert run.error
    assert _is_off(shared.client.job(name))


def test_an_error_is_shown_until_the_next_good_run(shared: Served, name: str) -> None:
    shared.add(name, job('assert(run.data.good, "no good") return job.OK', HOURLY))
    assert shared.run(name).status == "ERROR"
    shared.client.activate(name)
    shared.client.reload(name)
    assert "no good" in (shared.client.job(name).error or "")
    shared.run(name, {"good": True})
    assert shared.client.job(name).error is None


FOUND_WHEN_DUE = {
    "a syntax error": "local job = core.job {",
    "no run": "local job = core.job()\nreturn job\n",
    "an error outside of run": 'error("broken")',
    "no return of the job": "local job = core.job()\nfunction job.run() return job.OK end\n",
    "a return of something else": "local job = core.job()\nfunction job.run() return job.OK end\nreturn 5\n",
    "nothing": "",
    "text of another encoding": b"-- caf\xe9\n" + GOOD.encode(),
}


@pytest.mark.parametrize("text", FOUND_WHEN_DUE.values(), ids=FOUND_WHEN_DUE.keys())
def test_a_file_broken_after_its_load_is_found_when_due(shared: Served, name: str, text: str | bytes) -> None:
    shared.add(name, GOOD)
    shared.home.write(name, text)
    run = shared.run(name)
    after = shared.client.job(name)
    assert (run.status, run.returned) == ("ERROR", None)
    assert run.error
    assert _is_off(after)
    assert after.error == run.error


def test_a_file_gone_after_its_load_is_found_when_due(shared: Served, name: str) -> None:
    shared.add(name, job("return job.OK", 'every = "1s"'))
    (shared.home.jobs / f"{name}.lua").unlink()
    run = shared.ends(name, 1)[-1]
    until(lambda: shared.client.job(name).status == "INACTIVE")
    after = shared.client.job(name)
    assert run.status == "ERROR"
    assert "missing" in (run.error or "")
    assert (after.error, after.active) == (run.error, False)


def test_a_broken_job_leaves_all_others_alone(shared: Served, name: str) -> None:
    other = shared.add(f"{name}/other", GOOD)
    shared.add(f"{name}/bad", job('error("x")', HOURLY))
    shared.home.write(f"{name}/invalid", "local job = core.job {")
    shared.client.reload(f"{name}/invalid")
    shared.run(f"{name}/bad")
    assert shared.client.job(f"{name}/invalid").status == "INVALID"
    assert shared.client.job(f"{name}/other") == other
    assert shared.run(f"{name}/other").status == "COMPLETE"


def test_an_invalid_job_is_good_after_the_reload_that_finds_it_good(shared: Served, name: str) -> None:
    invalid = shared.add(name, "local job = core.job {\n\n")
    assert (invalid.status, invalid.next_run) == ("INVALID", None)
    assert f"{name}.lua:" in invalid.reason
    shared.home.write(name, GOOD)
    assert shared.client.job(name).status == "INVALID"
    shared.client.reload(name)
    assert _waits(shared.client.job(name))
    assert shared.client.job(name).error is None


def test_a_run_is_of_the_text_that_the_file_has_at_that_time(shared: Served, name: str) -> None:
    shared.add(name, job("return job.OK, 1"))
    first = shared.run(name)
    shared.home.write(name, job("return job.OK, 2"))
    second = shared.run(name)
    assert (first.result, second.result) == (1, 2)
    assert first.source_hash != second.source_hash


def test_settings_change_at_a_reload_only(shared: Served, name: str) -> None:
    shared.add(name, GOOD)
    shared.home.write(name, job("return job.OK, 2", 'every = "2h"'))
    assert shared.run(name).result == 2
    assert shared.client.job(name).schedule == "every 1h"
    shared.client.reload(name)
    assert shared.client.job(name).schedule == "every 2h"


def test_a_job_without_a_schedule_runs_on_demand_only(shared: Served, name: str) -> None:
    view = shared.add(name, "local job = core.job()\nfunction job.run() return job.OK end\nreturn job\n")
    assert (view.status, view.schedule, view.next_run) == ("WAITING", "on demand", None)
    assert shared.run(name).status == "COMPLETE"


def test_a_job_inactive_in_its_file_does_not_run_by_itself(shared: Served, name: str) -> None:
    view = shared.add(name, job("return job.OK", 'every = "1s", active = false'))
    assert (view.status, view.active, view.next_run) == ("INACTIVE", False, None)


def _waits(view: JobView) -> bool:
    return view.status == "WAITING" and view.active and view.next_run is not None


def _is_off(view: JobView) -> bool:
    return view.status == "INACTIVE" and not view.active and view.next_run is None
