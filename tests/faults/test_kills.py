"""SIGKILL under load: a few of each; `make prove` does thousands."""

from __future__ import annotations

import pytest

from tests.faults.kills import Kills, kill_dashboards, kill_engines, kill_workers, kill_zygotes
from tests.faults.scene import opened

pytestmark = pytest.mark.long


def test_whatever_is_killed_under_load_nothing_is_lost_doubled_or_stuck() -> None:
    kills = Kills()
    with opened(seed=1) as scene:
        kill_workers(scene, 10, kills)
        kill_zygotes(scene, 3, kills)
        kill_dashboards(scene, 1, kills)
        kill_engines(scene, 2, kills)
        verdict = scene.conclude()
    print(f"{kills}; {verdict}; served again within {max(scene.recoveries):.1f} s")
    assert verdict.complaints == ()
    assert kills.counted.total() >= 16
