"""Problems that a run tells of without ending, runs that ask for another try, and quarantine."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator

import pytest

from engine.states import RunStatus
from engine.views import RunView
from tests.e2e.conftest import Home, Served, job
from tests.e2e.processes import until

QUICK = 'retry_delay = "0.1s", retry_jitter = 0, retry_backoff = 1'


def test_a_warning_is_listed_and_the_run_is_complete(shared: Served, name: str) -> None:
    shared.add(name, job('job.warn("STOCK-LOW", "%s: %d left, 5%% of all", "bear", 3) return job.OK'))
    run = shared.run(name)
    assert (run.status, run.error) == ("COMPLETE", None)
    assert run.problems == [{"level": "warn", "code": "STOCK-LOW", "text": "bear: 3 left, 5% of all"}]
    assert shared.log(run.id) == ["STOCK-LOW: bear: 3 left, 5% of all"]


def test_an_error_is_listed_the_code_runs_on_and_the_run_fails(shared: Served, name: str) -> None:
    body = 'job.err("NO-FILE") job:err(803, "100% lost") core.log("went on") return job.OK, 7'
    shared.add(name, job(body))
    run = shared.run(name)
    assert (run.status, run.returned, run.result) == ("ERROR", "OK", 7)
    assert run.error == "job.err: NO-FILE (and 1 more)"
    assert [(one["level"], one["code"], one["text"]) for one in run.problems or []] == [
        ("error", "NO-FILE", ""),
        ("error", "803", "100% lost"),
    ]
    assert "went on" in shared.log(run.id)
    assert (shared.client.job(name).status, shared.client.job(name).error) == ("INACTIVE", run.error)


def test_an_error_that_is_told_is_tried_again_as_any(shared: Served, name: str) -> None:
    body = 'if run.attempt == 1 then job.err("EARLY", "not yet") end return job.OK'
    shared.add(name, job(body, f"retries = 1, {QUICK}"))
    shared.client.run_job(name)
    assert [run.status for run in shared.ends(name, 2)] == ["ERROR", "COMPLETE"]
    assert shared.client.job(name).status == "WAITING"


def test_a_failure_of_the_code_itself_is_told_first(shared: Served, name: str) -> None:
    shared.add(name, job('job.warn("W") job.err("E") error("boom")'))
    run = shared.run(name)
    assert run.status == "ERROR"
    assert "boom" in (run.error or "")
    assert [one["code"] for one in run.problems or []] == ["W", "E"]


def test_more_problems_than_are_listed_are_refused_and_still_count(shared: Served, name: str) -> None:
    body = """
    for i = 1, 100 do assert(job.warn("W" .. i)) end
    local ok, problem = job.err("LAST", "one too many")
    return job.OK, problem
    """
    shared.add(name, job(body))
    run = shared.run(name)
    assert (run.status, len(run.problems or [])) == ("ERROR", 100)
    assert "100 are listed already" in run.result
    assert run.error == "job.err: LAST: one too many"


@pytest.mark.parametrize("call", ["job.warn()", "job.warn('')", "job.err({})", "job.err('A', {})"])
def test_a_problem_without_a_code_is_refused(shared: Served, name: str, call: str) -> None:
    shared.add(name, job(f"local ok, problem, code = {call} return job.OK, {{ ok == nil, problem, code }}"))
    run = shared.run(name)
    assert run.status == "COMPLETE"
    assert run.result[0] is True
    assert run.result[2] in (801, 804)


# job.RETRY


def chain(engine: Served, name: str, count: int) -> list[RunView]:
    """Return so many attempts of one run, which must follow each other."""
    runs = engine.ends(name, count)
    assert [run.rescheduled_from for run in runs] == [None, *(run.id for run in runs[:-1])]
    assert [run.attempt for run in runs] == list(range(1, count + 1))
    return runs


def test_retry_makes_another_attempt_with_the_same_data(shared: Served, name: str) -> None:
    body = 'if run.attempt < 3 then return job.RETRY, "0.2s" end return job.OK, run.data.shop'
    shared.add(name, job(body, 'retries = 2, retry_delay = "1h"'))
    shared.client.run_job(name, data={"shop": 3})
    first, second, third = chain(shared, name, 3)
    assert (first.status, first.returned) == ("ERROR", "RETRY")
    assert first.error == "job.RETRY returned; tried again in 200 ms"
    assert first.finished is not None
    assert (second.due - first.finished).total_seconds() == pytest.approx(0.2)
    assert (third.status, third.result, third.data) == ("COMPLETE", 3, {"shop": 3})
    job_view = shared.client.job(name)
    assert (job_view.status, job_view.error) == ("WAITING", None)


def test_retry_without_a_delay_waits_as_after_a_failure(shared: Served, name: str) -> None:
    shared.add(
        name, job("if run.attempt == 1 then return job.RETRY end return job.OK", f"retries = 1, {QUICK}")
    )
    shared.client.run_job(name)
    first, second = chain(shared, name, 2)
    assert first.finished is not None
    assert (second.due - first.finished).total_seconds() == pytest.approx(0.1)


def test_retry_with_no_retries_left_is_a_failure_as_any(shared: Served, name: str) -> None:
    shared.add(name, job("return job.RETRY"))
    run = shared.run(name)
    assert run.error == "job.RETRY returned, but no retries are left: retries = 0 in core.job"
    view = shared.client.job(name)
    assert (view.status, view.active, view.reason) == ("INACTIVE", False, run.error)


def test_state_stays_for_the_next_attempt(shared: Served, name: str) -> None:
    body = """
    local page = (job.get_state() or 0) + 1
    job.save_state(page)
    if page < 3 then return job.RETRY, 0.1 end
    return job.OK, page
    """
    shared.add(name, job(body, 'retries = "unlimited"'))
    shared.client.run_job(name)
    assert chain(shared, name, 3)[-1].result == 3
    assert shared.client.states.show(name).value is None


@pytest.mark.parametrize("delay", ['"soon"', "{}", "print", "0", "-1", "true", '"31d"'])
def test_a_delay_that_is_none_is_a_bad_return(shared: Served, name: str, delay: str) -> None:
    shared.add(name, job(f"return job.RETRY, {delay}", 'retries = 3, retry_delay = "1h"'))
    run = shared.run(name)
    assert (run.status, run.returned) == ("ERROR", None)
    assert "job.RETRY with a delay that cannot be used" in (run.error or "")


def test_a_planned_retry_survives_the_engine(home: Home) -> None:
    home.write(
        "slow", job('if run.attempt == 1 then return job.RETRY, "2s" end return job.OK', "retries = 1")
    )
    with home.serving() as engine:
        engine.run("slow")
        engine.kill()
    with home.serving() as engine:
        assert chain(engine, "slow", 2)[-1].status == "COMPLETE"


# Quarantine


@pytest.fixture
def engine_of_one(home: Home) -> Iterator[Served]:
    home.settings("pool.size = 1\nsandbox.warm = 0\n")
    with home.serving() as served:
        yield served


def crash(engine: Served, name: str, attempt: int) -> RunView:
    """Kill the worker of a job's attempt, and return the run once it has ended."""
    until(lambda: [run for run in engine.client.runs(job=name) if run.attempt == attempt])
    run = next(run for run in engine.client.runs(job=name) if run.attempt == attempt)
    until(lambda: engine.log(run.id))
    for worker in engine.workers():
        os.kill(worker.pid, signal.SIGKILL)
    return engine.finished(run.id)


@pytest.mark.parametrize("on_error", ["deactivate", "continue"])
def test_a_run_that_crashed_its_worker_three_times_puts_its_job_into_quarantine(
    engine_of_one: Served, on_error: str
) -> None:
    settings = f'retries = "unlimited", on_error = "{on_error}", {QUICK}'
    engine = engine_of_one
    engine.add("bad", job('core.log("up") while true do end', settings))
    engine.client.run_job("bad")
    assert [crash(engine, "bad", attempt).status for attempt in (1, 2, 3)] == ["CRASHED"] * 3
    until(lambda: engine.client.job("bad").status == "INACTIVE")
    view = engine.client.job("bad")
    assert "quarantine" in view.reason
    assert "worker crashed" in (view.error or "")
    assert engine.client.runs(job="bad", status=RunStatus.PLANNED) == []
    until(lambda: {alert.kind for alert in engine.client.alerts.list()} == {"failing", "quarantined"})
    told = engine.home.moontide("alerts")
    assert "quarantined" in told.out
    assert "three attempts of one run crashed their worker; mend the job" in told.out
    engine.client.activate("bad")
    engine.client.reload("bad")
    assert engine.client.job("bad").status == "WAITING"
    until(lambda: {alert.kind for alert in engine.client.alerts.list()} == {"failing"})


def test_crashes_are_counted_over_a_restart_and_other_failures_are_not(home: Home) -> None:
    body = """
    core.log("up")
    if run.attempt == 2 then error("an ordinary failure") end
    while true do end
    """
    home.write("bad", job(body, f'retries = "unlimited", {QUICK.replace("0.1s", "1s")}'))
    home.settings("sandbox.warm = 0\n")
    with home.serving() as engine:
        engine.client.run_job("bad")
        crash(engine, "bad", 1)
        engine.ends("bad", 2)
        crash(engine, "bad", 3)
        assert engine.client.job("bad").active
        engine.kill()
    with home.serving() as engine:
        crash(engine, "bad", 4)
        until(lambda: "quarantine" in engine.client.job("bad").reason)
