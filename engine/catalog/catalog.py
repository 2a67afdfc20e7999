"""Every job of the jobs folder with its settings, its schedule and its state.

The folder is read at start, at a reload and, while it is watched, when a file was saved. All jobs then
take their new state at one instant, so that a run which ends meanwhile is never overtaken.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime

from engine.catalog.found import Found
from engine.catalog.jobfiles import JobFiles
from engine.catalog.outlook import Changes, Foreseen, Outlook
from engine.errors import JobNotFound
from engine.jobs.jobfile import JobSettings
from engine.jobs.overrides import NONE, Overrides
from engine.rules import lifecycle
from engine.rules.lifecycle import JobState, Missed
from engine.runs import ledger
from engine.runs.job import Job, LastRun, StoredJob
from engine.times.clock import Clock

#: Gives the state that a job goes into a reload with.
Enter = Callable[[JobState, JobSettings], JobState]


class Catalog:
    """All jobs of one folder."""

    def __init__(self, files: JobFiles, clock: Clock) -> None:
        """Make a catalog of a folder; nothing is read before `load`."""
        self.files = files
        self.jobs: dict[str, Job] = {}
        #: Jobs whose file was removed: runs of theirs may go on, and count when the file is back.
        self._away: dict[str, Job] = {}
        self._clock = clock

    def job(self, name: str) -> Job:
        """Return a job by its name.

        Raises:
            JobNotFound: there is none; the message suggests the nearest names.
        """
        try:
            return self.jobs[name]
        except KeyError:
            raise JobNotFound(name, self.jobs) from None

    def owner(self, name: str) -> Job:
        """Return the job of a run that goes on from before, also if its file is away."""
        job = self.jobs.get(name) or self._away.get(name)
        if job is None:
            job = self._away[name] = Job(name, f"{name}.lua", lifecycle.UNKNOWN)
        return job

    async def load(self, stored: Mapping[str, StoredJob], session: int) -> Changes:
        """Read the folder as an engine starts, and go on from what the database remembers."""
        await self.files.declaring.recall()
        found = await self.files.look(self._overrides(stored))
        now = self._clock.now()
        changes = Changes()
        for one in found:
            self._arm_at_start(one, stored.get(one.name), now, session, changes)
        for name in sorted(stored.keys() - self.jobs.keys()):
            gone = stored[name]
            job = Job(name, f"{name}.lua", gone.state, last=gone.last, overrides=gone.overrides)
            self._away[name] = job
            if gone.listed:
                self._note_removed(job, now, changes)
        return changes

    async def reload(
        self,
        stored: Mapping[str, StoredJob],
        session: int,
        names: Iterable[str] | None = None,
        *,
        override: bool = False,
    ) -> Changes:
        """Read the folder again, or the files of some jobs, and let the changes take effect at once.

        Args:
            stored: what the database remembers of jobs whose files were away.
            names: the jobs to look at; None means all.
            override: take what the files say in the place of what operators changed.
        """
        kept: Mapping[str, Overrides] = {} if override else self._overrides(stored)
        # Nothing waits from the last look of `foresee` on: all jobs take their states at one instant.
        outlook = await self.foresee(stored, session, names, override=override)
        changes = Changes(modules=outlook.modules, dropped=outlook.dropped)
        self._know_modules(outlook)
        now = self._clock.now()
        for one in outlook.jobs:
            self._carry_out(one, stored.get(one.found.name), now, changes)
        for job in outlook.removed:
            self._remove(job, kept, now, changes)
        return changes

    async def foresee(
        self,
        stored: Mapping[str, StoredJob],
        session: int,
        names: Iterable[str] | None = None,
        *,
        override: bool = False,
    ) -> Outlook:
        """Read the folder again, and return what a reload would change; no job is touched.

        The arguments are those of `reload`.
        """
        wanted = None if names is None else set(names)
        kept = self._overrides(stored)
        found = await self.files.look({} if override else kept, wanted)
        hashes, modules = await asyncio.to_thread(self._changed_modules, [one.name for one in found])
        enter = lifecycle.switch_of_file if override else _unswitched
        now, seen = self._clock.now(), {one.name for one in found}
        return Outlook(
            jobs=[self._foresee(one, stored.get(one.name), enter, now, session) for one in found],
            removed=[
                job
                for name, job in self.jobs.items()
                if name not in seen and (wanted is None or name in wanted)
            ],
            modules=modules,
            hashes=hashes,
            dropped={one.name: kept[one.name] for one in found if kept.get(one.name)} if override else {},
        )

    def change(self, job: Job, found: Found, session: int) -> Changes:
        """Let other settings of a job take effect at once, while its file stays as it was."""
        before, now, changes = job.state, self._clock.now(), Changes()
        if found.settings is None:
            state = lifecycle.found_invalid(before, found.error or "", now=now)
        else:
            state = lifecycle.settings_changed(
                before, found.settings, found.schedule, now=now, session=session
            )
        groups = _groups(job)
        self._put(found, before, job.last)
        job.state = state
        changes.let_go += [job] if _groups(job) != groups else []
        ledger.note_given_up(job, before, now)
        self._note(job, Foreseen(found, job, before, state, edited=True), changes)
        return changes

    def _overrides(self, stored: Mapping[str, StoredJob]) -> dict[str, Overrides]:
        """Return the operators' settings of all jobs that have any, also of those whose files were away."""
        remembered = {name: job.overrides for name, job in stored.items() if job.overrides}
        return remembered | {name: job.overrides for name, job in self.jobs.items()}

    async def look(self, names: set[str] | None = None) -> list[Found]:
        """Scan the folder and declare what is there, without changing any job.

        Args:
            names: the jobs to look at; None means all.
        """
        return await self.files.look(self._overrides({}), names)

    # Library modules

    def _changed_modules(self, names: list[str]) -> tuple[dict[str, str | None], dict[str, list[str]]]:
        """Return the library modules that are not as these jobs know them: the hash of each, and its jobs."""
        present: dict[str, str | None] = {}
        changed: dict[str, list[str]] = {}
        for job in [self.jobs[name] for name in names if name in self.jobs]:
            for module, known in job.modules.items():
                if module not in present:
                    present[module] = self.files.module_hash(module)
                if present[module] != known:
                    changed.setdefault(module, []).append(job.name)
        return {module: present[module] for module in changed}, dict(sorted(changed.items()))

    def _know_modules(self, outlook: Outlook) -> None:
        """Note at their jobs how modules are now, so that they are not told of again."""
        for module, names in outlook.modules.items():
            for name in names:
                self.jobs[name].modules[module] = outlook.hashes[module]

    # Taking effect

    def _arm_at_start(
        self, one: Found, stored: StoredJob | None, now: datetime, session: int, changes: Changes
    ) -> None:
        before = stored.state if stored else None
        job = self._put(one, before, stored.last if stored else None)
        if job.work is None:
            # What the engine brings itself is no file of the folder.
            changes.added.append(job)
        changes.touched.append(job)
        if one.settings is None:
            job.state = lifecycle.found_invalid(before, one.error or "", now=now)
            return
        armed = lifecycle.at_start(before, one.settings, one.schedule, now=now, session=session)
        job.state = armed.state
        if before is not None:
            _note_past(job, before, armed.missed, now)
        if armed.missed is not None:
            changes.missed.append((job, armed.missed))
        if armed.start_now:
            changes.start_now.append(job)

    def _foresee(
        self, one: Found, stored: StoredJob | None, enter: Enter, now: datetime, session: int
    ) -> Foreseen:
        known = self.jobs.get(one.name)
        away = known or self._away.get(one.name)
        before = away.state if away else stored.state if stored else None
        if one.settings is None:
            after = lifecycle.found_invalid(before, one.error or "", now=now)
        else:
            if known is not None:
                before = enter(known.state, one.settings)
            arm = lifecycle.at_reload if known else lifecycle.at_return
            after = arm(before, one.settings, one.schedule, now=now, session=session)
        new = (one.source_hash, one.settings, one.overrides)
        old = (known.source_hash, known.settings, known.overrides) if known else None
        return Foreseen(one, known, before, after, known is not None and old != new)

    def _carry_out(self, one: Foreseen, stored: StoredJob | None, now: datetime, changes: Changes) -> None:
        away = one.known or self._away.get(one.found.name)
        last = away.last if away else stored.last if stored else None
        groups = _groups(one.known)
        job = self._put(one.found, one.before, last)
        job.state = one.after
        changes.let_go += [job] if _groups(job) != groups else []
        if one.known is not None and one.before is not None:
            ledger.note_given_up(job, one.before, now)
        self._note(job, one, changes)

    def _note(self, job: Job, one: Foreseen, changes: Changes) -> None:
        if one.known is None:
            changes.added.append(job)
        elif one.edited:
            changes.changed.append(job)
        elif job.work is None:
            changes.unchanged += 1
        if one.is_revival:
            changes.revived.append(job)
        if one.known is None or one.edited or one.after != one.before:
            changes.touched.append(job)

    def _put(self, one: Found, state: JobState | None, last: LastRun | None) -> Job:
        job = self.jobs.get(one.name)
        if job is None:
            job = self._away.pop(one.name, None) or Job(one.name, one.path, state or lifecycle.UNKNOWN)
            self.jobs[one.name] = job
        job.path = one.path
        own = self.files.built_in.get(one.name)
        job.work = own.work if own else None
        job.settings, job.schedule, job.source_hash = one.settings, one.schedule, one.source_hash
        job.blackout, job.declared, job.overrides = one.blackout, one.declared, one.overrides
        job.last = job.last or last
        job.modules.update(self.files.declaring.modules(one.name))
        return job

    def _remove(self, job: Job, overrides: Mapping[str, Overrides], now: datetime, changes: Changes) -> None:
        self._away[job.name] = self.jobs.pop(job.name)
        job.overrides = overrides.get(job.name, NONE)
        self._note_removed(job, now, changes)

    def _note_removed(self, job: Job, now: datetime, changes: Changes) -> None:
        ledger.note_removed(job, now)
        changes.removed.append(job)


def _unswitched(state: JobState, settings: JobSettings) -> JobState:
    """Return the state as it is: what operators switched stays."""
    return state


def _note_past(job: Job, before: JobState, missed: Missed | None, now: datetime) -> None:
    """Note what became of the time for which a job was planned when the last engine stopped."""
    if missed is not None and before.due is not None:
        ledger.note_missed(job, before.due, missed, now)
    else:
        ledger.note_given_up(job, before, now)


def _groups(job: Job | None) -> tuple[str, ...] | None:
    """Return a job's groups, None while they are not known."""
    return job.settings.groups if job is not None and job.settings is not None else None
