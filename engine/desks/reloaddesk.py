"""What a reload would change: asked before anybody reloads, so that nobody is surprised."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection, Mapping

from engine.catalog.catalog import Catalog
from engine.catalog.outlook import Foreseen, Outlook
from engine.errors import JobNotFound
from engine.jobs.jobfile import JobSettings
from engine.rules.holds import Holds, Standing
from engine.rules.lifecycle import JobState
from engine.runs.job import Job, StoredJob
from engine.states import JobStatus
from engine.times.schedule import Schedule
from engine.views import PlannedChangeView, ReloadPlanView


class ReloadDesk:
    """Answers the API's questions about reloads (see `engine.api.operations.ReloadOperations`)."""

    def __init__(
        self,
        *,
        catalog: Catalog,
        held: Holds,
        session: int,
        reloading: asyncio.Lock,
        load_stored: Callable[[Collection[str] | None], Mapping[str, StoredJob]],
    ) -> None:
        """Make a desk.

        Args:
            held: what keeps jobs from running.
            session: the engine's present session.
            reloading: held while files are read.
            load_stored: reads what the database remembers of some jobs (None: of all); called in a thread.
        """
        self._catalog = catalog
        self._held = held
        self._session = session
        self._reloading = reloading
        self._load_stored = load_stored

    async def plan(self, name: str | None = None, *, override: bool = False) -> ReloadPlanView:
        """Return what a reload of all jobs, or of one, would change."""
        names = None if name is None else {name}
        async with self._reloading:
            stored = await asyncio.to_thread(self._load_stored, names)
            outlook = await self._catalog.foresee(stored, self._session, names, override=override)
        if name is not None and not outlook.jobs and not outlook.removed:
            raise JobNotFound(name, self._catalog.jobs)
        return self._view(outlook)

    def _view(self, outlook: Outlook) -> ReloadPlanView:
        present = [one for one in outlook.jobs if one.known is None or one.known.work is None]
        changes = [self._change(one) for one in present if _differs(one)]
        changes += [self._removal(job) for job in outlook.removed]
        return ReloadPlanView(
            changes=sorted(changes, key=lambda one: one.job),
            invalid={one.found.name: one.after.reason for one in present if _is_invalid(one.after)},
            unchanged=sum(not _differs(one) for one in present),
            modules=outlook.modules,
            dropped={name: dict(overrides) for name, overrides in outlook.dropped.items()},
        )

    def _change(self, one: Foreseen) -> PlannedChangeView:
        found = one.found
        after = self._standing(found.name, one.after, found.settings, found.schedule)
        before = self._of(one.known) if one.known else None
        return PlannedChangeView(
            job=found.name,
            becomes=_word(one),
            settings=_changed_settings(one),
            was=before.status.value if before else "",
            status=after.status.value,
            reason=after.reason,
            next_was=before.next_run if before else None,
            next_run=after.next_run,
        )

    def _removal(self, job: Job) -> PlannedChangeView:
        before = self._of(job)
        reason = "its file is gone"
        return PlannedChangeView(
            job.name, "removed", [], before.status.value, "", reason, before.next_run, None
        )

    def _of(self, job: Job) -> Standing:
        return self._standing(job.name, job.state, job.settings, job.schedule)

    def _standing(
        self, name: str, state: JobState, settings: JobSettings | None, schedule: Schedule | None
    ) -> Standing:
        return self._held.standing(name, state, settings, schedule)


def _differs(one: Foreseen) -> bool:
    return one.known is None or one.edited or one.after != one.known.state


def _is_invalid(state: JobState) -> bool:
    return state.status is JobStatus.INVALID


def _word(one: Foreseen) -> str:
    if one.known is None:
        return "added"
    if _is_invalid(one.after):
        return "invalid"
    if one.edited:
        return "changed"
    return "revived" if one.is_revival else "other"


def _changed_settings(one: Foreseen) -> list[str]:
    if one.known is None or one.known.settings is None or one.found.settings is None:
        return []
    before, after = one.known.settings.as_dict(), one.found.settings.as_dict()
    return sorted(name for name in before.keys() | after.keys() if before.get(name) != after.get(name))
