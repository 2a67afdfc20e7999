"""Watches what happens to jobs, and keeps the alerts that follow from it.

The rules are in `engine.rules.alertwatch`, what people are told in `engine.alerts.announcer`. A job
without anything unusual costs two look-ups for each of its runs.
"""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from functools import partial
from statistics import median

from engine.alerts.alertbook import AlertBook
from engine.alerts.announcer import Announcer
from engine.alerts.expectations import Expectations
from engine.errors import StoreError
from engine.events import (
    AlertEnded,
    AlertRaised,
    Event,
    Events,
    JobChanged,
    JobsReloaded,
    RunFinished,
    RunQueued,
    RunsMissed,
    RunStarted,
)
from engine.jobs.alertrules import AlertRules
from engine.rules import alertwatch
from engine.rules.alertwatch import AlertKind, RunEnded, Shown, Step, Watch
from engine.rules.lifecycle import INACTIVE_IN_FILE, SWITCHED_OFF
from engine.runs.job import Job
from engine.runs.scheduler import Scheduler
from engine.states import JobStatus, RunStatus
from engine.store.alertrows import AlertQueries, AlertRow
from engine.store.queries import Queries
from engine.store.rows import GivenSchedule
from engine.times.clock import Clock
from engine.times.schedule import Schedule

logger = logging.getLogger("moontide.alerts")

#: COMPLETE runs that a job's usual time is taken from, and how many it takes at least.
USUAL_RUNS = 20
LEAST_RUNS = 5

#: Job states in which no run is to be expected.
_AT_REST = frozenset({JobStatus.DISABLED, JobStatus.EXPIRED, JobStatus.ONCE_DONE})

_WANTED = (RunStarted, RunFinished, JobChanged, RunQueued, RunsMissed, JobsReloaded)


@dataclass(slots=True, eq=False)
class _Watched:
    """One job under watch.

    Attributes:
        stood: status and reason as they were seen last.
        durations: of the last COMPLETE runs, where `slow_times` asks for them.
    """

    rules: AlertRules
    zone: str
    watch: Watch = field(default_factory=Watch)
    stood: tuple[str, str] = ("", "")
    durations: deque[float] | None = None

    @property
    def usual(self) -> float | None:
        """What its runs usually take."""
        known = self.durations
        return median(known) if known is not None and len(known) >= LEAST_RUNS else None

    @property
    def calm(self) -> bool:
        """Whether a COMPLETE run can tell nothing new."""
        rules, watch = self.rules, self.watch
        measured = rules.slow_after or rules.slow_times or rules.fast_under or rules.expect_every
        return watch.failed is False and not watch.ongoing and not measured


@dataclass(frozen=True, slots=True)
class _Timed:
    """A run with a limit: it may wait or take only so long."""

    job: str
    kind: AlertKind
    seconds: float


class Alerts:
    """Turns events into alerts."""

    def __init__(
        self,
        *,
        jobs: Mapping[str, Job],
        rules: AlertRules,
        timezone: str,
        book: AlertBook,
        queries: Queries,
        stored: AlertQueries,
        events: Events,
        clock: Clock,
        held: Callable[[Job], bool],
        runs_now: Callable[[str], bool],
        given: Callable[[str], Iterable[tuple[GivenSchedule, Schedule]]],
    ) -> None:
        """Make a watch over jobs; nothing is watched before `start`.

        Args:
            jobs: all jobs by name, as the engine has them.
            rules: for jobs that say nothing else.
            timezone: of quiet hours, for jobs that name none.
            held: whether a job is kept from running by a pause or a disabled group.
            runs_now: whether a run of a job goes on.
            given: the repeating schedules of a job that were given at run time and are in force.
        """
        self._jobs = jobs
        self._rules = rules
        self._timezone = timezone
        self._book = book
        self._queries = queries
        self._stored = stored
        self._events = events
        self._clock = clock
        self._held = held
        self._watched: dict[str, _Watched] = {}
        self._timed: dict[int, _Timed] = {}
        self._timer = Scheduler(clock=clock, on_due=lambda key, _: self._time_is_up(key))
        self.expectations = Expectations(
            jobs=jobs, clock=clock, runs_now=runs_now, missing=self._not_run, given=given
        )
        self._reading: set[asyncio.Task[None]] = set()
        self._unsubscribe: Callable[[], None] = lambda: None
        self.announcer = Announcer(
            book=book, events=events, clock=clock, rules_of=self.rules_of, timezone=timezone
        )

    async def start(self) -> None:
        """Take up the alerts of earlier engines, and watch; called before the jobs are read."""
        rows = await asyncio.to_thread(self._stored.open)
        self._book.take_up(rows, await asyncio.to_thread(self._stored.next_id))
        self._unsubscribe = self._events.subscribe(self.take, _WANTED)
        self._timer.start()
        self.expectations.start()

    def begin_to_tell(self, senders: int) -> None:
        """Tell people from now on; called when the jobs are read.

        Args:
            senders: how many subscribers send notices.
        """
        for job in {row.job for row in self._book.ongoing()}:
            self._look_again(job, self._clock.now())
        self.announcer.start(senders)

    async def stop(self) -> None:
        """Watch no more; alerts that go on are taken up by the next engine."""
        self._unsubscribe()
        self._timer.stop()
        self.expectations.stop()
        self.announcer.stop()
        for task in self._reading:
            task.cancel()
        if self._reading:
            await asyncio.wait(self._reading)

    def rules_of(self, job: str) -> tuple[AlertRules, str]:
        """Return a job's rules, and the time zone of its quiet hours."""
        watched = self._watched.get(job)
        return (self._rules, self._timezone) if watched is None else (watched.rules, watched.zone)

    # Events

    def take(self, event: Event) -> None:
        """See what an event changes."""
        match event:
            case RunStarted():
                self._started(event)
            case RunFinished():
                self._finished(event)
            case JobChanged():
                self._stands(event.job)
            case RunQueued():
                self._queued(event)
            case RunsMissed():
                self._step(event.job, event.at, partial(alertwatch.runs_missed, count=event.count))
            case JobsReloaded():
                self._reloaded(event)

    def _queued(self, event: RunQueued) -> None:
        limit = self._of(event.job).rules.late_after
        if limit:
            self._time(event.run, _Timed(event.job, AlertKind.LATE, limit), event.at)

    def _started(self, event: RunStarted) -> None:
        watched = self._of(event.job)
        if event.run in self._timed:
            self._forget(event.run)
        if watched.rules.missing_after:
            self.expectations.ran(event.job, event.at)
        if watched.rules.late_after or AlertKind.LATE in watched.watch.ongoing:
            late = partial(alertwatch.run_started, run=event.run, late_seconds=event.late_ms / 1000)
            self._step(event.job, event.at, late)
        limit = alertwatch.slow_limit(watched.rules, watched.usual)
        if limit is not None:
            self._time(event.run, _Timed(event.job, AlertKind.SLOW, limit), event.at)

    def _finished(self, event: RunFinished) -> None:
        if event.run in self._timed:
            self._forget(event.run)
        if event.job not in self._jobs:
            return
        watched = self._of(event.job)
        if watched.rules.missing_after and event.duration_ms is not None:
            self.expectations.ran(event.job, event.at)
        complete = event.status == RunStatus.COMPLETE
        if complete and watched.calm:
            return
        seconds = None if event.duration_ms is None else event.duration_ms / 1000
        end = RunEnded(
            event.run, event.at, RunStatus(event.status), seconds, event.error, event.retry is not None
        )
        usual = watched.usual
        self._step(event.job, event.at, lambda watch, rules: alertwatch.run_ended(watch, rules, end, usual))
        if complete:
            if watched.durations is not None and seconds is not None:
                watched.durations.append(seconds)
            self._expect(event.job, watched, event.at)

    def _reloaded(self, event: JobsReloaded) -> None:
        for name in event.removed:
            self._step(name, event.at, lambda watch, _: alertwatch.gone(watch, "the job's file is gone"))
            self._watched.pop(name, None)
            self._timer.arm(_overdue(name), None)
            self.expectations.drop(name)
        ongoing = {row.job for row in self._book.ongoing()}
        for name in ongoing.union(event.added, event.changed, event.invalid).difference(event.removed):
            self._look_again(name, event.at)
        self.announcer.notify()

    def _look_again(self, name: str, now: datetime) -> None:
        """See a job with the settings that it has now."""
        job, watched = self._jobs.get(name), self._of(name)
        if job is None:
            # Of an earlier engine: its file went while none ran.
            self._step(name, now, lambda watch, _: alertwatch.gone(watch, "the job's file is gone"))
            del self._watched[name]
            return
        before = watched.rules
        watched.rules, watched.zone = self._wanted_of(job) if job.settings else (before, watched.zone)
        if watched.rules.expect_every != before.expect_every:
            self._timer.arm(_overdue(name), None)
        self._step(name, now, alertwatch.rules_changed)
        self._read_history(name, watched)
        self._stands(name)

    def _stands(self, name: str) -> None:
        job = self._jobs.get(name)
        if job is None:
            return
        state, watched = job.state, self._of(name)
        off = state.status is JobStatus.INACTIVE and state.reason in (SWITCHED_OFF, INACTIVE_IN_FILE)
        stood = (state.status.value, state.reason)
        if stood != watched.stood or watched.watch.ongoing:
            watched.stood = stood
            stands = partial(
                alertwatch.job_stands, status=state.status, reason=state.reason, switched_off=off
            )
            self._step(name, self._clock.now(), stands)
        expected = not off and state.status not in _AT_REST
        missing_after = watched.rules.missing_after
        if watched.rules.expect_every:
            self._expect_while(name, watched, expected=expected)
        if not missing_after or off or self._held(job):
            self.expectations.drop(name)
            return
        if expected:
            self.expectations.expect(job, missing_after)
        else:
            self.expectations.drop_own(name)
        # Those go on also when the file's schedule is over, or its one run is behind.
        self.expectations.expect_given(job, missing_after)

    def given_changed(self, name: str) -> None:
        """See that a repeating schedule was given to a job, or came to its end."""
        if name in self._jobs:
            self._stands(name)

    # Times

    def _time(self, run: int, timed: _Timed, since: datetime) -> None:
        self._timed[run] = timed
        self._timer.arm(str(run), since + timedelta(seconds=timed.seconds))

    def _forget(self, run: int) -> None:
        del self._timed[run]
        self._timer.arm(str(run), None)

    def _expect(self, name: str, watched: _Watched, since: datetime) -> None:
        seconds = watched.rules.expect_every
        self._timer.arm(_overdue(name), since + timedelta(seconds=seconds) if seconds else None)

    def _expect_while(self, name: str, watched: _Watched, *, expected: bool) -> None:
        """Begin to expect a COMPLETE run if none is expected yet, or expect none any more."""
        if not expected:
            self._timer.arm(_overdue(name), None)
        elif AlertKind.OVERDUE not in watched.watch.ongoing and self._timer.due_of(_overdue(name)) is None:
            self._expect(name, watched, self._clock.now())

    def _time_is_up(self, key: str) -> None:
        now, job = self._clock.now(), _overdue_job(key)
        if job is not None:
            self._nothing_complete(job, now)
            return
        timed = self._timed.pop(int(key), None)
        if timed is None:
            return
        run, seconds = int(key), timed.seconds
        if timed.kind is AlertKind.LATE:
            self._step(timed.job, now, partial(alertwatch.still_waits, run=run, seconds=seconds))
        else:
            self._step(timed.job, now, partial(alertwatch.still_runs, run=run, limit_seconds=seconds))

    def _nothing_complete(self, name: str, now: datetime) -> None:
        job = self._jobs.get(name)
        if job is not None and self._held(job):
            # A pause is no failure; when it is over, the job gets its time again.
            self._expect(name, self._of(name), now)
        else:
            self._step(name, now, alertwatch.none_complete)

    def _not_run(self, name: str, due: datetime, now: datetime) -> None:
        self._step(name, now, partial(alertwatch.not_run, due=due))

    # What the database knows of a job's runs

    def _read_history(self, name: str, watched: _Watched) -> None:
        rules = watched.rules
        if not rules.slow_times:
            watched.durations = None
        wants_usual = bool(rules.slow_times) and watched.durations is None
        if not rules.expect_every:
            self._timer.arm(_overdue(name), None)
        wants_last = bool(rules.expect_every) and self._timer.due_of(_overdue(name)) is None
        if wants_usual:
            watched.durations = deque(maxlen=USUAL_RUNS)
        if wants_usual or wants_last:
            task = asyncio.create_task(self._read_runs(name, watched))
            self._reading.add(task)
            task.add_done_callback(self._reading.discard)

    async def _read_runs(self, name: str, watched: _Watched) -> None:
        """Learn the job's usual time, and when it was COMPLETE last."""
        try:
            runs = await asyncio.to_thread(
                self._queries.runs, job=name, status=RunStatus.COMPLETE, limit=USUAL_RUNS
            )
        except StoreError as error:
            logger.warning("what job %s did before is not known until its next reload: %s", name, error)
            watched.durations = None
            return
        if watched.durations is not None:
            known = [run.duration_ms / 1000 for run in reversed(runs) if run.duration_ms is not None]
            # What ended while this was read is newer.
            watched.durations = deque([*known, *watched.durations], maxlen=USUAL_RUNS)
        armed, last = self._timer.due_of(_overdue(name)), runs[0].finished if runs else None
        if armed is not None and last is not None:
            expected = last + timedelta(seconds=watched.rules.expect_every)
            self._timer.arm(_overdue(name), min(armed, expected))

    # Alerts

    def _of(self, name: str) -> _Watched:
        watched = self._watched.get(name)
        if watched is None:
            ongoing = frozenset(AlertKind(row.kind) for row in self._book.of(name))
            watched = _Watched(*self._wanted_of(self._jobs.get(name)), Watch(ongoing=ongoing))
            self._watched[name] = watched
        return watched

    def _wanted_of(self, job: Job | None) -> tuple[AlertRules, str]:
        settings = job.settings if job is not None else None
        if settings is None:
            return self._rules, self._timezone
        return self._rules.overridden(settings.alerts), settings.timezone or self._timezone

    def _step(self, name: str, now: datetime, step: Callable[[Watch, AlertRules], Step]) -> None:
        """Let something change what is known of a job, and keep the alerts that begin or end by it."""
        watched = self._of(name)
        watched.watch, changes = step(watched.watch, watched.rules)
        if not changes:
            return
        rows: list[AlertRow] = []
        told: list[Event] = []
        for change in changes:
            row = self._book.of_kind(name, change.kind)
            if isinstance(change, Shown):
                new = self._shown(name, row, change, now)
                if row is None:
                    told.append(AlertRaised(now, new.id, name, new.kind, new.reason, new.run))
            elif row is not None:
                new = replace(row, ended=now, end_reason=change.reason)
                told.append(AlertEnded(now, new.id, name, new.kind, change.reason, new.since))
            else:
                continue
            rows.append(new)
        self._book.put(rows, then=partial(self._tell, told))

    def _shown(self, name: str, row: AlertRow | None, shown: Shown, now: datetime) -> AlertRow:
        if row is None:
            kind = shown.kind.value
            return AlertRow(self._book.new_id(), name, kind, shown.reason, shown.run, now, now)
        return replace(row, reason=shown.reason, last=now, count=row.count + 1)

    def _tell(self, events: Iterable[Event]) -> None:
        told = list(events)
        for event in told:
            self._events.publish(event)
        if told:
            self.announcer.notify()


def _overdue(job: str) -> str:
    return f"job {job}"


def _overdue_job(key: str) -> str | None:
    return key.removeprefix("job ") if key.startswith("job ") else None
