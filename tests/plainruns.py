"""Runs over time as a plain list has them: what the database is tried beside."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import datetime

from engine.states import FAILED
from engine.views import (
    FailuresView,
    JobFailuresView,
    JobTimelineView,
    RunView,
    StepFailuresView,
    TimelinePartView,
    TimelineView,
)


class Plain:
    """Runs, looked at in steps of a span of time."""

    def __init__(self, runs: Iterable[RunView], since: datetime, until: datetime, steps: int) -> None:
        self.runs = list(runs)
        self.since, self.until, self.steps = since, until, steps

    def timeline(self, now: datetime, jobs: int) -> TimelineView:
        """Return what ran when."""
        by_job: dict[str, set[tuple[int, int, str]]] = {}
        began = [(run.started or run.finished, run) for run in self.runs]
        for start, run in sorted(
            ((at, run) for at, run in began if at), key=lambda one: (one[0], one[1].job)
        ):
            end = run.finished or now
            if start < self.until and end >= self.since:
                by_job.setdefault(run.job, set()).add(self._part(run, start, end))
        told = [
            JobTimelineView(job, [TimelinePartView(*part) for part in sorted(parts)])
            for job, parts in by_job.items()
        ]
        return TimelineView(
            told[:jobs], [self._most(step, now) for step in range(self.steps)], len(told[jobs:])
        )

    def failures(self, jobs: int) -> FailuresView:
        """Return where failures gather."""
        failed = [
            run
            for run in self.runs
            if run.status in FAILED and run.finished is not None and self.since <= run.finished < self.until
        ]
        steps = Counter(self._step(run.finished) for run in failed if run.finished)
        worst = sorted(Counter(run.job for run in failed).items(), key=lambda one: (-one[1], one[0]))
        return FailuresView(
            [StepFailuresView(*one) for one in sorted(steps.items())],
            [JobFailuresView(*one) for one in worst[:jobs]],
        )

    def _part(self, run: RunView, start: datetime, end: datetime) -> tuple[int, int, str]:
        last = self._step(end)
        kind = "failed" if run.status in FAILED else "skipped" if run.started is None else "ran"
        return max(0, self._step(start)), min(last, self.steps - 1), kind if last < self.steps else "ran"

    def _step(self, moment: datetime) -> int:
        return (moment - self.since) // ((self.until - self.since) / self.steps)

    def _most(self, step: int, now: datetime) -> int:
        """Return how many runs went on at the same time in a step: when it began, or a run in it."""
        length = (self.until - self.since) / self.steps
        begin = self.since + step * length
        begins = [run.started for run in self.runs if run.started and begin <= run.started < begin + length]
        return max(self._going(moment, now) for moment in [begin, *begins])

    def _going(self, moment: datetime, now: datetime) -> int:
        times: Sequence[tuple[datetime, datetime]] = [
            (run.started, run.finished or now) for run in self.runs if run.started
        ]
        return sum(start <= moment < end for start, end in times)
