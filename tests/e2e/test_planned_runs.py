"""Runs for a time to come, in real engines that are killed, and at the command line."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from tests.e2e.conftest import Home, job
from tests.e2e.processes import until

ECHO = job("return job.OK, run.data")
PLANS = job('return job.OK, { core.jobs.after(run.data, "echo", { from = run.id }) }')

pytestmark = pytest.mark.both_databases


def planned(home: Home) -> list[Any]:
    found: list[Any] = home.moontide("runs", "--status", "planned", "--json").json
    return found


def test_a_planned_run_survives_a_kill_and_runs_once(home: Home) -> None:
    home.write("echo", ECHO)
    home.write("plans", PLANS)
    with home.serving() as engine:
        plans = engine.run("plans", "2s")
        run_id = plans.result[0]
        engine.kill()
    with home.serving() as engine:
        run = engine.finished(run_id)
        assert (run.status, run.trigger, run.result) == ("COMPLETE", "call", {"from": plans.id})
        assert run.called_by == plans.id
        assert run.started is not None
        assert run.started >= run.due
        engine.kill()
    with home.serving() as engine:
        assert [one.id for one in engine.client.runs(job="echo")] == [run_id]
        assert planned(home) == []


def test_operators_list_and_cancel_planned_runs(home: Home) -> None:
    home.write("echo", ECHO)
    home.write("plans", PLANS)
    with home.serving() as engine:
        run_id = engine.run("plans", "1h").result[0]
        (view,) = planned(home)
        assert (view["id"], view["job"], view["status"]) == (run_id, "echo", "PLANNED")
        assert datetime.fromisoformat(view["due"]) > datetime.now(UTC)
        assert f"{run_id}\techo\tPLANNED" in home.moontide("runs", "--status", "planned").out
        assert home.moontide("cancel", str(run_id)).out == f"run {run_id} of echo is CANCELLED\n"
        assert planned(home) == []
        assert home.moontide("cancel", str(run_id)).code == 1
        until(lambda: engine.client.run(run_id).status == "CANCELLED")


def test_a_file_that_runs_without_an_engine_is_told_so(home: Home) -> None:
    path = home.write("alone", job('return job.OK, { select(2, core.jobs.now("alone")) }'))
    result = home.moontide("run", str(path))
    assert result.code == 0
    assert '["no engine is running",810]' in result.out
