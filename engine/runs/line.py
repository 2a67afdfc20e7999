"""The line of waiting runs, for people: where each stands, and what it waits for. Nothing of it is stored."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from engine.rules.holds import Hold, Holds, HoldScope
from engine.runs.gate import Gate, Obstacle, job_label
from engine.runs.liverun import GROUP, TAG, LiveRun


@dataclass(frozen=True, slots=True)
class Wait:
    """How a run waits.

    Attributes:
        position: its place among all that wait, in the order in which they go; 1 is the first. One that waits
            for a limit of its own is passed by those behind it that do not. None for one that was handed over
            to be carried out elsewhere, and waits there.
        reason: what it waits for, in words.
    """

    position: int | None
    reason: str


def waits(gate: Gate[LiveRun], holds: Holds, runs: Iterable[LiveRun]) -> dict[int, Wait]:
    """Return how some runs wait, by their ids; those that do not wait are left out."""
    runs = list(runs)
    positions = gate.positions(runs)
    in_line = {
        run.id: Wait(positions[run.id], _reason(gate.obstacle(run), run, holds))
        for run in runs
        if run.id in positions
    }
    handed = {run.id: Wait(None, run.handed.waits_for) for run in runs if run.handed and run.started is None}
    return handed | in_line


def _reason(obstacle: Obstacle, run: LiveRun, holds: Holds) -> str:
    label, going = obstacle.label, f"{obstacle.used} of {obstacle.most} runs go on"
    if label is None:
        return f"the pool is full: {going}"
    if obstacle.most is None:
        pause = holds.paused(run.job, run.settings)
        return _paused(pause) if pause else "a pause"
    if label == job_label(run.job):
        return "another run of the job goes on"
    if label.startswith(GROUP):
        return f"the limit of group {label.removeprefix(GROUP)}: {going}"
    return f"the limit of tag {label.removeprefix(TAG)}: {going}"


def _paused(pause: Hold) -> str:
    return f"the job is {pause.words()}" if pause.scope is HoldScope.JOB else pause.words()
