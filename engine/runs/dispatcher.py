"""A run's way from due to done.

`due` or `submit` makes a run, the gate lets it in, its row is committed as RUNNING, the runner carries it
out, the outcome decides what becomes of the job, and run and job are committed together. Only then is the
permit given back.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Coroutine, Iterable, Mapping
from datetime import datetime
from itertools import count
from typing import Any

from engine.errors import CommitUnknown, JobFileError, Refused, RunNotFound, SessionClosed, StoreUnavailable
from engine.events import Events, JobChanged, RunFinished, RunsSkipped
from engine.extensions.executors import Executor, HandsOver, LeftRun
from engine.extensions.runlog import RunLog
from engine.jobs import policies
from engine.jobs.policies import OutcomePolicy
from engine.rules import lifecycle, slots
from engine.rules.holds import Holds
from engine.rules.slots import Skip
from engine.run import Limits, Outcome, RunRequest
from engine.runs import ledger
from engine.runs.gate import LONGEST_QUEUE, Admission, Gate, Overlap
from engine.runs.handing import Handing
from engine.runs.job import Job, LastRun, Source
from engine.runs.jobrows import patch_of
from engine.runs.line import Wait, waits
from engine.runs.liverun import GivenTerms, LiveRun
from engine.runs.runrecords import RunRecords, settle
from engine.states import FINAL, Activity, Cause, RunStatus, Trigger, follow
from engine.store.jobstates import JobStates
from engine.store.journal import Journal
from engine.store.rows import PlannedRun, RunEnd
from engine.times.clock import Clock

logger = logging.getLogger("moontide.dispatcher")

REPLACED = "replaced by a later run of the job"

#: What the gate says of a run that it does not take, and what that means for its due time.
NOT_TAKEN = {
    Admission.COALESCED: Skip(Cause.OVERLAP, "a run of the job waited already, and stands for it"),
    Admission.SKIPPED: Skip(Cause.OVERLAP, 'a run of the job was not done, and overlap is "skip"'),
    Admission.FULL: Skip(Cause.OVERLAP, f"{LONGEST_QUEUE} runs of the job waited already"),
}

#: How long a stop waits for runs that were stopped; only a database that takes no writes needs so much.
LAST_STEPS_SECONDS = 5.0

FindJob = Callable[[str], Job | None]
ReadSource = Callable[[Job], Awaitable[Source]]
Arm = Callable[[str, datetime | None], None]

#: Asked at each due time of a job's schedule: why there is to be no run, or None if there is to be one.
SkipDue = Callable[[Job, datetime], Skip | None]


class Dispatcher:
    """Takes runs in and sees each one through to its end."""

    def __init__(
        self,
        *,
        clock: Clock,
        find_job: FindJob,
        read_source: ReadSource,
        arm: Arm,
        skip_due: SkipDue,
        runner: Executor,
        journal: Journal,
        states: JobStates,
        events: Events,
        session: int,
        first_run_id: int,
        pool_size: int,
        label_limits: Mapping[str, int],
        holds: Holds,
        limits: Limits,
        timezone: str,
        stop_grace: float,
        on_error: Mapping[str, OutcomePolicy] = policies.BUILT_IN,
    ) -> None:
        """Make a dispatcher.

        Args:
            find_job: gives a job by its name, or None.
            read_source: gives a job file's present text; raises JobFileError.
            arm: lets a job be due at a time, or at none.
            skip_due: tells why a due time of a job makes no run.
            session: the engine's present session.
            first_run_id: ids count up from here.
            pool_size: runs at once, where this engine carries them out itself; 0 means no limit.
            label_limits: runs at once by label (see `engine.runs.liverun.label_limits`).
            holds: what keeps jobs from running.
            runner: carries runs out.
            limits: what one run may use at most.
            timezone: for jobs that name none.
            stop_grace: seconds that a cancelled run which listens has to come to its end by itself.
            on_error: what a failed run may mean for its job, by the value of that setting.
        """
        self._clock = clock
        self._on_error = on_error
        self._find_job = find_job
        self._source_of = read_source
        self._arm = arm
        self.skip_due = skip_due
        self._runner = runner
        self._journal = journal
        self._states = states
        self._events = events
        self._session = session
        self._ids = count(first_run_id)
        self._limits = limits
        self._timezone = timezone
        self._stop_grace = stop_grace
        self._holds = holds
        self._live: dict[int, LiveRun] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._records = RunRecords(journal=journal, events=events, session=session)
        self.sources = self._records.sources
        self._handing = (
            Handing(runner, records=self._records, clock=clock, spawn=self._spawn)
            if isinstance(runner, HandsOver)
            else None
        )
        self._closed: str | None = None
        self._retry_kept: Callable[[PlannedRun], None]
        # What waits elsewhere for a free place there must not take one from what would find it at once.
        self.gate: Gate[LiveRun] = Gate(0 if self._handing else pool_size, label_limits)
        self.finished = 0

    # Coming in

    def due(self, name: str, due: datetime) -> None:
        """Take the due time of a job's schedule: the job is armed for its next one, and a run is made.

        A due time that makes none is noted in the slot ledger with the reason.
        """
        job = self._find_job(name)
        if job is None or job.settings is None or self._closed:
            return
        now, before = self._clock.now(), job.state
        skip = self.skip_due(job, due)
        if skip is None:
            self._put(job, lifecycle.fired(before, job.schedule, due, now))
            skip = self._take_due(job, Overlap(job.settings.overlap), due)
        if skip is not None:
            self._put(job, lifecycle.passed_by(before, job.schedule, due, now))
            self._note_skipped(job, due, skip, now)
        else:
            job.skipping = None
        ledger.note_overtaken(job, due, now)
        if skip is not None:
            self._journal.job_changed([patch_of(job)])

    def _note_skipped(self, job: Job, due: datetime, skip: Skip, now: datetime) -> None:
        before = job.skipping
        ledger.note_skipped(job, due, skip, now)
        # Told once for all that follow alike, however often the job is due.
        if before is None or (before.cause, before.reason) != (skip.cause, skip.reason):
            self._events.publish(RunsSkipped(now, job.name, due, skip.cause.value, skip.reason))

    def _take_due(self, job: Job, overlap: Overlap, due: datetime) -> Skip | None:
        if overlap is Overlap.REPLACE:
            self._replace_earlier(job)
        run = self._make(job, Trigger.SCHEDULE, due)
        not_taken = NOT_TAKEN.get(self._offer(run, overlap))
        if not_taken is None:
            self._records.owe(run)
        return not_taken

    def start_now(self, job: Job) -> None:
        """Run a job once because the engine starts (`run_at_start`)."""
        now = self._clock.now()
        if (skip := self._holds.skip(job.name, job.settings, now)) is not None:
            self._note_skipped(job, now, skip, now)
            self._journal.job_changed([patch_of(job)])
            return
        self._offer(self._make(job, Trigger.START, now), Overlap.COALESCE)

    def new_run_id(self) -> int:
        """Return an id that no run has."""
        return next(self._ids)

    async def submit(
        self,
        job: Job,
        *,
        trigger: Trigger = Trigger.MANUAL,
        data: Any = None,
        user_id: int = 0,
        called_by: int | None = None,
    ) -> LiveRun:
        """Take a run that a person or a program asked for; returns once its row is committed.

        Args:
            called_by: the run that asked for it.

        Raises:
            Refused: the engine stops, the job's file cannot be used, or a group of its is disabled.
            CommitUnknown: the database went away; the run may be taken, or not.
            StoreUnavailable: the database takes no writes now.
        """
        self.check_open()
        if job.settings is None:
            raise Refused(f"job {job.name} cannot run: {job.state.reason}; mend the file, then reload")
        self._holds.refuse_disabled(job.name, job.settings)
        self._journal.check_available()
        run = self._make(job, trigger, self._clock.now())
        run.data, run.user_id, run.called_by = data, user_id, called_by
        if self._offer(run, _overlap_by_hand(job)) is Admission.FULL:
            raise Refused(f"{self.gate.waiting_of(job.name)} runs of job {job.name} wait already")
        try:
            await asyncio.shield(run.recorded)
        except (StoreUnavailable, SessionClosed) as error:
            raise CommitUnknown(
                f"whether run {run.id} was taken is not known: {error}; `moontide runs {job.name}` tells"
            ) from error
        return run

    def hand_retries_to(self, kept: Callable[[PlannedRun], None]) -> None:
        """Tell who takes care of planned runs about each retry once it is committed."""
        self._retry_kept = kept

    def take_planned(self, job: Job, planned: PlannedRun, given: GivenTerms | None = None) -> bool:
        """Take a planned run whose time has come; its planned row goes when its own is committed.

        Args:
            given: what it takes from a schedule given at run time.

        Returns:
            False if so many runs of the job wait that this one must stay planned.

        Raises:
            Refused: the engine stops; the row stays for the next one.
        """
        self.check_open()
        run = self._make(job, planned.trigger, planned.due, run_id=planned.id)
        run.attempt, run.rescheduled_from = planned.attempt, planned.rescheduled_from
        run.crashes, run.first_trigger = planned.crashes, planned.first_trigger
        run.data, run.user_id, run.called_by = planned.data, planned.user_id, planned.called_by
        run.planned, run.given = True, given
        return self._offer(run, _overlap_by_hand(job)) is not Admission.FULL

    async def left(self) -> list[LeftRun]:
        """Return the runs elsewhere that earlier engines have left, for `take_up`.

        Raises:
            StoreError: the database cannot be read.
        """
        return [] if self._handing is None else await self._handing.left()

    def take_up(self, left: LeftRun, job: Job) -> None:
        """Go on with a run that an earlier engine has left; it counts for all limits from now on."""
        assert self._handing is not None, "runs are left to who hands runs over"
        run = self._handing.take_up(left, job)
        self._live[run.id] = run
        self.gate.take_in(run, _overlap_by_hand(job))
        self._spawn(self._see_on(run, left.request))

    def check_open(self) -> None:
        """Refuse new runs while the engine stops.

        Raises:
            Refused: it does.
        """
        if self._closed:
            raise Refused(f"no new runs: {self._closed}")

    def _make(self, job: Job, trigger: Trigger, due: datetime, *, run_id: int | None = None) -> LiveRun:
        return LiveRun(
            id=self.new_run_id() if run_id is None else run_id,
            owner=job,
            trigger=trigger,
            due=due,
            queued=self._clock.now(),
            settings=job.settings,
            schedule=job.schedule,
        )

    def _offer(self, run: LiveRun, overlap: Overlap) -> Admission:
        admission = self.gate.offer(run, overlap)
        if admission in NOT_TAKEN:
            return admission
        self._live[run.id] = run
        if admission is Admission.START:
            self._spawn(self._see_through(run))
        else:
            self._spawn(self._record_queued(run))
        return admission

    # Seeing a run through

    async def _see_through(self, run: LiveRun) -> None:
        try:
            source = await self._read_source(run)
            if self._handing is not None and isinstance(source, Source):
                await self._handing.hand_over(run, self._request(run, source), source)
                self.tell_job(run.owner)
            else:
                await self._records.started(run, self._clock.now(), source)
            ended = await self._carry_out(run, source)
            await self._record_finished(run, ended)
        except Exception as error:
            settle(run.recorded, error)
            raise
        finally:
            self._let_go(run)

    async def _see_on(self, run: LiveRun, request: RunRequest) -> None:
        """See a run through that another engine has handed over."""
        try:
            run.seeing = asyncio.current_task()
            await self._record_finished(run, await self._carried_out(run, request))
        finally:
            self._let_go(run)

    async def _read_source(self, run: LiveRun) -> Source | JobFileError | None:
        """Return the text to run; None for a job of the engine's own, which has none."""
        if run.owner.work is not None:
            return None
        try:
            return await self._source_of(run.owner)
        except JobFileError as error:
            return error

    async def _record_queued(self, run: LiveRun) -> None:
        await self._records.queued(run)
        self.tell_job(run.owner)

    def _request(self, run: LiveRun, source: Source) -> RunRequest:
        return run.request(source, self._limits, self._timezone)

    async def _carry_out(self, run: LiveRun, source: Source | JobFileError | None) -> Outcome:
        if isinstance(source, JobFileError):
            return Outcome(RunStatus.ERROR, error=str(source))
        return await self._carried_out(run, None if source is None else self._request(run, source))

    async def _carried_out(self, run: LiveRun, request: RunRequest | None) -> Outcome:
        log = run.log = RunLog(limits=self._limits, clock=self._clock, keep=self._records.keeper(run))
        try:
            if request is None:
                return await self._work(run, log)
            return await self._runner.run(request, log=log, cancel=run.stopping)
        except Exception:
            # Whatever is broken here must not leave a run that never ends.
            logger.exception(
                "run %s of %s could not be carried out; this is a bug of the engine", run.id, run.job
            )
            return Outcome(RunStatus.CRASHED, error="the engine failed in this run; its log says more")

    async def _work(self, run: LiveRun, log: RunLog) -> Outcome:
        assert run.owner.work is not None
        return await run.owner.work(log.write, run.stopping)

    async def _record_finished(self, run: LiveRun, ended: Outcome) -> None:
        now = self._clock.now()
        run.status = follow(run.status, ended.status)
        job = run.owner
        retry = run.retry(ended, now, self.new_run_id)
        ended = run.in_words(ended, retry, now)
        returned = ended.returned.value if ended.returned else None
        job.last = LastRun(run.id, run.started or now, ended.status, returned)
        self._follow_up(run, ended, now, retried=retry is not None)
        self._skip_pointless(job)
        end = run.end(ended, now)
        cleared = (job.name,) if self._states.goes_with(job.name, ended.status) else ()
        modules = [(module.hash, module.text) for module in ended.modules]
        struck_off = self._handing.struck_off(run) if self._handing else ()
        await self._records.ended(run, end, retry, cleared=cleared, modules=modules, beside=struck_off)
        for module in ended.modules:
            job.modules.setdefault(module.name, module.hash)
        if retry is not None:
            self._retry_kept(retry)
        self.finished += 1
        self._records.tell_ended(run, end, retry)

    def _follow_up(self, run: LiveRun, ended: Outcome, now: datetime, *, retried: bool = False) -> None:
        state = run.job_after(ended, now, session=self._session, on_error=self._on_error, retried=retried)
        if state is not None:
            self.change_job(run.owner, state)

    def _let_go(self, run: LiveRun) -> None:
        self._live.pop(run.id, None)
        for admitted in self.gate.leave(run):
            self._spawn(self._see_through(admitted))
        self.tell_job(run.owner)

    # Ending runs early

    async def cancel(self, run_id: int, reason: str, *, now: bool = False) -> None:
        """End a queued or running run as CANCELLED; returns once that is committed.

        Args:
            now: leave it no time to come to its end by itself.

        Raises:
            RunNotFound: no such run is in hand.
        """
        run = self._live.get(run_id)
        if run is None:
            raise RunNotFound(run_id)
        if self.gate.withdraw(run):
            await self._close_waiting(run, RunStatus.CANCELLED, reason)
            return
        if now:
            run.stopping.end(reason)
        else:
            run.stopping.ask_within(reason, self._stop_grace)
        await self._ended(run)

    def _replace_earlier(self, job: Job) -> None:
        for run in self._of(job):
            if self.gate.withdraw(run):
                self._spawn(self._close_waiting(run, RunStatus.SKIPPED, REPLACED))
            else:
                run.stopping.ask_within(REPLACED, self._stop_grace)

    def close(self, label: str) -> None:
        """Let no run with a label start until it is opened again (see `Gate.close`)."""
        self.gate.close(label)

    def open(self, label: str) -> None:
        """Let runs with a closed label start again."""
        for admitted in self.gate.open(label):
            self._spawn(self._see_through(admitted))

    def look_at_waiting(self, job: Job) -> None:
        """Let the waiting runs of a job go by what it is now: its state, its tags and its groups."""
        if not self.gate.waiting_of(job.name):
            return
        self._skip_pointless(job)
        if (hold := self._holds.disabled(job.name, job.settings)) is not None:
            self._skip({run: hold.words() for run in self._of(job)})
        self._regroup(job)

    def skip_waiting(self, concerned: Callable[[Job], bool], reason: str) -> None:
        """End all waiting runs of some jobs as SKIPPED."""
        self._skip({run: reason for run in self.gate.waiting_runs() if concerned(run.owner)})

    def _skip_pointless(self, job: Job) -> None:
        """End the waiting runs of a job that have lost their reason by what it is now."""
        if self.gate.waiting_of(job.name):
            self._skip({run: reason for run in self._of(job) if (reason := run.lost_reason()) is not None})

    def _skip(self, reasons: Mapping[LiveRun, str]) -> None:
        """End those of some runs that wait as SKIPPED, each for its reason."""
        for run, reason in reasons.items():
            if self.gate.withdraw(run):
                self._spawn(self._close_waiting(run, RunStatus.SKIPPED, reason))

    def _regroup(self, job: Job) -> None:
        if job.settings is None:
            return
        for run in self.gate.waiting_runs():
            if run.owner is job:
                run.settings = job.settings
        for admitted in self.gate.relabelled(job.name):
            self._spawn(self._see_through(admitted))

    def _of(self, job: Job) -> list[LiveRun]:
        """Return the runs of a job that are in hand, in the order in which they came."""
        return [run for run in self._live.values() if run.owner is job]

    async def _close_waiting(self, run: LiveRun, status: RunStatus, reason: str) -> None:
        run.status = follow(run.status, status)
        await asyncio.shield(run.recorded)
        now = self._clock.now()
        end = RunEnd(status=status, finished=now, error=reason)
        self._follow_up(run, Outcome(status, error=reason), now)
        await self._records.ended(run, end)
        self._live.pop(run.id, None)
        self._records.tell_ended(run, end)
        self.tell_job(run.owner)

    async def _ended(self, run: LiveRun) -> None:
        ended: asyncio.Future[None] = asyncio.get_running_loop().create_future()

        def watch(event: Any) -> None:
            if event.run == run.id:
                settle(ended)

        unsubscribe = self._events.subscribe(watch, (RunFinished,))
        try:
            await ended
        finally:
            unsubscribe()

    async def drain(self, reason: str, seconds: float) -> list[int]:
        """Take no more runs, drop the waiting ones, ask the others to end, and stop them when time is up.

        Runs that were handed over go on elsewhere: they are left to the next engine.

        Args:
            reason: why; it stands in the runs that were stopped.
            seconds: how long runs under way may still take.

        Returns:
            the runs that had to be stopped.
        """
        self._closed = reason
        for run in self.gate.waiting_runs():
            if self.gate.withdraw(run):
                self._spawn(self._close_waiting(run, RunStatus.CANCELLED, reason))
        await self._leave()
        for run in self._live.values():
            run.stopping.ask(reason)
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=seconds)
        stopped = [run for run in self._live.values() if run.status not in FINAL]
        for run in stopped:
            run.stopping.end(reason)
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=LAST_STEPS_SECONDS)
        if self._live:
            logger.warning(
                "%d runs could not be ended on record; the next engine closes those that are nowhere else",
                len(self._live),
            )
        return [run.id for run in stopped]

    async def _leave(self) -> None:
        """Let go of the runs that go on elsewhere."""
        seeing = [run.seeing for run in self._live.values() if run.seeing and run.status not in FINAL]
        for task in seeing:
            task.cancel()
        if seeing:
            await asyncio.wait(seeing)
            logger.info("%d runs go on elsewhere; the next engine takes them up", len(seeing))

    def waits(self, run_ids: Iterable[int]) -> dict[int, Wait]:
        """Return how some runs wait for their turn, by their ids; those that do not wait are left out."""
        live = [self._live[one] for one in run_ids if one in self._live]
        return waits(self.gate, self._holds, live)

    def calls_of(self, run_id: int) -> list[dict[str, Any]] | None:
        """Return what the core calls of a run under way took so far; None where that is not known."""
        run = self._live.get(run_id)
        return None if run is None or run.log is None else run.log.calls

    # Jobs

    def change_job(self, job: Job, state: lifecycle.JobState, why: str = slots.RESCHEDULED) -> None:
        """Give a job its new state and arm it accordingly; the caller commits it.

        The time that was planned for the job, if it is no longer, is noted in the slot ledger. Waiting runs
        that have lost their reason end.

        Args:
            why: the reason if another time is planned instead.
        """
        before = job.state
        self._put(job, state)
        if before.next_due is not state.next_due or before.status is not state.status:
            ledger.note_given_up(job, before, self._clock.now(), why)
        self._skip_pointless(job)

    def _put(self, job: Job, state: lifecycle.JobState) -> None:
        job.state = state
        self._arm(job.name, state.due)

    def runs_of(self, job: str) -> list[int]:
        """Return the ids of a job's runs that wait or go on, in order."""
        return sorted(run.id for run in self._live.values() if run.job == job and run.status not in FINAL)

    def activity(self, job: str) -> Activity:
        """Return what a job does now."""
        if self.gate.runs_now(job):
            return Activity.RUNNING
        return Activity.QUEUED if self.gate.waiting_of(job) else Activity.IDLE

    def tell_job(self, job: Job) -> None:
        """Tell everyone what a job is now."""
        shown = self._holds.standing(job.name, job.state, job.settings, job.schedule)
        self._events.publish(
            JobChanged(
                self._clock.now(),
                job.name,
                shown.status.value,
                shown.reason,
                shown.next_run,
                self.activity(job.name).value,
            )
        )

    # Its tasks

    def _spawn(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._task_done)

    def _task_done(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if task.cancelled() or (error := task.exception()) is None:
            return
        if isinstance(error, StoreUnavailable | SessionClosed):
            logger.warning("a run's last step is not on record: %s", error)
        else:
            logger.error("a run's task failed; this is a bug of the engine", exc_info=error)


def _overlap_by_hand(job: Job) -> Overlap:
    """Return how a run that was asked for goes beside others of its job: each one counts."""
    allowed = job.settings is not None and job.settings.overlap == Overlap.ALLOW
    return Overlap.ALLOW if allowed else Overlap.QUEUE
