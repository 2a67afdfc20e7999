"""Due times that make no run, or a run later: blackouts, and what passed while no engine ran."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from tests.e2e.conftest import Home, job
from tests.e2e.processes import until
from tests.e2e.test_slot_ledger import slots, wait_seconds

ALWAYS = 'blackout = { "00:00-12:00", "12:00-24:00" }'


def missed(home: Home, name: str) -> list[Any]:
    return [slot for slot in slots(home, name) if slot["fate"] == "missed"]


def test_a_due_time_in_a_blackout_makes_no_run(home: Home) -> None:
    home.settings('[blackouts]\nalways = ["00:00-12:00", "12:00-24:00"]\n')
    home.write("quiet", job("return job.OK", 'every = "1s", blackout = "blackout.always"'))
    home.write("once", job("return job.OK", f'every = "1s", run_once = true, {ALWAYS}'))
    with home.serving() as engine:
        until(lambda: sum(slot["count"] for slot in slots(home, "quiet")) >= 2)
        slot = slots(home, "quiet")[0]
        assert (slot["fate"], slot["cause"]) == ("skipped", "blackout")
        assert slot["reason"].startswith("the blackout ")
        assert "no run: the blackout" in home.moontide("next", "quiet", "--count", "1").out
        assert engine.client.job("once").status == "ONCE"
        assert engine.run("quiet").status == "COMPLETE"
        assert len(engine.client.runs()) == 1


def test_a_blackout_that_does_not_exist_makes_the_file_invalid(home: Home) -> None:
    home.write("a", job("return job.OK", 'every = "1s", blackout = "blackout.never"'))
    with home.serving() as engine:
        view = engine.client.job("a")
        assert view.status == "INVALID"
        assert "no blackout is called 'never' in [blackouts]" in view.reason


def test_one_run_makes_up_for_all_that_passed_without_an_engine(home: Home) -> None:
    home.write("tick", job("return job.OK", 'every = "1s", run_skipped = true'))
    home.write("not", job("return job.OK", 'every = "1s"'))
    home.write("dark", job("return job.OK", f'every = "1s", run_skipped = true, {ALWAYS}'))
    with home.serving() as engine:
        engine.ends("tick", 1)
        engine.kill()
    wait_seconds(3)
    with home.serving() as engine:
        until(lambda: [run for run in engine.ends("tick", 1) if run.trigger == "missed"])
        (made_up,) = [run for run in engine.client.runs(job="tick") if run.trigger == "missed"]
        (slot,) = missed(home, "tick")
        assert (slot["run"], slot["count"] >= 3) == (made_up.id, True)
        assert datetime.fromisoformat(slot["last_due"]) == made_up.due
        assert f"run {made_up.id} made up for it" in home.moontide("why", "tick", slot["last_due"]).out
        for name in ("not", "dark"):
            assert [slot["run"] for slot in missed(home, name)] == [None]
            assert {run.trigger for run in engine.client.runs(job=name)} <= {"schedule"}


def test_a_job_that_missed_nothing_has_nothing_made_up_for(home: Home) -> None:
    home.write("hourly", job("return job.OK", 'every = "1h", run_skipped = true'))
    for _ in range(2):
        with home.serving() as engine:
            due = engine.client.job("hourly").next_run
            assert due is not None
            assert due > datetime.now(UTC) + timedelta(minutes=50)
            assert engine.client.runs() == []
