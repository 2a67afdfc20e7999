"""What the engine promises of jobs and runs, as a model: sections 6 and 7 of the design in one small program.

It shares no code with the engine and keeps nothing in a database; it is to be read as a specification. A
job's file being bad lies over its mode here, and does not replace it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

from tests.engine.model.files import FOREVER, TICK, File, Hold

DAY = timedelta(hours=24)
RETRY_DELAY = timedelta(seconds=30.25)
MOST_CRASHES = 3

#: Ends that count as the job's failure, and those that nobody holds against it.
FAILED = ("ERROR", "TIMEOUT", "CRASHED")
NOT_ITS_DOING = ("CANCELLED", "SKIPPED")

#: A group or a tag, as what runs are counted by.
Label = tuple[str, str]

#: Runs that nobody asked for.
OWN = ("schedule", "start", "missed")


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
        read: its file as it was read last; `file` is that with the operator's settings.
        owed: the latest time that passed while it was held or no engine ran, unless a run stands for it or
            something else became of a later one.
        last: when the run started that was heard of last.
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
    read: File | None = None
    overrides: dict[str, Any] = field(default_factory=dict)
    owed: datetime | None = None
    last: datetime | None = None

    @property
    def good_file(self) -> File | None:
        return None if self.bad else self.file

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
class Given:
    """A schedule given at run time that is due again and again.

    Attributes:
        number: by which the engine knows it.
        runs: those that it made in this session, retries apart.
        waits: its job was gone or bad when it was due; it waits until that is over.
    """

    job: Job
    number: int
    every: timedelta
    next: datetime
    runs: list[Run] = field(default_factory=list)
    waits: bool = False

    def pass_by(self, now: datetime) -> None:
        """Go on with the first time to come."""
        self.next += (max(now - self.next, timedelta()) // self.every + 1) * self.every


@dataclass(eq=False)
class Run:
    """A run, from its making to its end.

    Attributes:
        file: by which its waiting goes; its job's, as long as that is good.
        counts: the limited groups and tags in which it takes a place while it runs.
        given: the schedule given at run time that it comes from, if that is due again and again.
        single: it comes from one for a single run.
        first_trigger: of a retry, why there was the first attempt.
    """

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
    counts: tuple[Label, ...] = ()
    given: Given | None = None
    single: bool = False
    first_trigger: str = ""

    @property
    def is_own(self) -> bool:
        """Whether nobody asked for it: a retry is what its first attempt was."""
        return (self.first_trigger or self.trigger) in OWN


@dataclass
class Reference:
    """The engine's promises, carried out."""

    now: datetime
    pool: int
    group_limits: Mapping[str, int] = field(default_factory=dict)
    tag_limits: Mapping[str, int] = field(default_factory=dict)
    holds: dict[tuple[str, str, str], Hold] = field(default_factory=dict)
    disk: dict[str, File] = field(default_factory=dict)
    jobs: dict[str, Job] = field(default_factory=dict)
    runs: list[Run] = field(default_factory=list)
    given: list[Given] = field(default_factory=list)
    _arrivals: int = 0

    def of(self, *statuses: str, job: Job | None = None) -> list[Run]:
        """Return the runs in these states, of one job or of all."""
        return [run for run in self.runs if run.status in statuses and job in (None, run.job)]

    # Starts, reloads and the operator

    def start(self) -> None:
        """An engine starts; what an earlier one left unfinished has crashed, which no job is to blame for."""
        for run in self.of("QUEUED", "RUNNING"):
            run.status = "CRASHED"
        self.holds = {key: hold for key, hold in self.holds.items() if not self._is_over(hold)}
        for job in self.jobs.values():
            if job.listed and job.name not in self.disk and job.next is not None:
                job.owed = None
            job.listed, job.once_ran = False, False
        at_once = [job for name in sorted(self.disk) if (job := self._read(name, starting=True)) is not None]
        self._make_up({job: job.last for job in self.jobs.values()})
        self._serve_schedules()
        for job in at_once:
            self._start_now(job)
        for given in self.given:
            given.runs, given.waits = [], False
            if given.next <= self.now:
                given.pass_by(self.now)
        self._serve_planned()

    def _start_now(self, job: Job) -> None:
        """A job asks for a run because the engine starts."""
        if self.held(job) is not None:
            job.owed = self.now
        else:
            self._offer(Run(job, "start", self.now, job.file), "coalesce")

    def stop(self) -> None:
        """The engine stops: nothing waits any longer, what runs is cancelled."""
        for run in self.of("QUEUED"):
            self._withdraw(run, "CANCELLED")
        for run in self.of("RUNNING"):
            self._end(run, CANCELLED)

    def reload(self) -> None:
        """The folder is read again."""
        before = {job.name: job.good_file for job in self.jobs.values() if job.listed}
        away = [given for given in self.given if given.waits]
        for name in sorted(self.disk):
            self._read(name, starting=False)
        for job in self.jobs.values():
            if job.listed and job.name not in self.disk and job.next is not None:
                job.owed = None
            job.listed = job.name in self.disk
        for given in away:
            if self._usable(given.job):
                given.waits = False
                given.pass_by(self.now)
        self._take_effect([job for job in self.jobs.values() if job.listed], before)

    def _take_effect(self, jobs: list[Job], before: Mapping[str, File | None]) -> None:
        """Waiting runs go by what their jobs are now; those that nothing holds any more make up for it."""
        let_go = {job: job.last for job in jobs if _groups(job.good_file) != _groups(before.get(job.name))}
        for job in jobs:
            self._look_at_waiting(job)
        self._admit()
        self._serve_planned()
        self._make_up(let_go)
        self._serve_planned()
        self._serve_schedules()

    def _look_at_waiting(self, job: Job) -> None:
        self._skip_pointless(job)
        for run in self.of("QUEUED", job=job):
            if self.disabled(job):
                self._withdraw(run, "SKIPPED")
            run.file = job.good_file or run.file

    # Schedules given at run time

    def give(self, name: str, every: timedelta, number: int) -> None:
        """A person gives a job a schedule that is due again and again, in place of the one it had."""
        for earlier in [given for given in self.given if given.job.name == name]:
            self.take_back(earlier)
        self.given.append(Given(self.jobs[name], number, every, self.now + every))

    def take_back(self, given: Given) -> None:
        """A person ends such a schedule, with its runs that are still to come."""
        self.given.remove(given)
        self._cancel_planned([run for run in self.of("PLANNED", job=given.job) if run.given is given])

    def give_single(self, name: str, due: datetime) -> None:
        """A person gives a job a time for a single run, in place of the one it had."""
        job = self.jobs[name]
        self._cancel_planned([run for run in self.of("PLANNED", job=job) if run.single])
        self.runs.append(Run(job, "given", due, job.file, single=True))

    def _cancel_planned(self, runs: list[Run]) -> None:
        for run in runs:
            run.status = "CANCELLED"

    def _serve_given(self) -> None:
        for given in self.given:
            if given.next > self.now or given.waits:
                continue
            if not self._usable(given.job):
                given.waits = True
                continue
            due, made = given.next, self._may_make(given)
            given.pass_by(self.now)
            if made:
                run = Run(given.job, "given", due, given.job.file, given=given)
                self.runs.append(run)
                self._replace(given)
                given.runs.append(run)

    def _may_make(self, given: Given) -> bool:
        """Return whether a due time of a given schedule makes a run."""
        job, file = given.job, given.job.file
        assert file is not None
        given.runs = [run for run in given.runs if run.status in ("PLANNED", "QUEUED", "RUNNING")]
        if self.held(job, given.next) or file.is_dark(given.next):
            return False
        if job.mode in ("SLEEPING", "STOPPED", "INACTIVE"):
            return False
        if file.overlap == "coalesce":
            return all(run.status == "RUNNING" for run in given.runs)
        return file.overlap != "skip" or not given.runs

    def _replace(self, given: Given) -> None:
        """A later run of a given schedule takes the place of its earlier ones, if its job wants that."""
        if given.job.file is not None and given.job.file.overlap == "replace":
            for run in given.runs:
                self.cancel(run)

    def _usable(self, job: Job) -> bool:
        return job.listed and not job.bad

    # Settings of the operator's

    def set(self, name: str, setting: str, value: Any) -> None:
        """A person lets a value count instead of the file's."""
        self._override(self.jobs[name], self.jobs[name].overrides | {setting: value})

    def unset(self, name: str) -> None:
        """A person lets the file's values count again."""
        self._override(self.jobs[name], {})

    def _override(self, job: Job, overrides: dict[str, Any]) -> None:
        """It is no reload: a job that waits for one goes on waiting."""
        assert job.read is not None
        before, planned = {job.name: job.good_file}, job.next
        job.overrides, job.file = overrides, with_overrides(job.read, overrides)
        if job.mode not in ("STOPPED", "INACTIVE"):
            self._arm(job, job.file, was_bad=False, starting=False)
        self._give_up(job, planned, was_bad=False)
        self._take_effect([job], before)

    # What keeps jobs from running

    def hold(self, hold: Hold) -> None:
        """A group is disabled: what waits of it ends. Or something is paused: what waits goes on waiting."""
        self.holds[hold.key] = hold
        for run in self.of("QUEUED"):
            if hold.kind == "disabled" and hold.concerns(run.job.name, run.job.good_file):
                self._withdraw(run, "SKIPPED")
        self._admit()
        self._serve_planned()

    def lift(self, hold: Hold) -> None:
        """It is over: what waited for that goes on, and one run makes up for what passed."""
        let_go = {
            job: job.last
            for job in self.jobs.values()
            if job.listed and hold.concerns(job.name, job.good_file)
        }
        del self.holds[hold.key]
        self._admit()
        self._serve_planned()
        self._make_up(let_go)
        self._serve_planned()

    def held(self, job: Job, due: datetime | None = None) -> Hold | None:
        """Return what keeps a job from running, now or at a time: that which lasts longest."""
        concerning = [hold for hold in self.holds.values() if hold.concerns(job.name, job.good_file)]
        lasting = [hold for hold in concerning if due is None or (hold.until or FOREVER) > due]
        return max(lasting, key=lambda hold: hold.until or FOREVER, default=None)

    def disabled(self, job: Job) -> bool:
        """Return whether a group of a job is disabled."""
        return any(
            hold.kind == "disabled" and hold.concerns(job.name, job.good_file) for hold in self.holds.values()
        )

    def next_of(self, job: Job) -> datetime | None:
        """Return when a job runs next, as things stand."""
        due, hold = job.due, self.held(job)
        if due is None or hold is None or (hold.until is not None and due >= hold.until):
            return due
        if hold.until is None or job.file is None:
            return None
        if job.file.run_skipped and not job.file.run_once:
            return hold.until
        return job.file.after(due, hold.until - TICK)

    def _is_over(self, hold: Hold) -> bool:
        return hold.until is not None and hold.until <= self.now

    def _make_up(self, let_go: Mapping[Job, datetime | None]) -> None:
        """Plan one run for each job that owes one; `let_go` says when each one's last run began."""
        for job, last in let_go.items():
            file, owed = job.good_file, job.owed
            if file is None or not job.listed or not file.run_skipped or file.run_once or owed is None:
                continue
            if self.held(job) is None and job.mode in ("WAITING", "EXPIRED") and not (last and last > owed):
                job.owed = None
                self.runs.append(Run(job, "missed", owed, file))

    def activate(self, name: str) -> None:
        """A person switches a job on; that alone does not make it due."""
        self.jobs[name].on = True

    def deactivate(self, name: str) -> None:
        """A person switches a job off; what waits of it by its schedule ends at once."""
        job = self.jobs[name]
        if job.on:
            planned = job.next
            self._switch_off(job)
            self._give_up(job, planned, was_bad=job.bad)
            self._skip_pointless(job)
            self._admit()
            self._serve_planned()

    def _read(self, name: str, *, starting: bool) -> Job | None:
        """Take a file as it is now; return the job if it is to run at once."""
        file, job = self.disk[name], self.jobs.setdefault(name, Job(name))
        away, job.listed = not job.listed, True
        if file.bad:
            job.bad = True
            return None
        file, planned = with_overrides(file, job.overrides), job.next
        was_bad, job.bad, job.file, job.read = job.bad, False, file, self.disk[name]
        if file.active != job.declared:
            job.declared = job.on = file.active
            if not job.on:
                job.becomes("INACTIVE")
        if not job.on:
            job.becomes("INACTIVE")
        else:
            self._arm(job, file, was_bad=was_bad, starting=starting)
        passed = away and job.next is not None and job.next <= self.now
        if passed and job.mode != "ONCE":
            self._pass_over(job, file, job.next, starting=starting)
        elif starting or not away:
            self._give_up(job, planned, was_bad=was_bad)
        elif passed:
            job.next = file.after(job.next, self.now)
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
        last = due if job.mode == "SLEEPING" else file.latest(due, self.now)
        job.waits(file, file.after(due, self.now))
        if starting and file.run_skipped and self.held(job) is None:
            job.owed = None
            self.runs.append(Run(job, "missed", last, file))
        elif starting:
            job.owed = last

    def _give_up(self, job: Job, planned: datetime | None, *, was_bad: bool) -> None:
        """A time was planned before a job changed; if it is no longer, that is the latest of its times."""
        if planned is None or planned == job.next:
            return
        if planned <= self.now:
            job.owed = None if was_bad else planned
        elif job.next is None or job.mode == "SLEEPING":
            job.owed = None

    # Time

    def earliest(self) -> datetime | None:
        """Return when something is due next."""
        times = [job.due for job in self.jobs.values()] + [run.due for run in self.of("PLANNED")]
        times += [hold.until for hold in self.holds.values()] + [given.next for given in self.given]
        return min((time for time in times if time is not None and time > self.now), default=None)

    def pass_time(self, until: datetime) -> None:
        """The clock shows another time, and what is due by then is served."""
        self.now = until
        self._serve_schedules()
        self._serve_given()
        self._serve_planned()
        for hold in [hold for hold in self.holds.values() if self._is_over(hold)]:
            self.lift(hold)

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
        once, held = job.mode == "ONCE", self.held(job, due)
        overtaken = (file.after(due, due) or FOREVER) <= self.now
        if once:
            job.next = None
        else:
            job.waits(file, file.after(due, self.now))
        if held is not None or file.is_dark(due):
            if once:
                job.next = file.after(due, self.now)
            job.owed = file.latest(due, self.now) if held else None
            return []
        replaced = self.of("RUNNING", job=job) if file.overlap == "replace" else []
        if file.overlap == "replace":
            for run in self.of("QUEUED", job=job):
                self._withdraw(run, "SKIPPED")
        taken = self._offer(Run(job, "schedule", due, file), file.overlap)
        if once and not taken:
            # The run that it owes is still to come.
            job.next = file.after(due, self.now)
        if not taken or overtaken:
            job.owed = None
        return replaced

    def _serve_planned(self) -> None:
        for run in sorted(
            (run for run in self.of("PLANNED") if run.due <= self.now), key=lambda run: run.due
        ):
            switched_off = run.trigger in ("retry", "missed") and not run.job.on
            if (run.given or run.single) and not self._usable(run.job):
                continue  # It waits for its job's file.
            if not self._usable(run.job) or switched_off or self.disabled(run.job):
                run.status = "SKIPPED"
            elif self.held(run.job) is None:
                run.file = run.job.file
                self._offer_by_hand(run)

    # Runs

    def run(self, name: str) -> None:
        """A person runs a job."""
        self._offer_by_hand(Run(self.jobs[name], "manual", self.now, self.jobs[name].file))

    def finish(self, run: Run, end: End) -> None:
        """The code of a run has ended."""
        self._end(run, end)
        self._serve_planned()

    def cancel(self, run: Run) -> None:
        """A person cancels a run."""
        match run.status:
            case "PLANNED":
                run.status = "CANCELLED"
            case "QUEUED":
                self._withdraw(run, "CANCELLED")
            case "RUNNING":
                self._end(run, CANCELLED)
        self._serve_planned()

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
            free = [run for run in self.of("QUEUED") if self._may_start(run)]
            if not free:
                return
            run = min(free, key=lambda run: run.place)
            run.status, run.started, run.job.last = "RUNNING", self.now, self.now
            run.counts = tuple(label for label in _labels(run.file) if label in self._limits)
            if run.job.name not in self.disk:
                self._end(run, MISSING_FILE)

    def _may_start(self, run: Run) -> bool:
        paused = any(
            hold.kind == "paused" and hold.concerns(run.job.name, run.file) for hold in self.holds.values()
        )
        full = any(
            sum(label in other.counts for other in self.of("RUNNING")) >= most
            for label, most in self._limits.items()
            if label in _labels(run.file)
        )
        return not paused and not full and not (run.alone and self._runs_alone(run.job))

    @property
    def _limits(self) -> dict[Label, int]:
        """How many runs may go on at once, by group and by tag."""
        by_group = {("group", name): most for name, most in self.group_limits.items()}
        return by_group | {("tag", name): most for name, most in self.tag_limits.items()}

    def _runs_alone(self, job: Job) -> bool:
        return any(run.alone for run in self.of("RUNNING", job=job))

    def _withdraw(self, run: Run, status: str) -> None:
        run.status = status
        self._follow_up(run, End(status), retried=False)

    def _end(self, run: Run, end: End) -> None:
        run.status, run.returned = end.status, end.returned
        run.job.last = run.started
        retried = self._retry(run, end)
        self._follow_up(run, end, retried=retried)
        self._skip_pointless(run.job)
        self._admit()

    def _skip_pointless(self, job: Job) -> None:
        """End the waiting runs that nobody asked for of a job that is not due any more, or off."""
        quiet = job.bad or job.mode in ("SLEEPING", "STOPPED", "INACTIVE")
        for run in self.of("QUEUED", job=job):
            by_schedule = run.trigger in ("schedule", "start", "missed") or (
                run.trigger == "given" and not run.single
            )
            if (quiet and by_schedule) or (run.trigger == "retry" and not job.on):
                self._withdraw(run, "SKIPPED")

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
        again.given, again.single = run.given, run.single
        again.first_trigger = run.first_trigger or run.trigger
        self.runs.append(again)
        return True

    def _follow_up(self, run: Run, end: End, *, retried: bool) -> None:
        """Let a job go on as the end of its run says."""
        planned = run.job.next
        self._go_on(run, end, retried=retried)
        self._give_up(run.job, planned, was_bad=run.job.bad)

    def _go_on(self, run: Run, end: End, *, retried: bool) -> None:
        job, file = run.job, run.file if run.job.bad else run.job.file
        assert file is not None
        own_once = file.run_once and run.is_own
        dead = job.mode in ("STOPPED", "INACTIVE")
        goes_on = file.on_error == "continue" or run.given is not None or run.single
        if end.status in FAILED and (retried or (goes_on and run.crashes < MOST_CRASHES)):
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


def with_overrides(file: File, overrides: Mapping[str, Any]) -> File:
    """Return a file with the operator's settings; what makes a job due is taken as one thing."""
    if "every" in overrides:
        file = replace(file, cron=False, at=None)
    return replace(file, **overrides)


def _groups(file: File | None) -> tuple[str, ...] | None:
    return None if file is None else file.groups


def _labels(file: File | None) -> list[Label]:
    if file is None:
        return []
    return [*(("group", name) for name in file.groups), *(("tag", name) for name in file.tags)]
