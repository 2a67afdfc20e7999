"""No planned time disappears: what operators learn of each, from a real engine."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime, timedelta
from typing import Any

from tests.e2e.conftest import Home, Served, job
from tests.e2e.processes import until

TICK = job("return job.OK", 'every = "1s"')
SLOW = job("core.sleep(2.2) return job.OK", 'every = "1s", overlap = "skip"')
STOPS = job("return job.STOP", 'every = "1s"')


def slots(home: Home, name: str) -> list[Any]:
    """Return the ledger, the oldest time first."""
    found: list[Any] = home.moontide("slots", name, "--limit", "10000", "--json").json
    return found[::-1]


def times(ledger: list[Any]) -> list[datetime]:
    """Return every planned time of an interval of a second that the ledger accounts for."""
    found = []
    for slot in ledger:
        first = datetime.fromisoformat(slot["due"])
        found += [first + timedelta(seconds=n) for n in range(slot["count"])]
        assert found[-1] == datetime.fromisoformat(slot["last_due"])
    return found


def wait_seconds(seconds: float) -> None:
    """Let due times pass."""
    end = datetime.now(UTC) + timedelta(seconds=seconds)
    until(lambda: datetime.now(UTC) > end)


def fates(ledger: list[Any]) -> Counter[tuple[str, str | None]]:
    return Counter((slot["fate"], slot["cause"]) for slot in ledger)


def test_each_time_ends_in_exactly_one_entry_over_kills_and_stops(home: Home) -> None:
    home.write("tick", TICK)
    home.write("slow", SLOW)
    for end in (Served.kill, Served.stop):
        with home.serving() as engine:
            engine.ends("slow", len(engine.client.runs(job="slow")) + 1)
            end(engine)
        wait_seconds(2)
    with home.serving() as engine:
        engine.ends("slow", len(engine.client.runs(job="slow")) + 1)
        for name in ("tick", "slow"):
            ledger = slots(home, name)
            found = times(ledger)
            assert found == [found[0] + timedelta(seconds=n) for n in range(len(found))]
            assert fates(ledger)["missed", "down"] == 2
        assert fates(slots(home, "slow"))["skipped", "overlap"] >= 2


def test_why_tells_what_became_of_a_time(home: Home) -> None:
    home.write("tick", job("return job.OK", 'every = "1s", timezone = "Europe/Berlin"'))
    with home.serving() as engine:
        run = engine.ends("tick", 1)[0]
        at = run.due.replace(microsecond=0)
        told = home.moontide("why", "tick", at.isoformat())
        assert told.code == 0, told.err
        assert f": run {run.id} started" in told.out
        assert "CET" in told.out
        late = home.moontide("why", "tick", "+2h", "--json").json
        assert [slot["fate"] for slot in late["found"]] == ["planned"]
        never = home.moontide("why", "tick", "2001-01-01T00:00").out
        assert "no time was planned at 2001-01-01 00:00:00 CET" in never
        assert f"run {run.id}" in never


def test_a_job_that_stops_gives_its_times_up_with_the_reason(home: Home) -> None:
    home.write("stops", STOPS)
    with home.serving() as engine:
        until(lambda: engine.client.job("stops").status == "STOPPED")
        given_up = slots(home, "stops")[-1]
        assert (given_up["fate"], given_up["cause"], given_up["count"]) == ("skipped", "state", None)
        assert "job.STOP returned" in given_up["reason"]


def test_a_changed_schedule_supersedes_what_was_planned(home: Home) -> None:
    home.write("report", job("return job.OK", 'every = "1h"'))
    with home.serving() as engine:
        due = engine.client.job("report").next_run
        engine.add("report", job("return job.OK", 'every = "2h"'))
        (slot,) = engine.client.ledger.slots("report")
        assert (slot.fate, slot.cause, slot.due) == ("superseded", "schedule", due)


def test_a_job_that_is_gone_leaves_its_ledger(home: Home) -> None:
    path = home.write("report", job("return job.OK", 'every = "1h"'))
    with home.serving() as engine:
        path.unlink()
        engine.client.reload()
        (slot,) = engine.client.ledger.slots("report")
        assert slot.reason == "the job's file was removed"
        assert home.moontide("slots", "report").code == 0
        unknown = home.moontide("slots", "never")
        assert (unknown.code, "no job named 'never'" in unknown.err) == (1, True)


def test_a_job_removed_while_no_engine_ran_leaves_its_last_planned_time(home: Home) -> None:
    path = home.write("report", job("return job.OK", 'every = "1h"'))
    with home.serving() as engine:
        due = engine.client.job("report").next_run
        engine.kill()
    path.unlink()
    for _ in range(2):
        with home.serving() as engine:
            (slot,) = engine.client.ledger.slots("report")
            assert (slot.due, slot.fate, slot.reason) == (due, "skipped", "the job's file was removed")


def test_times_of_given_schedules_are_in_the_ledger(home: Home) -> None:
    home.write("report", job("return job.OK"))
    with home.serving() as engine:
        given = engine.client.schedule_job("report", delay="0s")
        run = engine.finished(given.last_run_id or 0)
        (slot,) = engine.client.ledger.slots("report")
        assert (slot.due, slot.run, slot.reason) == (run.due, run.id, f"schedule {given.id}")
        why = home.moontide("why", "report", run.due.isoformat())
        assert (why.code, f"schedule {given.id}" in why.out) == (0, True)


def test_wrong_times_are_refused_with_examples(home: Home) -> None:
    home.write("report", job("return job.OK", 'every = "1h"'))
    with home.serving():
        for wrong in ("soon", "25:99", "-2x", "2026"):
            result = home.moontide("why", "report", wrong)
            assert result.code == 2
            assert f"'{wrong}' is no time; write one such as" in result.err
