"""What is taken from an engine under load for a while: it goes on by itself when it has it again."""

from __future__ import annotations

from contextlib import ExitStack

import pytest

from tests.faults import troubles
from tests.faults.scene import opened
from tests.faults.strikes import strike

#: Longer than the shortest limit of a job.
LONG_SECONDS = 1.5


def test_after_each_trouble_nothing_is_lost_doubled_or_stuck() -> None:
    with opened(seed=1) as scene:
        strike(scene, troubles.frozen_zygote, times=1, seconds=LONG_SECONDS)
        strike(scene, troubles.frozen_workers, times=1, seconds=LONG_SECONDS)
        strike(scene, troubles.frozen_engine, times=1, seconds=LONG_SECONDS)
        strike(scene, troubles.locked, times=1, seconds=0.5)
        strike(scene, troubles.no_descriptors, times=1, seconds=0.5)
        strike(scene, troubles.no_descriptors_and_no_workers, times=1, seconds=LONG_SECONDS)
        verdict = scene.conclude()
        told = scene.served.complaints.count("out of system resource")
    print(f"{verdict}; served again within {max(scene.recoveries):.1f} s")
    assert verdict.complaints == ()
    # Without descriptors the engine tries again once a second; without care it would be thousands of times.
    assert 2 <= told < 500


def test_after_a_full_disk_nothing_is_lost_doubled_or_stuck() -> None:
    with ExitStack() as stack:
        try:
            place = stack.enter_context(troubles.small_disk(64))
        except troubles.NotAllowed as reason:
            pytest.skip(str(reason))
        scene = stack.enter_context(opened(seed=1, place=place))
        strike(scene, troubles.full_disk, times=1, seconds=0.5)
        verdict = scene.conclude()
    assert verdict.complaints == ()


def test_no_engine_starts_on_a_read_only_disk_and_all_is_there_when_it_can_be_written() -> None:
    with ExitStack() as stack:
        try:
            place = stack.enter_context(troubles.small_disk(64))
        except troubles.NotAllowed as reason:
            pytest.skip(str(reason))
        scene = stack.enter_context(opened(seed=1, place=place))
        with scene.load():
            scene.pass_time(0.5)
        scene.served.kill()
        with troubles.read_only(place):
            refused = scene.home.moontide("serve")
        scene.begin()
        scene.serves()
        verdict = scene.conclude()
    assert refused.code == 1
    assert refused.err.count("\n") == 1
    assert "Read-only file system" in refused.err
    assert verdict.complaints == ()
