"""Runs over time, counted and put together by the database, so that a chart of many runs takes few rows.

All of it blocks for as long as the database takes; the engine calls it in threads.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Engine, Select, and_, case, func, literal, or_, select, union_all

from engine.states import FAILED, RunStatus
from engine.store.dialects import step_of
from engine.store.models import RUN
from engine.store.queries import reading
from engine.views import (
    FailuresView,
    JobFailuresView,
    JobTimelineView,
    StepFailuresView,
    TimelinePartView,
    TimelineView,
)

#: A run that was made so long before a span is looked for in it.
LONGEST = timedelta(hours=24)

#: What is told of a part of a job's timeline.
RAN, FAILED_PART, SKIPPED = "ran", "failed", "skipped"


@dataclass(frozen=True, slots=True)
class Steps:
    """A span of time in steps of the same length."""

    since: datetime
    until: datetime
    count: int

    @property
    def seconds(self) -> float:
        """The length of a step."""
        return (self.until - self.since).total_seconds() / self.count


class Timelines:
    """Reads how runs lie in time."""

    def __init__(self, reader: Engine) -> None:
        self._reader = reader

    def timeline(self, steps: Steps, now: datetime, most_jobs: int) -> TimelineView:
        """Return which jobs ran in which steps of a span, and how many runs went on at once in each.

        Args:
            now: until when runs that have not ended went on.
            most_jobs: of more jobs, those that began first are told, and how many more there are.
        """
        jobs: dict[str, list[Any]] = {}
        with reading(self._reader) as connection:
            for row in connection.execute(self._parts(steps, now)):
                jobs.setdefault(row.job, []).append(row)
            going = list(connection.execute(self._going(steps, now)))
        first = sorted(jobs, key=lambda name: (min(row.began for row in jobs[name]), name))
        told = [JobTimelineView(name, _parts_of(jobs[name], steps)) for name in first[:most_jobs]]
        return TimelineView(told, most_at_once(going, steps.count), len(first) - len(told))

    def failures(self, steps: Steps, most_jobs: int) -> FailuresView:
        """Return how many runs failed in each step of a span that had any, and of which jobs.

        Args:
            most_jobs: so many jobs are told, those with most failures.
        """
        failed = (
            # Not by an index of statuses, which would go through all failures on record.
            func.coalesce(RUN.c.status, "").in_(sorted(FAILED)),
            RUN.c.queued >= steps.since - LONGEST,
            RUN.c.queued < steps.until,
            RUN.c.finished >= steps.since,
            RUN.c.finished < steps.until,
        )
        step, count = self._step(RUN.c.finished, steps), func.count()
        by_step = select(step, count).where(*failed).group_by(step).order_by(step)
        by_job = select(RUN.c.job, count).where(*failed).group_by(RUN.c.job)
        with reading(self._reader) as connection:
            failing = [StepFailuresView(*row) for row in connection.execute(by_step)]
            worst = connection.execute(by_job.order_by(count.desc(), RUN.c.job).limit(most_jobs))
            return FailuresView(failing, [JobFailuresView(*row) for row in worst])

    def _parts(self, steps: Steps, now: datetime) -> Select[Any]:
        """Ask in which steps runs of each job began and ended; equal ones are one row."""
        began, ended = func.coalesce(RUN.c.started, RUN.c.finished), func.coalesce(RUN.c.finished, now)
        kind = case(
            (RUN.c.status.in_(sorted(FAILED)), FAILED_PART), (RUN.c.started.is_(None), SKIPPED), else_=RAN
        )
        first, last = self._step(began, steps), self._step(ended, steps)
        told = (RUN.c.job, first.label("first"), last.label("last"), kind.label("kind"))
        query = select(*told, func.min(began).label("began")).where(_in(steps), began < steps.until)
        return query.group_by(RUN.c.job, "first", "last", "kind")

    def _going(self, steps: Steps, now: datetime) -> Select[Any]:
        """Ask for each step that has any beginning or end: most runs at once, and how many came and went."""
        begun = and_(_in(steps), RUN.c.started.is_not(None), RUN.c.started < steps.until)
        ended = func.coalesce(RUN.c.finished, now)
        changes = union_all(
            select(RUN.c.started.label("at"), literal(1).label("by")).where(begun),
            select(ended, literal(-1)).where(begun),
        ).subquery()
        # Of what happens in the same moment, ends count first: what follows is not at once.
        going = func.sum(changes.c.by).over(order_by=(changes.c.at, changes.c.by), rows=(None, 0))
        counted = select(
            self._step(changes.c.at, steps).label("step"), going.label("going"), changes.c.by
        ).subquery()
        return select(counted.c.step, func.max(counted.c.going), func.sum(counted.c.by)).group_by(
            counted.c.step
        )

    def _step(self, moment: ColumnElement[Any], steps: Steps) -> ColumnElement[Any]:
        return step_of(self._reader.dialect.name, moment, steps.since, steps.seconds)


def _in(steps: Steps) -> ColumnElement[bool]:
    """Return the condition that a run went on in a span, or ended there without a start."""
    made = and_(RUN.c.queued >= steps.since - LONGEST, RUN.c.queued < steps.until)
    ended = and_(made, RUN.c.finished >= steps.since)
    return or_(ended, and_(RUN.c.status == RunStatus.RUNNING.value, RUN.c.queued < steps.until))


def _parts_of(rows: Iterable[Any], steps: Steps) -> list[TimelinePartView]:
    """Return the parts of one job within a span; what ends later has not failed in it."""
    parts = set()
    for row in rows:
        kind = row.kind if row.last < steps.count else RAN
        parts.add((max(0, row.first), min(row.last, steps.count - 1), kind))
    return [TimelinePartView(*part) for part in sorted(parts)]


def most_at_once(rows: Iterable[Sequence[int]], count: int) -> list[int]:
    """Return for each step how many runs went on at the same time, where there were most.

    Args:
        rows: of steps in which runs began or ended: its number, most at once in it, and by how many it
            changed in the end.
        count: of steps.
    """
    changed = {step: (most, by) for step, most, by in rows}
    going = sum(by for step, (_, by) in changed.items() if step < 0)
    counts = []
    for step in range(count):
        most, by = changed.get(step, (0, 0))
        counts.append(max(going, most))
        going += by
    return counts
