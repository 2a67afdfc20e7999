"""Lets what a look at the folder or an operator changed count: armed, stored and told, each once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import ExitStack, closing
from datetime import datetime
from itertools import chain
from types import MappingProxyType

from engine.catalog.outlook import Changes
from engine.collector import resting
from engine.events import Events, JobsReloaded, RunsMissed
from engine.rules.holds import Holds
from engine.runs.catchup import catch_up
from engine.runs.dispatcher import Dispatcher
from engine.runs.holding import Release
from engine.runs.job import StoredJob
from engine.runs.jobrows import is_stored, removal_of, whole_patch_of
from engine.runs.planner import Planner
from engine.runs.scheduler import Scheduler
from engine.states import JobStatus
from engine.store.journal import Journal
from engine.store.rows import AuditEntry
from engine.times.clock import Clock

#: What is known of the database's rows where nobody has looked at them.
NOTHING_STORED: Mapping[str, StoredJob] = MappingProxyType({})


class Effect:
    """What it takes for changed jobs to count."""

    def __init__(
        self,
        *,
        clock: Clock,
        scheduler: Scheduler,
        dispatcher: Dispatcher,
        planner: Planner,
        journal: Journal,
        events: Events,
        held: Holds,
        releases: Sequence[Release],
    ) -> None:
        """Make one.

        Args:
            held: what keeps jobs from running.
            releases: make up for what passed while jobs were held; called before those may run.
        """
        self._clock = clock
        self._scheduler = scheduler
        self._dispatcher = dispatcher
        self._planner = planner
        self._journal = journal
        self._events = events
        self._held = held
        self._releases = releases

    async def take(
        self,
        changes: Changes,
        entry: AuditEntry | None = None,
        *,
        stored: Mapping[str, StoredJob] = NOTHING_STORED,
    ) -> None:
        """Let what a look at the folder, or an operator (`entry`), changed count from now on.

        Args:
            stored: what the database holds of jobs by their names, as far as it is known: what would be
                written again as it is is left out.
        """
        with ExitStack() as works:
            making_up = [works.enter_context(closing(release(changes.let_go))) for release in self._releases]
            await self._put_in_force(changes, entry, stored)
            for work in making_up:
                await work

    async def _put_in_force(
        self, changes: Changes, entry: AuditEntry | None, stored: Mapping[str, StoredJob]
    ) -> None:
        """Arm, store and tell what changed."""
        now = self._clock.now()
        with resting():
            for job in changes.touched:
                self._scheduler.arm(job.name, job.state.due)
                self._dispatcher.look_at_waiting(job)
        for job in changes.removed:
            self._scheduler.arm(job.name, None)
        # A job that is held makes up for it when it is let go.
        free = [job for job, _ in changes.missed if self._held.on(job.name, job.settings) is None]
        catch_ups = [catch_up(job, self._dispatcher.new_run_id, now) for job in free]
        # One after the other: most of many are as they were, and need no place.
        patches = [
            patch
            for patch in chain(map(whole_patch_of, changes.touched), map(removal_of, changes.removed))
            if not is_stored(patch, stored.get(patch.name))
        ]
        await self._journal.job_changed(patches, entry, [run for run in catch_ups if run is not None])
        for job, missed in changes.missed:
            self._events.publish(RunsMissed(now, job.name, missed.count, missed.last_due))
        if changes.added or changes.changed or changes.removed or changes.touched:
            self._events.publish(_reloaded(changes, now))
        self._planner.look_again()


def _reloaded(changes: Changes, now: datetime) -> JobsReloaded:
    edited = {job.name for job in (*changes.added, *changes.changed)}
    return JobsReloaded(
        now,
        tuple(job.name for job in changes.added),
        tuple(job.name for job in changes.changed),
        tuple(job.name for job in changes.removed),
        tuple(job.name for job in changes.touched if job.state.status is JobStatus.INVALID),
        tuple(job.name for job in changes.touched if job.name not in edited),
    )
