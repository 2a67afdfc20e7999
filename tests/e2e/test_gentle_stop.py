"""Runs that are asked to come to their end before they are ended."""

from __future__ import annotations

import signal
import time

import pytest

from engine.views import RunView
from tests.e2e.conftest import Home, Served, job
from tests.e2e.processes import until

WALKS = """
local page = 0
core.log("up")
while not job.stopping() do page = page + 1 core.sleep(0.01) end
job.save_state({ page = page })
core.log("left at a good place")
return job.OK, "clean"
"""
SLEEPS = """
core.log("up")
local slept, why = core.sleep(600)
return job.OK, { slept = slept, why = why }
"""
STUBBORN = 'core.log("up") job.stopping() while true do end'
DEAF = 'core.log("up") while true do end'


def under_way(engine: Served, name: str) -> RunView:
    """Start a run of a job and return it once its code runs."""
    run = engine.client.run_job(name)
    until(lambda: engine.log(run.id))
    return run


@pytest.fixture
def quick(home: Home) -> Home:
    home.settings('engine.stop_grace = "1s"\nengine.stop_after = "20s"\n')
    return home


def test_a_run_that_asks_leaves_at_a_good_place_and_keeps_its_state(shared: Served, name: str) -> None:
    shared.add(name, job(WALKS, 'every = "1h"'))
    run = under_way(shared, name)
    ended = shared.client.cancel(run.id)
    assert (ended.status, ended.returned, ended.result) == ("CANCELLED", "OK", "clean")
    assert ended.error is not None
    assert "cancelled by tester@here" in ended.error
    assert shared.log(run.id)[-1] == "left at a good place"
    assert shared.client.states.show(name).value["page"] >= 0
    assert shared.client.job(name).status == "WAITING"


def test_a_sleep_ends_at_once_with_false_and_the_reason(shared: Served, name: str) -> None:
    shared.add(name, job(SLEEPS))
    ended = shared.client.cancel(under_way(shared, name).id)
    assert ended.status == "CANCELLED"
    assert ended.result["slept"] is False
    assert "cancelled by tester@here" in ended.result["why"]


def test_only_one_sleep_is_cut_short(quick: Home) -> None:
    quick.write("sleeps", job('core.log("up") while true do core.log(tostring(core.sleep(60))) end'))
    with quick.serving() as engine:
        ended = engine.client.cancel(under_way(engine, "sleeps").id)
        assert engine.log(ended.id) == ["up", "false"]
    assert ended.status == "CANCELLED"
    assert "stopped after 1 s" in (ended.error or "")


def test_a_run_that_listens_and_does_not_end_is_ended_after_its_time(quick: Home) -> None:
    quick.write("stubborn", job(STUBBORN, 'every = "1h"'))
    with quick.serving() as engine:
        run = under_way(engine, "stubborn")
        began = time.monotonic()
        ended = engine.client.cancel(run.id)
        assert time.monotonic() - began >= 1
        assert engine.client.job("stubborn").status == "WAITING"
    assert ended.status == "CANCELLED"
    assert "it was asked to end by itself, and was stopped after 1 s" in (ended.error or "")


@pytest.mark.parametrize("body", [STUBBORN, WALKS])
def test_now_leaves_no_time(shared: Served, name: str, body: str) -> None:
    shared.add(name, job(body))
    run = under_way(shared, name)
    done = shared.home.moontide("cancel", str(run.id), "--now")
    assert (done.code, done.out) == (0, f"run {run.id} of {name} is CANCELLED\n")
    assert "stopped after" not in (shared.client.run(run.id).error or "")
    assert shared.client.run(run.id).returned is None


def test_a_run_that_never_asks_is_ended_at_once(home: Home) -> None:
    home.settings('engine.stop_grace = "60s"\n')
    home.write("deaf", job(DEAF))
    with home.serving() as engine:
        began = time.monotonic()
        assert engine.client.cancel(under_way(engine, "deaf").id).status == "CANCELLED"
        assert time.monotonic() - began < 30


def test_an_error_after_the_request_is_not_the_jobs_failure(shared: Served, name: str) -> None:
    body = 'core.log("up") while not job.stopping() do end error("half-way")'
    shared.add(name, job(body, 'every = "1h", retries = 3'))
    ended = shared.client.cancel(under_way(shared, name).id)
    assert ended.status == "CANCELLED"
    assert "half-way" in (ended.error or "")
    assert (shared.client.job(name).active, shared.client.job(name).error) == (True, None)


def test_a_stop_of_the_engine_asks_its_runs(quick: Home) -> None:
    for name, body in {"walks": WALKS, "sleeps": SLEEPS}.items():
        quick.write(name, job(body))
    with quick.serving() as engine:
        runs = [under_way(engine, name) for name in ("walks", "sleeps")]
        began = time.monotonic()
        engine.stop(signal.SIGTERM)
        assert time.monotonic() - began < 20
    with quick.serving() as engine:
        ended = [engine.client.run(run.id) for run in runs]
        assert [run.status for run in ended] == ["CANCELLED", "CANCELLED"]
        assert all("the engine was stopped" in (run.error or "") for run in ended)
        assert engine.client.states.show("walks").value is not None


def test_the_run_that_replaces_another_waits_for_its_end(shared: Served, name: str) -> None:
    shared.add(name, job(WALKS, 'every = "1s", overlap = "replace"'))
    first, second = shared.ends(name, 2)
    assert (first.status, first.result) == ("CANCELLED", "clean")
    assert "replaced by a later run" in (first.error or "")
    assert second.started is not None
    assert first.finished is not None
    assert second.started >= first.finished
    shared.client.deactivate(name)
    for run in shared.client.runs(job=name):
        if run.finished is None:
            shared.client.cancel(run.id, now=True)
