"""Jobs as they are shown: each with what keeps it from running, and where its settings come from."""

from __future__ import annotations

from collections import Counter

from engine.calls.permissions import PermissionMode, describe_allow
from engine.catalog.catalog import Catalog
from engine.desks.alertdesk import AlertDesk
from engine.desks.scheduledesk import ScheduleDesk
from engine.jobs.overrides import OPERATOR, SWITCH, origins, replaced
from engine.rules import lifecycle
from engine.rules.holds import Holds, Standing
from engine.runs.dispatcher import Dispatcher
from engine.runs.job import Job
from engine.views import JobView, ListedJob


class JobViews:
    """Makes views of jobs."""

    def __init__(
        self,
        *,
        catalog: Catalog,
        dispatcher: Dispatcher,
        held: Holds,
        alerts: AlertDesk,
        schedules: ScheduleDesk,
        permissions: PermissionMode,
    ) -> None:
        """Make one for the jobs of a catalog.

        Args:
            held: what keeps jobs from running.
            permissions: whether jobs may use every core module, or what they list.
        """
        self._catalog = catalog
        self._dispatcher = dispatcher
        self._held = held
        self._alerts = alerts
        self._schedules = schedules
        self._permissions = permissions

    def count_by_status(self) -> dict[str, int]:
        """Return how many jobs there are of each status."""
        jobs = self._catalog.jobs.values()
        # Asked without their schedules: when each runs next is not counted.
        standings = (self._held.standing(job.name, job.state, job.settings, None) for job in jobs)
        return dict(Counter(standing.status.value for standing in standings))

    def of(self, job: Job) -> JobView:
        """Return a job as it stands now."""
        state, last = job.state, job.last
        settings, shown = job.settings, self._standing_of(job)
        pause = self._held.paused(job.name, settings)
        return JobView(
            name=job.name,
            path=job.path,
            status=shown.status.value,
            reason=shown.reason,
            active=state.active,
            activity=self._dispatcher.activity(job.name).value,
            schedule=_schedule_words(job),
            next_run=shown.next_run,
            last_run=last.started if last else None,
            last_status=last.status.value if last and last.status else None,
            last_run_id=last.id if last else None,
            last_returned=last.returned if last else None,
            error=state.error,
            description=settings.description if settings else "",
            version=settings.version if settings else "",
            tags=dict(settings.tags) if settings else {},
            settings=settings.as_dict() if settings else {},
            source_hash=job.source_hash,
            permissions=self._permissions.value,
            allow=describe_allow(settings.allow) if settings else {},
            groups=list(settings.groups) if settings else [],
            paused=pause.words() if pause else "",
            paused_until=pause.until if pause else None,
            alerts=self._alerts.of(job.name),
            given=self._schedules.count_of(job.name),
            origins=self._origins_of(job),
            replaced=replaced(job.declared, job.overrides, self._catalog.files.judge.kinds),
        )

    def listed(self, job: Job) -> ListedJob:
        """Return of a job as it stands now what a list shows; the same as of its view, for far less work."""
        state, last = job.state, job.last
        settings, shown = job.settings, self._standing_of(job)
        pause = self._held.paused(job.name, settings)
        return ListedJob(
            name=job.name,
            path=job.path,
            status=shown.status.value,
            schedule=_schedule_words(job),
            reason=shown.reason,
            active=state.active,
            activity=self._dispatcher.activity(job.name).value,
            next_run=shown.next_run,
            last_run=last.started if last else None,
            last_status=last.status.value if last and last.status else None,
            last_run_id=last.id if last else None,
            error=state.error,
            description=settings.description if settings else "",
            tags=dict(settings.tags) if settings else {},
            source_hash=job.source_hash,
            permissions=self._permissions.value,
            allow=describe_allow(settings.allow) if settings else {},
            groups=tuple(settings.groups) if settings else (),
            paused=pause.words() if pause else "",
            paused_until=pause.until if pause else None,
            alerts=tuple(self._alerts.of(job.name)),
            given=self._schedules.count_of(job.name),
            by_operator=tuple(name for name in job.overrides if name != SWITCH),
        )

    def _origins_of(self, job: Job) -> dict[str, str]:
        found = origins(job.declared, job.overrides, self._catalog.files.judge.kinds)
        moved = job.settings is not None and lifecycle.switched_by_operator(job.state, job.settings)
        return found | {SWITCH: OPERATOR} if moved else found

    def _standing_of(self, job: Job) -> Standing:
        return self._held.standing(job.name, job.state, job.settings, job.schedule)


def _schedule_words(job: Job) -> str:
    if job.schedule:
        return job.schedule.words()
    return "on demand" if job.settings else ""
