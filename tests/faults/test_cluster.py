"""Engines and workers on hosts of their own: whatever is struck, nothing is lost, doubled or stuck."""

from __future__ import annotations

import pytest

from tests.faults.cluster import opened
from tests.faults.havoc import STRIKES, Havoc, in_turn, wreak

pytestmark = pytest.mark.long

SEED = 7


def test_whatever_is_struck_of_engines_workers_and_database_nothing_is_lost_doubled_or_stuck() -> None:
    havoc = Havoc()
    with opened(SEED) as cluster:
        wreak(cluster, in_turn(cluster), havoc)
        verdict = cluster.conclude()
    print(f"\n{cluster.kind}: {havoc}; {verdict}")
    print("taken over within", ", ".join(f"{seconds:.1f} s" for seconds in cluster.takeovers))
    assert verdict.complaints == ()
    assert sum(havoc.counted.values()) == len(STRIKES)
    assert verdict.times > 0
