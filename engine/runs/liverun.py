"""One run while the engine has it in hand, and the values that are made of it on its way."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

from engine.calls.stopping import Stopping
from engine.extensions.executors import Handed
from engine.extensions.runlog import RunLog
from engine.jobs.jobfile import JobSettings
from engine.jobs.policies import OutcomePolicy
from engine.rules import outcome
from engine.rules.lifecycle import JobState, first_line
from engine.rules.retry import crashes_with, in_words, is_quarantined, next_attempt
from engine.run import Limits, Outcome, RunRequest
from engine.runs.job import Job, LastRun, Source
from engine.states import JobStatus, RunStatus, Trigger, follow
from engine.store.rows import PlannedRun, RunEnd, RunRow
from engine.times.schedule import Schedule

#: How a tag is called among the gate's labels.
TAG = "tag:"

#: How a group is called among them.
GROUP = "group:"

#: Job states in which runs of schedules that still wait have lost their reason.
QUIET = frozenset({JobStatus.SLEEPING, JobStatus.STOPPED, JobStatus.INACTIVE, JobStatus.INVALID})


def label_limits(tags: Mapping[str, int], groups: Mapping[str, int]) -> dict[str, int]:
    """Return how many runs may go on at once by label, from the operator's limits by tag and by group."""
    return {TAG + tag: most for tag, most in tags.items()} | {
        GROUP + name: most for name, most in groups.items()
    }


@dataclass(frozen=True, slots=True)
class GivenTerms:
    """What a run takes from the schedule given at run time that it comes from.

    Attributes:
        tag: that of a schedule for one run; None for one that is due again and again.
        retries: instead of the job's own setting, if given; so are the two below, in seconds.
    """

    schedule_id: int
    tag: str | None = None
    retries: int | str | None = None
    retry_delay: float | None = None
    remove_after: float | None = None

    def rules(self, settings: JobSettings) -> JobSettings:
        """Return the settings that such a run goes by: its failure is no reason to switch the job off."""
        return replace(
            settings,
            on_error="continue",
            retries=settings.retries if self.retries is None else self.retries,
            retry_delay=settings.retry_delay if self.retry_delay is None else self.retry_delay,
            remove_after=settings.remove_after if self.remove_after is None else self.remove_after,
        )


@dataclass(slots=True, eq=False)
class LiveRun:
    """One run while the engine has it in hand.

    Attributes:
        given: what it takes from a schedule given at run time.
        planned: the row of a planned run makes way for this one's.
        crashes: how many of the attempts before this one crashed their worker.
        first_trigger: of a retry, why there was the first attempt.
        handed: how it stands with whoever carries it out elsewhere; `seeing` waits for it.
        log_lines: how many lines of its log are written.
        log: takes what it writes, once it goes on.
        settings: the job's as the run was made; they serve where its file went bad meanwhile.
    """

    id: int
    owner: Job
    trigger: Trigger
    due: datetime
    queued: datetime
    data: Any = None
    user_id: int = 0
    called_by: int | None = None
    planned: bool = False
    given: GivenTerms | None = None
    settings: JobSettings | None = None
    schedule: Schedule | None = None
    attempt: int = 1
    rescheduled_from: int | None = None
    crashes: int = 0
    first_trigger: Trigger | None = None
    status: RunStatus = RunStatus.QUEUED
    started: datetime | None = None
    written: bool = False
    log_lines: int = 0
    log: RunLog | None = None
    handed: Handed | None = None
    seeing: asyncio.Task[Any] | None = None
    recorded: asyncio.Future[None] = field(default_factory=asyncio.Future)
    stopping: Stopping = field(default_factory=Stopping)

    @property
    def job(self) -> str:
        """The job's name, as the gate wants it."""
        return self.owner.name

    @property
    def version(self) -> str | None:
        """The version of the job's code, as its settings say."""
        settings = self.owner.settings or self.settings
        return (settings.version or None) if settings else None

    @property
    def priority(self) -> int:
        """How soon it goes among those that wait; higher ones first."""
        return self.settings.priority if self.settings else 0

    @property
    def labels(self) -> tuple[str, ...]:
        """What it counts for where the operator limits runs: each tag's name and value, and its groups."""
        if self.settings is None:
            return ()
        tags = (f"{TAG}{word}" for tag in self.settings.tags.items() for word in tag if word)
        return tuple(dict.fromkeys((*tags, *(f"{GROUP}{group}" for group in self.settings.groups))))

    @property
    def by_schedule(self) -> bool:
        """Whether nobody asked for this very run: its job's schedules made it, or a start of the engine."""
        if self.trigger is Trigger.GIVEN:
            return self.given is not None and self.given.tag is None
        return self.trigger in (Trigger.SCHEDULE, Trigger.START, Trigger.MISSED)

    def begin(self, now: datetime) -> None:
        """Let it be RUNNING from now, and its job's last run."""
        self.status = follow(self.status, RunStatus.RUNNING)
        self.started = now
        self.owner.last = LastRun(self.id, now, RunStatus.RUNNING, None)

    def lost_reason(self) -> str | None:
        """Return why this run, if it waits, is no longer to start: its job is not due, or switched off."""
        state = self.owner.state
        off = self.trigger is Trigger.RETRY and not state.active
        if not off and not (self.by_schedule and state.status in QUIET):
            return None
        return f"the job went {state.status.value} while this run waited: {first_line(state.reason)}"

    def request(self, source: Source, ceilings: Limits, timezone: str) -> RunRequest:
        """Return what an executor needs to carry this run out.

        Args:
            ceilings: what a run may use at most.
            timezone: for a job that names none.
        """
        settings = self.owner.settings or self.settings
        limits = settings.limits(ceilings) if settings else ceilings
        zone = (settings.timezone if settings else None) or timezone
        return RunRequest(
            run_id=self.id,
            job=self.job,
            source=source.text,
            source_hash=source.hash,
            trigger=self.trigger,
            due=self.due,
            attempt=self.attempt,
            data=self.data,
            user_id=self.user_id,
            timezone=zone,
            limits=limits,
            allow=settings.allow if settings else {},
            settings=settings.added if settings else {},
            runs_on=settings.runs_on if settings else (),
            priority=self.priority,
        )

    def row(self, session: int, source_hash: str | None = None) -> RunRow:
        """Return the run as it is written first."""
        return RunRow(
            id=self.id,
            job=self.job,
            session=session,
            status=self.status,
            trigger=self.trigger,
            attempt=self.attempt,
            rescheduled_from=self.rescheduled_from,
            due=self.due,
            queued=self.queued,
            started=self.started,
            data=self.data,
            user_id=self.user_id,
            source_hash=source_hash,
            called_by=self.called_by,
            version=self.version,
            schedule_id=self.given.schedule_id if self.given else None,
        )

    @property
    def asked_by(self) -> Trigger:
        """What the run goes back to, as far as its job's state asks.

        A retry goes back to what its first attempt did; a run of a given schedule stays one when it is tried
        again or makes up for times that passed.
        """
        return Trigger.GIVEN if self.given else self.first_trigger or self.trigger

    def rules(self, settings: JobSettings) -> JobSettings:
        """Return the settings by which this run's end is judged."""
        if self.trigger is Trigger.STARTUP:
            # Its failure stops the start. Were the job switched off too, the next start would pass it by.
            return replace(settings, on_error="continue", retries=0)
        return self.given.rules(settings) if self.given else settings

    def end(self, ended: Outcome, now: datetime) -> RunEnd:
        """Return what is written of the run's end."""
        return RunEnd(
            status=ended.status,
            returned=ended.returned,
            finished=now,
            duration_ms=ended.duration_seconds * 1000,
            error=ended.error,
            result=ended.result,
            result_note=ended.result_note,
            info=ended.info,
            problems=ended.problems,
            calls=ended.calls,
            cpu_ms=None if ended.cpu_seconds is None else ended.cpu_seconds * 1000,
            peak_memory_bytes=ended.peak_memory_bytes,
            log_lines=self.log_lines,
            modules={module.name: module.hash for module in ended.modules} or None,
            remove_at=self._remove_at(ended, now),
        )

    def _remove_at(self, ended: Outcome, now: datetime) -> datetime | None:
        settings = self.owner.settings or self.settings
        if settings is None or ended.status is not RunStatus.COMPLETE:
            return None
        settings = self.rules(settings)
        if settings.remove_after is None:
            return None
        return now + timedelta(seconds=settings.remove_after)

    def retry(self, ended: Outcome, now: datetime, new_id: Callable[[], int]) -> PlannedRun | None:
        """Return the run that tries again what has failed, if the job wants that and is still switched on."""
        settings = self.owner.settings or self.settings
        if settings is None or not self.owner.state.active:
            return None
        crashes = crashes_with(ended, self.crashes)
        rules = self.rules(settings)
        delay = next_attempt(rules, ended, attempt=self.attempt, run_id=self.id, crashes=crashes)
        if delay is None:
            return None
        return PlannedRun(
            id=new_id(),
            job=self.job,
            due=now + delay,
            planned_at=now,
            data=self.data,
            user_id=self.user_id,
            called_by=self.called_by,
            trigger=Trigger.RETRY,
            attempt=self.attempt + 1,
            rescheduled_from=self.id,
            crashes=crashes,
            schedule_id=self.given.schedule_id if self.given else None,
            tag=self.given.tag if self.given else None,
            first_trigger=self.first_trigger or self.trigger,
        )

    def in_words(self, ended: Outcome, retry: PlannedRun | None, now: datetime) -> Outcome:
        """Return the outcome, with what becomes of `job.RETRY` if that is how the run ended."""
        settings = self.owner.settings or self.settings
        settings = self.rules(settings) if settings else None
        delay = retry.due - now if retry else None
        return in_words(ended, settings, attempt=self.attempt, delay=delay)

    def job_after(
        self,
        ended: Outcome,
        now: datetime,
        *,
        session: int,
        on_error: Mapping[str, OutcomePolicy],
        retried: bool = False,
    ) -> JobState | None:
        """Return how the job goes on after this run; None if none of its files was ever good.

        A file that is bad by now does not undo what ran.

        Args:
            session: the engine's present one.
            on_error: what a failed run may mean for its job, by the value of that setting.
            retried: whether the run is tried again.
        """
        good = self.owner if self.owner.settings else self
        if good.settings is None:
            return None
        return outcome.after_run(
            self.owner.state,
            self.rules(good.settings),
            good.schedule,
            ended,
            started=self.started or now,
            finished=now,
            session=session,
            trigger=self.asked_by,
            retried=retried,
            on_error=on_error,
            quarantined=is_quarantined(crashes_with(ended, self.crashes)),
        )
