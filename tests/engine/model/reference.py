"""What the engine promises of jobs and runs, as a model: sections 6 and 7 of the design in one small program.

It shares no code with the engine and keeps nothing in a database; it is to be read as a specification. A
job's file being bad lies over its mode here, and does not replace it.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

DAY = timedelta(hours=24)
FIVE_MINUTES = timedelta(minutes=5)
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
RETRY_DELAY = timedelta(seconds=30.25)
MOST_CRASHES = 3

#: Ends that count as the job's failure, and those that nobody holds against it.
FAILED = ("ERROR", "TIMEOUT", "CRASHED")
NOT_ITS_DOING = ("CANCELLED", "SKIPPED")

#: Runs that nobody asked for.
OWN = ("schedule", "start", "retry", "missed")


@dataclass(frozen=True)
class File:
    """A job file. It has one schedule at most: `every` seconds, each five minutes by cron, or at one date."""

    every: int | None = None
    cron: bool = False
    at: datetime | None = None
    run_once: bool = False
    run_at_start: bool = False
    run_skipped: bool = False
    active: bool = True
    on_error: str = "deactivate"
    overlap: str = "coalesce"
    priority: int = 0
    retries: int = 0
    bad: bool = False

    @property
    def schedule(self) -> tuple[object, ...] | None:
        """What tells one schedule from another; None without one."""
        return (self.every, self.cron, self.at) if self.every or self.cron or self.at else None

    def first(self, now: datetime) -> datetime | None:
        """Return when a job that is armed now is due."""
        if self.every:
            return now + timedelta(seconds=self.every)
        if self.cron:
            return now + FIVE_MINUTES - (now - EPOCH) % FIVE_MINUTES
        return self.at if self.at and self.at > now else None

    def after(self, due: datetime, now: datetime) -> datetime | None:
        """Return the first due time after one of them that is still to come."""
        if self.every:
            step = timedelta(seconds=self.every)
            return due + (max(now - due, timedelta()) // step + 1) * step
        return self.first(max(due, now))

    def latest(self, due: datetime, now: datetime) -> datetime:
        """Return the last due time from `due` until now."""
        following = self.after(due, due)
        while following is not None and following <= now:
            due, following = following, self.after(following, following)
        return due


@dataclass(frozen=True)
class End:
    """How a run's code ends: a status, what it returned, and the delay that RETRY wants."""

    status: str
    returned: str | None = None
    delay: timedelta | None = None


MISSING_FILE = End("ERROR")
CANCELLED = End("CANCELLED")


@dataclass(eq=False)
class Job:
    """A job: its last good file, and how it stands.

    Attributes:
        on: the switch of the operator and of job.EXIT.
        declared: `active` in the file as it was read last.
        timed_by: the schedule that `next` comes from.
        once_ran: its own run of this session, as a run-once job, is behind it.
    """

    name: str
    file: File | None = None
    bad: bool = False
    listed: bool = False
    mode: str = "NEW"
    on: bool = True
    declared: bool = True
    next: datetime | None = None
    timed_by: tuple[object, ...] | None = None
    once_ran: bool = False

    @property
    def due(self) -> datetime | None:
        return None if self.bad or not self.listed else self.next

    def becomes(self, mode: str, next_due: datetime | None = None) -> None:
        self.mode, self.next = mode, next_due

    def waits(self, file: File, next_due: datetime | None) -> None:
        over = file.schedule is not None and next_due is None
        self.becomes("EXPIRED" if over else "WAITING", next_due)
        self.timed_by = file.schedule


@dataclass(eq=False)
class Run:
    """A run, from its making to its end."""

    job: Job
    trigger: str
    due: datetime
    file: File | None
    status: str = "PLANNED"
    returned: str | None = None
    attempt: int = 1
    crashes: int = 0
    alone: bool = True
    place: tuple[int, int] = (0, 0)
    started: datetime | None = None


@dataclass
class Reference:
    """The engine's promises, carried out."""

    now: datetime
    pool: int
    disk: dict[str, File] = field(default_factory=dict)
    jobs: dict[str, Job] = field(default_factory=dict)
    runs: list[Run] = field(default_factory=list)
    _arrivals: int = 0

    def of(self, *statuses: str, job: Job | None = None) -> list[Run]:
        """Return the runs in these states, of one job or of all."""
        return [run for run in self.runs if run.status in statuses and job in (None, run.job)]

    # Starts, reloads and the operator

    def start(self) -> None:
        """An engine starts; what an earlier one left unfinished has crashed, which no job is to blame for."""
        for run in self.of("QUEUED", "RUNNING"):
            run.status = "CRASHED"
        for job in self.jobs.values():
            job.listed, job.once_ran = False, False
        at_once = [job for name in sorted(self.disk) if (job := self._read(name, starting=True)) is not None]
        self._serve_schedules()
        for job in at_once:
            self._offer(Run(job, "start", self.now, job.file), "coalesce")
        self._serve_planned()

    def stop(self) -> None:
        """The engine stops: nothing waits any longer, what runs is cancelled."""
        for run in self.of("QUEUED"):
            self._withdraw(run, "CANCELLED")
        for run in self.of("RUNNING"):
            self._end(run, CANCELLED)

    def reload(self) -> None:
        """The folder is read again."""
        for name in sorted(self.disk):
            self._read(name, starting=False)
        for job in self.jobs.values():
            job.listed = job.name in self.disk
        self._serve_schedules()

    def activate(self, name: str) -> None:
        """A person switches a job on; that alone does not make it due."""
        self.jobs[name].on = True

    def deactivate(self, name: str) -> None:
        """A person switches a job off."""
        if self.jobs[name].on:
            self._switch_off(self.jobs[name])

    def _read(self, name: str, *, starting: bool) -> Job | None:
        """Take a file as it is now; return the job if it is to run at once."""
        file, job = self.disk[name], self.jobs.setdefault(name, Job(name))
        away, job.listed = not job.listed, True
        if file.bad:
            job.bad = True
            return None
        was_bad, job.bad, job.file = job.bad, False, file
        if file.active != job.declared:
            job.declared = job.on = file.active
            if not job.on:
                job.becomes("INACTIVE")
        if not job.on:
            job.becomes("INACTIVE")
            return None
        self._arm(job, file, was_bad=was_bad, starting=starting)
        if away and job.next is not None and job.next <= self.now:
            self._pass_over(job, file, job.next, starting=starting)
        return job if starting and file.run_at_start and job.mode == "WAITING" else None

    def _arm(self, job: Job, file: File, *, was_bad: bool, starting: bool) -> None:
        """Keep the job's remaining time if it has one by this schedule; otherwise it begins anew."""
        timed = job.mode in ("WAITING", "ONCE") or (was_bad and job.mode == "SLEEPING")
        same = timed and job.next is not None and job.timed_by == file.schedule
        kept = job.next if same and (not was_bad or job.next > self.now) else None  # type: ignore[operator]
        if file.run_once and starting:
            job.becomes("ONCE", self.now if file.run_at_start else file.first(self.now))
        elif file.run_once and job.once_ran:
            job.becomes("ONCE DONE")
        elif file.run_once and job.mode == "ONCE" and job.next is None and not was_bad:
            pass  # Its run is under way.
        elif file.run_once:
            job.becomes("ONCE", kept or file.first(self.now))
        elif job.mode != "SLEEPING" or (was_bad and not kept):
            job.waits(file, kept or file.first(self.now))
        job.timed_by = file.schedule

    def _pass_over(self, job: Job, file: File, due: datetime, *, starting: bool) -> None:
        """Go on after due times that passed while no engine ran; one run may make up for all of them."""
        if job.mode == "ONCE":
            job.next = due if starting else file.after(due, self.now)
            return
        last = due if job.mode == "SLEEPING" else file.latest(due, self.now)
        job.waits(file, file.after(due, self.now))
        if starting and file.run_skipped:
            self.runs.append(Run(job, "missed", last, file))

    # Time

    def earliest(self) -> datetime | None:
        """Return when something is due next."""
        times = [job.due for job in self.jobs.values()] + [run.due for run in self.of("PLANNED")]
        return min((time for time in times if time is not None), default=None)

    def pass_time(self, until: datetime) -> None:
        """The clock shows another time, and what is due by then is served."""
        self.now = until
        self._serve_schedules()
        self._serve_planned()

    def _serve_schedules(self) -> None:
        due = sorted((job.due, job.name) for job in self.jobs.values() if job.due and job.due <= self.now)
        replaced: list[Run] = []
        for when, name in due:
            replaced += self._serve(self.jobs[name], when)
        for run in replaced:
            self._end(run, CANCELLED)

    def _serve(self, job: Job, due: datetime) -> list[Run]:
        """A due time has come; return the runs that have to make way."""
        file = job.file
        assert file is not None
        once = job.mode == "ONCE"
        if once:
            job.next = None
        else:
            job.waits(file, file.after(due, self.now))
        replaced = self.of("RUNNING", job=job) if file.overlap == "replace" else []
        if file.overlap == "replace":
            for run in self.of("QUEUED", job=job):
                self._withdraw(run, "SKIPPED")
        taken = self._offer(Run(job, "schedule", due, file), file.overlap)
        if once and not taken:
            # The run that it owes is still to come.
            job.next = file.after(due, self.now)
        return replaced

    def _serve_planned(self) -> None:
        for run in sorted(
            (run for run in self.of("PLANNED") if run.due <= self.now), key=lambda run: run.due
        ):
            switched_off = run.trigger == "retry" and not run.job.on
            if run.job.bad or not run.job.listed or switched_off:
                run.status = "SKIPPED"
            else:
                run.file = run.job.file
                self._offer_by_hand(run)

    # Runs

    def run(self, name: str) -> None:
        """A person runs a job."""
        self._offer_by_hand(Run(self.jobs[name], "manual", self.now, self.jobs[name].file))

    def finish(self, run: Run, end: End) -> None:
        """The code of a run has ended."""
        self._end(run, end)

    def cancel(self, run: Run) -> None:
        """A person cancels a run."""
        match run.status:
            case "PLANNED":
                run.status = "CANCELLED"
            case "QUEUED":
                self._withdraw(run, "CANCELLED")
            case "RUNNING":
                self._end(run, CANCELLED)

    def _offer_by_hand(self, run: Run) -> None:
        """Each run that was asked for counts: none stands for another."""
        assert run.file is not None
        self._offer(run, "allow" if run.file.overlap == "allow" else "queue")

    def _offer(self, run: Run, overlap: str) -> bool:
        """Let a run wait for its turn; return False if others of its job are in its way."""
        assert run.file is not None
        waiting, running = self.of("QUEUED", job=run.job), self.of("RUNNING", job=run.job)
        if (overlap == "coalesce" and waiting) or (overlap == "skip" and (waiting or running)):
            return False
        self._arrivals += 1
        run.status, run.place, run.alone = (
            "QUEUED",
            (-run.file.priority, self._arrivals),
            overlap != "allow",
        )
        if run not in self.runs:
            self.runs.append(run)
        self._admit()
        return True

    def _admit(self) -> None:
        """Start what may start: by priority, then first come first served, one of a job at a time."""
        while len(self.of("RUNNING")) < self.pool:
            free = [run for run in self.of("QUEUED") if not (run.alone and self._runs_alone(run.job))]
            if not free:
                return
            run = min(free, key=lambda run: run.place)
            run.status, run.started = "RUNNING", self.now
            if run.job.name not in self.disk:
                self._end(run, MISSING_FILE)

    def _runs_alone(self, job: Job) -> bool:
        return any(run.alone for run in self.of("RUNNING", job=job))

    def _withdraw(self, run: Run, status: str) -> None:
        run.status = status
        self._follow_up(run, End(status), retried=False)

    def _end(self, run: Run, end: End) -> None:
        run.status, run.returned = end.status, end.returned
        retried = self._retry(run, end)
        self._follow_up(run, end, retried=retried)
        if run.job.bad or run.job.mode in ("SLEEPING", "STOPPED", "INACTIVE"):
            for waiting in self.of("QUEUED", job=run.job):
                if waiting.trigger == "schedule":
                    self._withdraw(waiting, "SKIPPED")
        self._admit()

    def _retry(self, run: Run, end: End) -> bool:
        """Plan another attempt of a run that failed, if its job wants that; return whether there is one."""
        file = run.file if run.job.bad else run.job.file
        assert file is not None
        run.crashes += end.status == "CRASHED"
        if end.status not in FAILED or not run.job.on or run.crashes >= MOST_CRASHES:
            return False
        if run.attempt > file.retries:
            return False
        delay = RETRY_DELAY * 2 ** (run.attempt - 1) if end.delay is None else end.delay
        again = Run(run.job, "retry", self.now + delay, file, attempt=run.attempt + 1, crashes=run.crashes)
        self.runs.append(again)
        return True

    def _follow_up(self, run: Run, end: End, *, retried: bool) -> None:
        """Let a job go on as the end of its run says."""
        job, file = run.job, run.file if run.job.bad else run.job.file
        assert file is not None
        own_once = file.run_once and run.trigger in OWN
        dead = job.mode in ("STOPPED", "INACTIVE")
        if end.status in FAILED and (retried or (file.on_error == "continue" and run.crashes < MOST_CRASHES)):
            if own_once and not retried:
                self._once_is_behind(job)
        elif end.status in FAILED:
            self._switch_off(job)
        elif end.returned == "EXIT":
            if job.on:
                self._switch_off(job)
        elif own_once:
            self._once_is_behind(job)
        elif end.status in NOT_ITS_DOING or file.run_once or dead:
            pass  # No run revives a job.
        elif end.returned == "SLEEP":
            assert run.started is not None
            job.becomes("SLEEPING", run.started + DAY)
            job.timed_by = file.schedule
        elif end.returned == "STOP":
            job.becomes("STOPPED")
        elif job.mode == "SLEEPING" and not job.bad:
            assert run.started is not None
            job.waits(file, file.after(run.started, self.now))

    def _switch_off(self, job: Job) -> None:
        job.on = False
        job.becomes("INACTIVE")

    def _once_is_behind(self, job: Job) -> None:
        job.once_ran = True
        job.becomes("INACTIVE" if job.mode == "INACTIVE" else "ONCE DONE")
