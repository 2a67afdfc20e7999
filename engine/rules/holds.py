"""What keeps jobs from running without a change of the jobs themselves: groups that are off, and pauses.

A hold concerns one job, all jobs of a group, or the whole engine. DISABLED is stronger than paused: a job of
a disabled group does not run at all, and what waits is dropped. While a job is paused its due times are
passed over, but what was asked for waits until the pause is over.

Pure bookkeeping; `engine.runs.holding` keeps the holds in the database and lets them take effect.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum

from engine.errors import Refused
from engine.jobs.jobfile import JobSettings
from engine.rules.lifecycle import JobState
from engine.rules.slots import Skip
from engine.states import Cause, JobStatus
from engine.times.schedule import Schedule


class HoldKind(StrEnum):
    """How strong a hold is."""

    DISABLED = "disabled"
    PAUSED = "paused"


class HoldScope(StrEnum):
    """What a hold concerns."""

    ENGINE = "engine"
    GROUP = "group"
    JOB = "job"


#: What tells one hold from another: its kind, its scope, and the name of the job or group.
HoldKey = tuple[HoldKind, HoldScope, str]


@dataclass(frozen=True, slots=True)
class Hold:
    """One thing that keeps jobs from running.

    Attributes:
        target: the name of the job or group; "" for the engine.
        actor: who wanted it.
        until: when it ends by itself, or None.
    """

    kind: HoldKind
    scope: HoldScope
    target: str
    note: str
    actor: str
    since: datetime
    until: datetime | None = None

    @property
    def key(self) -> HoldKey:
        """What tells it from others."""
        return self.kind, self.scope, self.target

    def concerns(self, job: str, settings: JobSettings | None) -> bool:
        """Return whether a job is kept from running by it."""
        match self.scope:
            case HoldScope.ENGINE:
                return True
            case HoldScope.GROUP:
                return settings is not None and self.target in settings.groups
            case HoldScope.JOB:
                return job == self.target

    def words(self) -> str:
        """Return in words what is held, by whom and why."""
        what = {HoldScope.ENGINE: "the engine is ", HoldScope.GROUP: f"group {self.target} is "}
        until = f" until {_utc(self.until)}" if self.until else ""
        note = f": {self.note}" if self.note else ""
        return f"{what.get(self.scope, '')}{self.kind.value}{until} by {self.actor}{note}"


@dataclass(frozen=True, slots=True)
class Standing:
    """What is shown of a job: its state, with what keeps it from running laid over it."""

    status: JobStatus
    reason: str
    next_run: datetime | None


_FOREVER = datetime.max.replace(tzinfo=UTC)
_TICK = timedelta(microseconds=1)

#: States whose own reason says more than a pause does.
_QUIET_ANYWAY = frozenset({JobStatus.INVALID, JobStatus.INACTIVE, JobStatus.STOPPED, JobStatus.EXPIRED})


class Holds:
    """All holds there are, and which of them concerns a job."""

    def __init__(self) -> None:
        self._by_key: dict[HoldKey, Hold] = {}

    def __iter__(self) -> Iterator[Hold]:
        return iter(sorted(self._by_key.values(), key=lambda hold: hold.key))

    def put(self, hold: Hold) -> None:
        """Add a hold; it takes the place of one with its key."""
        self._by_key[hold.key] = hold

    def take(self, key: HoldKey) -> Hold | None:
        """Remove a hold and return it, None if there is none."""
        return self._by_key.pop(key, None)

    def get(self, kind: HoldKind, scope: HoldScope, target: str) -> Hold | None:
        """Return a hold by its key."""
        return self._by_key.get((kind, scope, target))

    def on(self, job: str, settings: JobSettings | None) -> Hold | None:
        """Return what keeps a job from running: a disabled group, or the pause that lasts longest."""
        # Asked for each due time, and there are none nearly always.
        if not self._by_key:
            return None
        return self.disabled(job, settings) or self.paused(job, settings)

    def disabled(self, job: str, settings: JobSettings | None) -> Hold | None:
        """Return which disabled group keeps a job from running."""
        return self._first(HoldKind.DISABLED, job, settings)

    def paused(self, job: str, settings: JobSettings | None) -> Hold | None:
        """Return which pause keeps a job from running: the one that lasts longest, the widest of several."""
        return self._first(HoldKind.PAUSED, job, settings)

    def _first(self, kind: HoldKind, job: str, settings: JobSettings | None) -> Hold | None:
        if not self._by_key:
            return None
        keys = ((kind, scope, target) for scope, target in _places(job, settings))
        found = [self._by_key[key] for key in keys if key in self._by_key]
        return max(found, key=lambda hold: hold.until or _FOREVER, default=None)

    def skip(self, job: str, settings: JobSettings | None, due: datetime) -> Skip | None:
        """Return why a due time of a job makes no run, None if nothing keeps it from that.

        A pause that ends at that very time does not, even if its end is still to be written.
        """
        hold = self.at(job, settings, due)
        if hold is None:
            return None
        return Skip(Cause.GROUP if hold.kind is HoldKind.DISABLED else Cause.PAUSED, hold.words())

    def refuse_disabled(self, job: str, settings: JobSettings | None) -> None:
        """Refuse a run of a job that a disabled group keeps from running.

        Raises:
            Refused: it names the group, and says what to do.
        """
        if (hold := self.disabled(job, settings)) is not None:
            raise Refused(
                f"job {job} does not run: {hold.words()}; `moontide group enable {hold.target}` lets it run"
            )

    def at(self, job: str, settings: JobSettings | None, due: datetime) -> Hold | None:
        """Return what will keep a job from running at a time to come, as things stand now."""
        hold = self.on(job, settings)
        return None if hold is None or (hold.until is not None and due >= hold.until) else hold

    def standing(
        self, job: str, state: JobState, settings: JobSettings | None, schedule: Schedule | None
    ) -> Standing:
        """Return what is shown of a job.

        A job of a disabled group is DISABLED and has no next run. A paused one keeps its status; its next run
        is the first after the end of the pause, and there is none while nobody knows of an end.
        """
        hold = self.on(job, settings)
        if hold is None:
            return Standing(state.status, state.reason, state.due)
        if hold.kind is HoldKind.DISABLED:
            return Standing(JobStatus.DISABLED, hold.words(), None)
        reason = state.reason if state.status in _QUIET_ANYWAY else hold.words()
        return Standing(state.status, reason, _after(hold, state, settings, schedule))


def _places(job: str, settings: JobSettings | None) -> Iterator[tuple[HoldScope, str]]:
    yield HoldScope.ENGINE, ""
    for group in settings.groups if settings else ():
        yield HoldScope.GROUP, group
    yield HoldScope.JOB, job


def _after(
    pause: Hold, state: JobState, settings: JobSettings | None, schedule: Schedule | None
) -> datetime | None:
    """Return when a paused job runs next."""
    due, until = state.due, pause.until
    if due is None or until is None:
        return None
    if due >= until:
        return due
    if settings is not None and settings.run_skipped and not settings.run_once:
        return until
    return schedule.following(due, until - _TICK) if schedule else None


def _utc(moment: datetime) -> str:
    return f"{moment.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC"
