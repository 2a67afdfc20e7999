"""A job never runs on two engines: one home has one engine, and the next one takes over."""

from __future__ import annotations

from collections import Counter
from datetime import datetime
from typing import Any

from tests.e2e.conftest import Home, Served, job
from tests.e2e.processes import until

TICK = job("core.sleep(0.4) return job.OK", 'every = "1s", single_instance = true')
LONG = job("core.sleep(600) return job.OK")


def planned(home: Home) -> Counter[datetime]:
    """Return how often each planned time of `tick` stands in the ledger, those of one entry counted apart."""
    found: list[Any] = home.moontide("slots", "tick", "--limit", "10000", "--json").json
    return Counter(datetime.fromisoformat(slot["due"]) for slot in found)


def refused(home: Home, first: Served) -> None:
    """Start a second engine beside the first, which must be told so and leave at once."""
    second = home.start()
    try:
        assert second.process.wait(30) == 1
        assert f"process {first.process.pid}" in second.complaints
    finally:
        second.end()


def test_a_second_engine_runs_nothing_and_takes_over_after_the_first_has_died(home: Home) -> None:
    home.write("tick", TICK)
    home.write("long", LONG)
    with home.serving() as first:
        owner = first.client.status().session
        going = first.client.run_job("long").id
        refused(home, first)
        assert {run.session for run in first.ends("tick", 2)} == {owner}
        first.kill()
    with home.serving() as second:
        heir = second.client.status().session
        assert heir != owner
        taken = second.client.run(going)
        assert (taken.status, taken.session) == ("CRASHED", owner)
        until(lambda: any(run.session == heir for run in second.ends("tick", 1)))
        runs = second.client.runs(job="tick", limit=1000)
        assert set(Counter(run.due for run in runs).values()) == {1}
        assert set(planned(home).values()) == {1}
