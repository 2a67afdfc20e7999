"""What operators may ask about schedules given at run time (see `engine.api.operations`)."""

from __future__ import annotations

import asyncio
import heapq
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime, timedelta
from itertools import islice
from typing import Any

from engine.desks.audit import audit_entry
from engine.errors import JobNotFound
from engine.rules.forecast import no_run_in, notes
from engine.runs.chains import Chains
from engine.runs.job import Job
from engine.runs.planner import Planner
from engine.runs.timetable import Timetable
from engine.store.given import GivenQueries
from engine.store.journal import Journal
from engine.store.rows import GivenSchedule
from engine.times.blackout import Blackout
from engine.times.clock import Clock
from engine.times.schedule import Schedule
from engine.views import ComingView, ScheduleView


class ScheduleDesk:
    """The part of the desk that gives schedules, lists them and takes them back."""

    def __init__(
        self,
        *,
        clock: Clock,
        find_job: Callable[[str], Job],
        timetable: Timetable,
        chains: Chains,
        planner: Planner,
        journal: Journal,
        queries: GivenQueries,
    ) -> None:
        """Make it of the parts that do the work.

        Args:
            find_job: gives a job by its name; raises JobNotFound.
        """
        self._clock = clock
        self._find_job = find_job
        self._timetable = timetable
        self._chains = chains
        self._planner = planner
        self._journal = journal
        self._queries = queries

    async def add(self, name: str, options: Mapping[str, Any], *, actor: str) -> ScheduleView:
        """Give a job a schedule, in place of the one there is for this job, user and tag."""
        job = self._find_job(name)
        given = await self._timetable.give(job, self._timetable.read(job, options), created_by=actor)
        await self._audit(actor, "give schedule", name, after={"schedule": given.id, "due": given.words})
        return _view(given)

    async def remove(self, schedule_id: int, *, actor: str) -> ScheduleView:
        """End a schedule, with its runs that are still to come."""
        given = await self._timetable.remove(schedule_id, f"removed by {actor}")
        await self._audit(actor, "remove schedule", given.job, before={"schedule": given.id})
        return _view(given)

    async def one(self, schedule_id: int) -> ScheduleView:
        """Return one schedule."""
        return _view(await asyncio.to_thread(self._timetable.one, schedule_id))

    async def find(
        self,
        *,
        job: str | None = None,
        user_id: int | None = None,
        ended: bool = False,
        before: int | None = None,
        limit: int = 50,
    ) -> list[ScheduleView]:
        """Return schedules, the newest first."""
        found = await asyncio.to_thread(
            self._queries.find, job=job, user_id=user_id, ended=ended, before_id=before, limit=limit
        )
        return [_view(given) for given in found]

    def count_of(self, job: str) -> int:
        """Return how many schedules of a job are in force."""
        return self._timetable.count_of(job)

    def repeating(self, job: str) -> list[tuple[int, Schedule]]:
        """Return the repeating schedules of a job whose due times are known, each by its id."""
        return [(row.id, schedule) for row, schedule in self._chains.repeating(job)]

    def coming(self, *, job: str | None, since: datetime | None, count: int) -> list[ComingView]:
        """Return the next due times that given schedules make, in order."""
        streams = [
            _times(row, schedule, self._blackout_of(row.job), since)
            for row, schedule in self._chains.repeating(job)
        ]
        runs = self._planner.given_runs() if job is None else self._planner.given_of(job)
        single = (
            ComingView(run.job, run.due, [_whose(run.schedule_id, run.user_id, run.tag)], run.schedule_id)
            for run in sorted(runs, key=lambda run: run.due)
            if since is None or run.due >= since
        )
        return list(islice(heapq.merge(single, *streams, key=lambda view: (view.due, view.job)), count))

    def _blackout_of(self, job: str) -> Blackout | None:
        try:
            return self._find_job(job).blackout
        except JobNotFound:
            return None

    async def _audit(
        self, actor: str, action: str, target: str, before: Any = None, after: Any = None
    ) -> None:
        entry = audit_entry(self._clock.now(), actor, action, target, before, after)
        await self._journal.audited(entry)


def _times(
    row: GivenSchedule, schedule: Schedule, blackout: Blackout | None, since: datetime | None
) -> Iterator[ComingView]:
    due = row.due
    while due is not None:
        following = schedule.following(due, due)
        if since is None or due >= since:
            window = blackout.window_at(due) if blackout else None
            unusual = [no_run_in(window)] if window else notes(schedule, due, following)
            yield ComingView(row.job, due, [_whose(row.id, row.user_id, row.tag), *unusual], row.id)
        elif following is not None and following < since:
            # Not one by one through what is not asked for.
            following = schedule.following(due, since - timedelta(microseconds=1))
        due = following


def _whose(schedule_id: int | None, user_id: int, tag: str | None) -> str:
    whose = f" for user {user_id}" if user_id else ""
    return f"schedule {schedule_id}{whose}" + (f" ({tag})" if tag else "")


def _view(given: GivenSchedule) -> ScheduleView:
    return ScheduleView(
        id=given.id,
        job=given.job,
        status=given.status.value,
        schedule=given.words,
        repeats=given.rule is not None,
        due=given.due,
        user_id=given.user_id,
        tag=given.tag,
        data=given.data,
        retries=given.retries,
        retry_delay=given.retry_delay,
        remove_after=given.remove_after,
        run_skipped=given.run_skipped,
        created=given.created,
        created_by=given.created_by,
        called_by=given.called_by,
        ended=given.ended,
        reason=given.reason,
        last_run_id=given.last_run_id,
        skipped=given.skipped,
        note=given.note,
    )
