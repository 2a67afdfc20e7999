"""A wall clock that is set by hours under load."""

from __future__ import annotations

from tests.faults.clocks import turn_clock, turnable


def test_when_the_clock_is_set_by_hours_no_planned_time_is_lost_or_comes_twice() -> None:
    with turnable(seed=1) as (scene, hands):
        turn_clock(scene, hands, times=1)
        verdict = scene.conclude()
    print(f"{verdict}; served again within {max(scene.recoveries):.1f} s")
    assert verdict.complaints == ()
    # The hours that were passed over are in the ledger too.
    assert verdict.times > 3600
