"""The jobs folder as the engine knows it: every job with its settings, its schedule and its state.

The folder is read at start, at a reload and, while it is watched, when a file was saved. Files are
declared in the sandbox side by side; a file that did not change since (nor a library module it uses) is
not declared again. All jobs then take their new state at one instant, so that a run which ends meanwhile
is never overtaken.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path
from typing import Any

from engine.collector import resting
from engine.declarations import FORGETFUL, Memory
from engine.declaring import Declare, Declaring, FileRead
from engine.errors import JobFileError, JobNotFound
from engine.jobs import schedulekinds
from engine.jobs.additions import NOTHING_ADDED, Additions
from engine.jobs.alertrules import check_receiver
from engine.jobs.jobfile import JobSettings, parse_settings
from engine.jobs.jobfolder import scan_jobs
from engine.jobs.overrides import NONE, Overrides, merged
from engine.jobsources import JobSources, Library, sha256
from engine.rules import lifecycle
from engine.rules.lifecycle import JobState, Missed
from engine.run import Limits
from engine.runs import ledger
from engine.runs.job import BuiltIn, Job, LastRun, Source, StoredJob
from engine.sandbox.program import Declaration
from engine.states import JobStatus
from engine.times.blackout import Blackout
from engine.times.clock import Clock
from engine.times.schedule import Schedule

logger = logging.getLogger("moontide.catalog")


@dataclass(frozen=True, slots=True)
class Found:
    """What one file turned out to be: settings, or the reason why there are none.

    Attributes:
        problems: what is wrong with its settings, each by itself, if that is what is wrong.
        declared: the table of settings that it gives.
        overrides: the operator's settings, with which it was judged.
    """

    name: str
    path: str
    source_hash: str | None = None
    settings: JobSettings | None = None
    schedule: Schedule | None = None
    blackout: Blackout | None = None
    error: str | None = None
    line: int | None = None
    problems: tuple[str, ...] = ()
    declared: Any = None
    overrides: Overrides = field(default_factory=dict)


@dataclass(slots=True)
class Changes:
    """What reading the folder changed.

    Attributes:
        modules: library modules that changed, by name the jobs that are known to use each.
        dropped: operators' settings that count no longer, by job.
        let_go: those that something may have kept from running until now.
    """

    added: list[Job] = field(default_factory=list)
    changed: list[Job] = field(default_factory=list)
    removed: list[Job] = field(default_factory=list)
    revived: list[Job] = field(default_factory=list)
    touched: list[Job] = field(default_factory=list)
    let_go: list[Job] = field(default_factory=list)
    missed: list[tuple[Job, Missed]] = field(default_factory=list)
    start_now: list[Job] = field(default_factory=list)
    modules: dict[str, list[str]] = field(default_factory=dict)
    dropped: dict[str, Overrides] = field(default_factory=dict)
    unchanged: int = 0


@dataclass(frozen=True, slots=True)
class Foreseen:
    """What a reload makes of one job.

    Attributes:
        found: its file as it is now.
        known: the job as it is on the list; None if it is not there yet.
        before: its state so far; None if nothing is known of it.
        edited: its text, or a setting that counts, is another.
    """

    found: Found
    known: Job | None
    before: JobState | None
    after: JobState
    edited: bool

    @property
    def is_revival(self) -> bool:
        """Whether a job that did not run comes back to its schedule."""
        if self.before is None or self.after == self.before:
            return False
        dead = self.before.status in (JobStatus.STOPPED, JobStatus.INACTIVE, JobStatus.INVALID)
        return dead and self.after.status in (JobStatus.WAITING, JobStatus.ONCE)


@dataclass(frozen=True, slots=True)
class Outlook:
    """What a reload would change.

    Attributes:
        removed: jobs whose files are gone.
        modules, dropped: as in `Changes`.
        hashes: of the modules that changed, as they are now; None for one that cannot be read.
    """

    jobs: list[Foreseen]
    removed: list[Job]
    modules: dict[str, list[str]]
    hashes: dict[str, str | None]
    dropped: dict[str, Overrides]


#: Gives the state that a job goes into a reload with.
Enter = Callable[[JobState, JobSettings], JobState]


class Catalog:
    """All jobs of one folder."""

    def __init__(
        self,
        *,
        folder: Path,
        declare: Declare,
        clock: Clock,
        timezone: str,
        ceilings: Limits,
        source_bytes: int,
        named_schedules: Mapping[str, str],
        named_blackouts: Mapping[str, Sequence[str]],
        receivers: Collection[str] = (),
        additions: Additions = NOTHING_ADDED,
        built_in: Iterable[BuiltIn] = (),
        memory: Memory = FORGETFUL,
    ) -> None:
        """Make a catalog of a folder; nothing is read before `load`.

        Args:
            declare: runs a file's declare phase in the sandbox.
            timezone: for jobs that name none.
            ceilings: the most that a job's settings may ask for.
            source_bytes: size up to which a file is taken.
            named_schedules: cron lines that job files may name.
            named_blackouts: windows without runs that they may name.
            receivers: who may be told of their alerts, by name.
            additions: what plugins add to job files.
            built_in: the engine's own jobs, which are there whatever the folder holds.
            memory: keeps what files declare from one engine to the next.
        """
        self._built_in = {job.name: job for job in built_in}
        self._additions = additions
        self.kinds = (*schedulekinds.BUILT_IN, *additions.kinds)
        self._named = named_schedules
        self._named_blackouts = named_blackouts
        self._receivers = receivers
        self.folder = folder
        self.jobs: dict[str, Job] = {}
        #: Jobs whose file was removed: runs of theirs may go on, and count when the file is back.
        self._away: dict[str, Job] = {}
        self._declare = declare
        self._clock = clock
        self._timezone = timezone
        self._ceilings = ceilings
        self._sources = JobSources(folder, source_bytes)
        self.declaring = Declaring(sources=self._sources, declare=declare, memory=memory)

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
        await self.declaring.recall()
        found = await self.look(overrides=self._overrides(stored))
        now = self._clock.now()
        changes = Changes()
        with resting():
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
        found = await self.look(wanted, overrides={} if override else kept)
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

    async def look(
        self, names: set[str] | None = None, *, overrides: Mapping[str, Overrides] | None = None
    ) -> list[Found]:
        """Scan the folder and declare what is there, without changing any job.

        Args:
            names: the jobs to look at; None means all.
            overrides: the operators' settings by job; as they are without.
        """
        given = self._overrides({}) if overrides is None else overrides
        paths, problems = await asyncio.to_thread(scan_jobs, self.folder)
        found = [Found(name=name, path=path, error=reason) for name, (path, reason) in problems.items()]
        wanted = [(name, path) for name, path in paths.items() if names is None or name in names]
        if names is not None:
            found = [one for one in found if one.name in names]
        found = [replace(one, overrides=given.get(one.name, NONE)) for one in self._beside_built_in(found)]
        found.extend(await self.declaring.read(wanted, lambda file: self._judge_file(file, given)))
        self.declaring.forget_missing(paths, names)
        found.extend(
            Found(job.name, "", settings=job.settings, schedule=job.settings.schedule(self._timezone))
            for job in self._built_in.values()
            if names is None or job.name in names
        )
        return sorted(found, key=lambda one: one.name)

    def _beside_built_in(self, found: list[Found]) -> list[Found]:
        """Return what cannot be jobs, without files that have the name of one of the engine's own."""
        for one in found:
            if one.name in self._built_in:
                logger.warning("%s is left out: %s", one.path, one.error)
        return [one for one in found if one.name not in self._built_in]

    async def source(self, job: Job) -> Source:
        """Return a job file's present text; it is read only when its size or time changed.

        Raises:
            JobFileError: the file is gone or cannot be used, or the job is one of the engine's own.
        """
        if job.work is not None:
            raise JobFileError(f"job {job.name} is the engine's own and has no file")
        return await self._sources.present(job.path)

    def library(self) -> Library:
        """Return a reader of library modules for one run."""
        return self._sources.library()

    async def declare_text(self, name: str, path: str, text: bytes) -> Found:
        """Declare a text as if it were this job's file, and return what it is."""
        declaration = await self._declare(path, text, self.library())
        if declaration.interrupted:
            # The machine's fault, perhaps, as in `_find`.
            declaration = await self._declare(path, text, self.library())
        return self._judge(name, path, sha256(text), declaration, NONE)

    # Reading

    def _changed_modules(self, names: list[str]) -> tuple[dict[str, str | None], dict[str, list[str]]]:
        """Return the library modules that are not as these jobs know them: the hash of each, and its jobs."""
        present: dict[str, str | None] = {}
        changed: dict[str, list[str]] = {}
        for job in [self.jobs[name] for name in names if name in self.jobs]:
            for module, known in job.modules.items():
                if module not in present:
                    present[module] = self._sources.module_hash(module)
                if present[module] != known:
                    changed.setdefault(module, []).append(job.name)
        return {module: present[module] for module in changed}, dict(sorted(changed.items()))

    def _know_modules(self, outlook: Outlook) -> None:
        """Note at their jobs how modules are now, so that they are not told of again."""
        for module, names in outlook.modules.items():
            for name in names:
                self.jobs[name].modules[module] = outlook.hashes[module]

    def _judge_file(self, file: FileRead, overrides: Mapping[str, Overrides]) -> Found:
        """Return what a file is that was read just now."""
        given = overrides.get(file.name, NONE)
        if file.declared is None:
            return Found(file.name, file.path, error=file.error, overrides=given)
        return self._judge(file.name, file.path, file.declared.source_hash, file.declared.declaration, given)

    def _judge(
        self, name: str, path: str, source_hash: str, declaration: Declaration, overrides: Overrides
    ) -> Found:
        found = Found(name, path, source_hash, overrides=overrides)
        if declaration.error is not None:
            return replace(found, error=declaration.error, line=declaration.line)
        return self.judged(replace(found, declared=declaration.settings or {}))

    def judged(self, found: Found) -> Found:
        """Return a file with the settings that count, or with the reason why there are none."""
        try:
            return self.checked(found)
        except JobFileError as error:
            problem, problems = str(error), error.problems
        if found.overrides:
            problem = self._own_problem(found) or (
                f"{problem}; of the settings, an operator gave {', '.join(found.overrides)}: "
                f"`moontide unset {found.name}` lets the file's count"
            )
        return replace(found, error=problem, problems=problems)

    def _own_problem(self, found: Found) -> str | None:
        """Return what is wrong with a file without the operator's settings."""
        try:
            self.checked(replace(found, overrides=NONE))
        except JobFileError as error:
            return str(error)
        return None

    def checked(self, found: Found) -> Found:
        """Return a file with the settings that count: the operator's in the place of its own.

        Raises:
            JobFileError: they cannot be used.
        """
        settings = parse_settings(
            merged(found.declared, found.overrides, self.kinds),
            default_timezone=self._timezone,
            ceilings=self._ceilings,
            additions=self._additions,
        )
        check_receiver(settings.alerts, self._receivers)
        schedule = settings.schedule(
            self._timezone, job=found.name, named=self._named, additions=self._additions
        )
        blackout = settings.blackouts(self._timezone, self._named_blackouts)
        return replace(found, settings=settings, schedule=schedule, blackout=blackout, error=None)

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
        job.work = self._built_in[one.name].work if one.name in self._built_in else None
        job.settings, job.schedule, job.source_hash = one.settings, one.schedule, one.source_hash
        job.blackout, job.declared, job.overrides = one.blackout, one.declared, one.overrides
        job.last = job.last or last
        job.modules.update(self.declaring.modules(one.name))
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
