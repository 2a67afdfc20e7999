"""Faults for long: what is killed, frozen or taken away, at random moments under load, with a checker."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from tests.faults.kills import Kills, kill_dashboards, kill_engines, kill_workers, kill_zygotes
from tests.faults.scene import Scene, opened
from tests.prove.proof import Effort, Finding, Proof

#: 2,400 kills in all.
_KILLS = (
    ("engines", kill_engines, 300),
    ("zygotes", kill_zygotes, 500),
    ("workers", kill_workers, 1500),
    ("dashboards", kill_dashboards, 100),
)
_NOTHING_LOST = "nothing is lost, doubled or stuck, and the engine serves again by itself"


def proofs() -> list[Proof]:
    """Return the rows about faults."""
    return [
        Proof(f"faults: {what} killed", _NOTHING_LOST, partial(_killed, kill, times))
        for what, kill, times in _KILLS
    ]


def _killed(kill: Callable[[Scene, int, Kills], None], times: int, effort: Effort) -> Finding:
    kills = Kills()
    with opened(effort.seed) as scene:
        kill(scene, times, kills)
        return _found(str(kills), scene)


def _found(tried: str, scene: Scene) -> Finding:
    verdict = scene.conclude()
    slowest = max(scene.recoveries)
    return Finding(f"{tried}; {verdict}; served again within {slowest:.1f} s", verdict.complaints)
