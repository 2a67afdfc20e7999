"""The jobs folder as the engine knows it: every job with its settings, its schedule and its state.

The folder is read at start, at a reload and, while it is watched, when a file was saved. Files are
declared in the sandbox side by side; a file that did not change since (nor a library module it uses) is
not declared again. All jobs then take their new state at one instant, so that a run which ends meanwhile
is never overtaken.
"""

from __future__ import annotations

import asyncio
import hashlib
import logging
import os
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path
from typing import Any

from engine import ledger, lifecycle, schedulekinds
from engine.additions import NOTHING_ADDED, Additions
from engine.blackout import Blackout
from engine.clock import Clock
from engine.errors import JobFileError, JobNotFound
from engine.job import BuiltIn, Job, LastRun, Source, StoredJob
from engine.jobfile import JobSettings, parse_settings
from engine.jobfolder import library_path, read_job_file, scan_jobs
from engine.lifecycle import JobState, Missed
from engine.overrides import NONE, Overrides, merged
from engine.run import Limits
from engine.sandbox.program import Declaration
from engine.schedule import Schedule
from engine.states import JobStatus

logger = logging.getLogger("moontide.catalog")

#: How many files are declared side by side while the folder is read.
DECLARE_TOGETHER = 8

Declare = Callable[[str, bytes, "Library"], Awaitable[Declaration]]


@dataclass(frozen=True, slots=True)
class Found:
    """What one file turned out to be: settings, or the reason why there are none.

    Attributes:
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
    declared: Any = None
    overrides: Overrides = field(default_factory=dict)


@dataclass(slots=True)
class Changes:
    """What reading the folder changed.

    Attributes:
        modules: library modules that changed, by name the jobs that are known to use each.
        dropped: operators' settings that count no longer, by job.
    """

    added: list[Job] = field(default_factory=list)
    changed: list[Job] = field(default_factory=list)
    removed: list[Job] = field(default_factory=list)
    revived: list[Job] = field(default_factory=list)
    touched: list[Job] = field(default_factory=list)
    missed: list[tuple[Job, Missed]] = field(default_factory=list)
    start_now: list[Job] = field(default_factory=list)
    modules: dict[str, list[str]] = field(default_factory=dict)
    dropped: dict[str, Overrides] = field(default_factory=dict)
    unchanged: int = 0


@dataclass(frozen=True, slots=True)
class _Declared:
    """A file's declaration, good as long as its text and the modules it used stay the same."""

    source_hash: str
    modules: Mapping[str, str]
    declaration: Declaration


class Library:
    """Answers `require` from `jobs/lib/`, and remembers what was asked for.

    It also stands as the host of the declare phase, in which nothing else may be called.
    """

    def __init__(self, folder: Path, max_bytes: int) -> None:
        self._folder = folder
        self._max_bytes = max_bytes
        self.modules: dict[str, str] = {}

    async def call(self, method: str, args: list[Any]) -> list[Any]:
        """Refuse: core functions are for `job.run()`."""
        raise JobFileError(f"core.{method}: only inside job.run()")

    def notify(self, method: str, args: list[Any]) -> None:
        """Ignore: core functions are for `job.run()`."""

    async def require(self, module: str) -> bytes:
        """Return the source of a library module.

        Raises:
            JobFileError: there is no such module, or its name is not that of one.
        """
        path = library_path(module)
        try:
            text = await asyncio.to_thread(read_job_file, self._folder, path, self._max_bytes)
        except JobFileError as error:
            raise JobFileError(f"{path}: {error}") from error
        self.modules[module] = sha256(text)
        return text


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
        additions: Additions = NOTHING_ADDED,
        built_in: Iterable[BuiltIn] = (),
    ) -> None:
        """Make a catalog of a folder; nothing is read before `load`.

        Args:
            declare: runs a file's declare phase in the sandbox.
            timezone: for jobs that name none.
            ceilings: the most that a job's settings may ask for.
            source_bytes: size up to which a file is taken.
            named_schedules: cron lines that job files may name.
            named_blackouts: windows without runs that they may name.
            additions: what plugins add to job files.
            built_in: the engine's own jobs, which are there whatever the folder holds.
        """
        self._built_in = {job.name: job for job in built_in}
        self._additions = additions
        self.kinds = (*schedulekinds.BUILT_IN, *additions.kinds)
        self._named = named_schedules
        self._named_blackouts = named_blackouts
        self.folder = folder
        self.jobs: dict[str, Job] = {}
        #: Jobs whose file was removed: runs of theirs may go on, and count when the file is back.
        self._away: dict[str, Job] = {}
        self._declare = declare
        self._clock = clock
        self._timezone = timezone
        self._ceilings = ceilings
        self._source_bytes = source_bytes
        self._declared: dict[str, _Declared] = {}
        self._sources: dict[str, tuple[tuple[int, int, int], Source]] = {}

    def job(self, name: str) -> Job:
        """Return a job by its name.

        Raises:
            JobNotFound: there is none; the message suggests the nearest names.
        """
        try:
            return self.jobs[name]
        except KeyError:
            raise JobNotFound(name, self.jobs) from None

    async def load(self, stored: Mapping[str, StoredJob], session: int) -> Changes:
        """Read the folder as an engine starts, and go on from what the database remembers."""
        found = await self.look(overrides=self._overrides(stored))
        now = self._clock.now()
        changes = Changes()
        for one in found:
            self._arm_at_start(one, stored.get(one.name), now, session, changes)
        for name in sorted(stored.keys() - self.jobs.keys()):
            if (gone := stored[name]).listed:
                job = Job(name, f"{name}.lua", gone.state, overrides=gone.overrides)
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
        wanted = None if names is None else set(names)
        kept = self._overrides(stored)
        counting: Mapping[str, Overrides] = {} if override else kept
        found = await self.look(wanted, overrides=counting)
        modules = await asyncio.to_thread(self._changed_modules, [one.name for one in found])
        now = self._clock.now()
        changes = Changes(modules=modules)
        if override:
            self._take_files(found, kept, changes)
        for one in found:
            self._arm_at_reload(one, stored.get(one.name), now, session, changes)
        self._drop_missing({one.name for one in found}, wanted, counting, now, changes)
        return changes

    def change(self, job: Job, found: Found, session: int) -> Changes:
        """Let other settings of a job take effect at once, while its file stays as it was."""
        before, now, changes = job.state, self._clock.now(), Changes()
        if found.settings is None:
            state = lifecycle.found_invalid(before, found.error or "", now=now)
        else:
            state = lifecycle.settings_changed(
                before, found.settings, found.schedule, now=now, session=session
            )
        self._put(found, before, job.last)
        job.state = state
        ledger.note_given_up(job, before, now)
        self._note(job, False, before, True, changes)
        return changes

    def _overrides(self, stored: Mapping[str, StoredJob]) -> dict[str, Overrides]:
        """Return the operators' settings of all jobs that have any, also of those whose files were away."""
        remembered = {name: job.overrides for name, job in stored.items() if job.overrides}
        return remembered | {name: job.overrides for name, job in self.jobs.items()}

    def _take_files(self, found: list[Found], kept: Mapping[str, Overrides], changes: Changes) -> None:
        """Let nothing count that operators changed of these jobs."""
        for one in found:
            if kept.get(one.name):
                changes.dropped[one.name] = kept[one.name]
            job = self.jobs.get(one.name)
            if job is not None and one.settings is not None:
                job.state = lifecycle.switch_of_file(job.state, one.settings)

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
        found.extend(await self._declare_all(wanted, given))
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
        known = self._sources.get(job.path)
        if known is not None and known[0] == self._stamp(job.path):
            return known[1]
        source = await asyncio.to_thread(self._read, job.path)
        return source

    def library(self) -> Library:
        """Return a reader of library modules for one run."""
        return Library(self.folder, self._source_bytes)

    async def declare_text(self, name: str, path: str, text: bytes) -> Found:
        """Declare a text as if it were this job's file, and return what it is."""
        declaration = await self._declare(path, text, self.library())
        return self._judge(name, path, sha256(text), declaration, NONE)

    # Reading

    async def _declare_all(
        self, wanted: list[tuple[str, str]], overrides: Mapping[str, Overrides]
    ) -> list[Found]:
        queue = list(reversed(wanted))
        found: list[Found] = []
        module_hashes: dict[str, str | None] = {}

        async def take() -> None:
            while queue:
                name, path = queue.pop()
                given = overrides.get(name, NONE)
                found.append(await self._find(name, path, given, module_hashes))

        await asyncio.gather(*(take() for _ in range(min(DECLARE_TOGETHER, len(queue)))))
        return found

    async def _find(
        self, name: str, path: str, overrides: Overrides, module_hashes: dict[str, str | None]
    ) -> Found:
        try:
            source = self._read(path)
        except JobFileError as error:
            return Found(name=name, path=path, error=str(error), overrides=overrides)
        declared = self._declared.get(name)
        if declared is None or not self._still_good(declared, source, module_hashes):
            declared = await self._declare_source(path, source)
            if declared.declaration.interrupted:
                # The machine's fault, perhaps; a file that is at fault itself fails again.
                declared = await self._declare_source(path, source)
            self._declared[name] = declared
        return self._judge(name, path, source.hash, declared.declaration, overrides)

    async def _declare_source(self, path: str, source: Source) -> _Declared:
        library = self.library()
        declaration = await self._declare(path, source.text, library)
        return _Declared(source.hash, library.modules, declaration)

    def _still_good(self, declared: _Declared, source: Source, module_hashes: dict[str, str | None]) -> bool:
        if declared.source_hash != source.hash or declared.declaration.error is not None:
            return False
        for module, known in declared.modules.items():
            if module not in module_hashes:
                module_hashes[module] = self._module_hash(module)
            if module_hashes[module] != known:
                return False
        return True

    def _module_hash(self, module: str) -> str | None:
        try:
            return sha256(read_job_file(self.folder, library_path(module), self._source_bytes))
        except JobFileError:
            return None

    def _changed_modules(self, names: list[str]) -> dict[str, list[str]]:
        """Return the library modules that are not as these jobs knew them, and from now on know them."""
        present: dict[str, str | None] = {}
        changed: dict[str, list[str]] = {}
        for job in [self.jobs[name] for name in names if name in self.jobs]:
            for module, known in list(job.modules.items()):
                if module not in present:
                    present[module] = self._module_hash(module)
                if present[module] != known:
                    changed.setdefault(module, []).append(job.name)
                    job.modules[module] = present[module]
        return dict(sorted(changed.items()))

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
            problem = str(error)
        if found.overrides:
            problem = self._own_problem(found) or (
                f"{problem}; of the settings, an operator gave {', '.join(found.overrides)}: "
                f"`moontide unset {found.name}` lets the file's count"
            )
        return replace(found, error=problem)

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
        schedule = settings.schedule(
            self._timezone, job=found.name, named=self._named, additions=self._additions
        )
        blackout = settings.blackouts(self._timezone, self._named_blackouts)
        return replace(found, settings=settings, schedule=schedule, blackout=blackout, error=None)

    def _read(self, path: str) -> Source:
        stamp = self._stamp(path)
        text = read_job_file(self.folder, path, self._source_bytes)
        source = Source(text, sha256(text))
        if stamp is not None:
            self._sources[path] = (stamp, source)
        return source

    def _stamp(self, path: str) -> tuple[int, int, int] | None:
        try:
            status = os.stat(os.path.join(self.folder, path), follow_symlinks=False)
        except OSError:
            return None
        return (status.st_mtime_ns, status.st_size, status.st_ino)

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

    def _arm_at_reload(
        self, one: Found, stored: StoredJob | None, now: datetime, session: int, changes: Changes
    ) -> None:
        known = self.jobs.get(one.name)
        away = known or self._away.get(one.name)
        before = away.state if away else stored.state if stored else None
        last = away.last if away else stored.last if stored else None
        old = (known.source_hash, known.settings, known.overrides) if known else None
        if one.settings is None:
            state = lifecycle.found_invalid(before, one.error or "", now=now)
        else:
            arm = lifecycle.at_reload if known else lifecycle.at_return
            state = arm(before, one.settings, one.schedule, now=now, session=session)
        job = self._put(one, before, last)
        job.state = state
        if known is not None and before is not None:
            ledger.note_given_up(job, before, now)
        edited = old != (one.source_hash, one.settings, one.overrides)
        self._note(job, known is None, before, edited, changes)

    def _note(self, job: Job, new: bool, before: JobState | None, edited: bool, changes: Changes) -> None:
        if new:
            changes.added.append(job)
        elif edited:
            changes.changed.append(job)
        elif job.work is None:
            changes.unchanged += 1
        if before is not None and job.state != before:
            dead = before.status in (JobStatus.STOPPED, JobStatus.INACTIVE, JobStatus.INVALID)
            if dead and job.state.status in (JobStatus.WAITING, JobStatus.ONCE):
                changes.revived.append(job)
        if new or edited or job.state != before:
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
        declared = self._declared.get(one.name)
        for module, module_hash in declared.modules.items() if declared else ():
            job.modules[module] = module_hash
        return job

    def _drop_missing(
        self,
        seen: set[str],
        wanted: set[str] | None,
        overrides: Mapping[str, Overrides],
        now: datetime,
        changes: Changes,
    ) -> None:
        for name in [name for name in self.jobs if name not in seen]:
            if wanted is None or name in wanted:
                job = self._away[name] = self.jobs.pop(name)
                job.overrides = overrides.get(name, NONE)
                self._note_removed(job, now, changes)

    def _note_removed(self, job: Job, now: datetime, changes: Changes) -> None:
        ledger.note_removed(job, now)
        changes.removed.append(job)


def _note_past(job: Job, before: JobState, missed: Missed | None, now: datetime) -> None:
    """Note what became of the time for which a job was planned when the last engine stopped."""
    if missed is not None and before.due is not None:
        ledger.note_missed(job, before.due, missed, now)
    else:
        ledger.note_given_up(job, before, now)


def sha256(text: bytes) -> str:
    """Return the hash by which a source is known, in hexadecimal."""
    return hashlib.sha256(text).hexdigest()
