"""What happens in the engine, told once to everyone who listens.

An event is a frozen value. `Events.publish` hands it to each subscriber in turn; a subscriber that
fails is logged and changes nothing for the others or for the engine.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

logger = logging.getLogger("moontide.events")


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happened, at a time (aware UTC)."""

    at: datetime


@dataclass(frozen=True, slots=True)
class EngineStateChanged(Event):
    """The engine went over into another state (see `EngineState`)."""

    state: str
    reason: str = ""


@dataclass(frozen=True, slots=True)
class JournalStalled(Event):
    """The database takes no writes; new runs wait, finished ones are kept in memory until it does."""

    reason: str
    waiting: int


@dataclass(frozen=True, slots=True)
class JournalRecovered(Event):
    """The database takes writes again, and all that waited is committed."""

    stalled_seconds: float


@dataclass(frozen=True, slots=True)
class JobsReloaded(Event):
    """The jobs folder was read again, whole or in part.

    Attributes:
        others: jobs whose files are as before, and that stand otherwise by now.
    """

    added: tuple[str, ...]
    changed: tuple[str, ...]
    removed: tuple[str, ...]
    invalid: tuple[str, ...]
    others: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class JobChanged(Event):
    """A job's status, activity or next run is another now.

    Attributes:
        activity: idle, queued or running.
    """

    job: str
    status: str
    reason: str
    next_run: datetime | None
    activity: str


@dataclass(frozen=True, slots=True)
class HoldChanged(Event):
    """A group was disabled or enabled, or a job, a group or the engine was paused or goes on.

    Attributes:
        kind: disabled or paused.
        scope: job, group or engine.
        target: the name of the job or group; "" for the engine.
        held: True where it begins, False where it is over.
        words: what is held, by whom and why.
    """

    kind: str
    scope: str
    target: str
    held: bool
    words: str


@dataclass(frozen=True, slots=True)
class RunsMissed(Event):
    """Due times of a job passed while no engine ran."""

    job: str
    count: int
    last_due: datetime


@dataclass(frozen=True, slots=True)
class RunsSkipped(Event):
    """Due times of a job make no runs while the engine runs; told once, until that or the reason changes.

    Attributes:
        due: the first of several that may follow for the same reason.
        cause: overlap, paused, group, blackout, or state for a given schedule; `reason` says it in words.
    """

    job: str
    due: datetime
    cause: str
    reason: str


@dataclass(frozen=True, slots=True)
class RunsRecovered(Event):
    """Runs that an earlier engine left unfinished were closed as CRASHED."""

    runs: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class RunQueued(Event):
    """A run was accepted and waits for its turn."""

    run: int
    job: str
    trigger: str


@dataclass(frozen=True, slots=True)
class RunStarted(Event):
    """A run's row is committed and its code starts.

    Attributes:
        late_ms: from its due time to its start.
    """

    run: int
    job: str
    trigger: str
    attempt: int
    late_ms: float = 0.0


@dataclass(frozen=True, slots=True)
class RunLogged(Event):
    """A run wrote lines to its log.

    Attributes:
        lines: (number, level, text) of each.
    """

    run: int
    job: str
    lines: tuple[tuple[int, str, str], ...]


@dataclass(frozen=True, slots=True)
class RunFinished(Event):
    """A run's outcome is committed.

    Attributes:
        retry: the planned run that tries again what this one failed to do.
    """

    run: int
    job: str
    status: str
    returned: str | None
    duration_ms: float | None
    error: str | None
    retry: int | None = None


@dataclass(frozen=True, slots=True)
class WorkersReplaced(Event):
    """The zygote died and was started again; runs that were under way are CRASHED."""

    reason: str


@dataclass(frozen=True, slots=True)
class AlertRaised(Event):
    """Something is wrong with a job, and is on record.

    Attributes:
        alert: its id.
        kind: an `AlertKind` value; `reason` says it in words.
        run: the run that showed it, if one did.
    """

    alert: int
    job: str
    kind: str
    reason: str
    run: int | None = None


@dataclass(frozen=True, slots=True)
class AlertEnded(Event):
    """What was wrong with a job is over, and that is on record.

    Attributes:
        since: when it began.
    """

    alert: int
    job: str
    kind: str
    reason: str
    since: datetime


@dataclass(frozen=True, slots=True)
class AlertItem:
    """One alert in a notice.

    Attributes:
        state: "began", "goes on" (a reminder) or "ended".
        count: how often it was seen.
        run: the run that showed it first.
    """

    alert: int
    job: str
    kind: str
    state: str
    reason: str
    since: datetime
    ended: datetime | None = None
    count: int = 1
    run: int | None = None


@dataclass(frozen=True, slots=True)
class AlertNotice(Event):
    """People are to be told of alerts, quiet hours and reminders considered: what senders send.

    Attributes:
        subject: all of it in one line.
        text: in full, one paragraph for each alert.
        to: the receiver that is told, by the name that moontide.toml gives it; empty for the usual ones.
    """

    subject: str
    text: str
    items: tuple[AlertItem, ...]
    to: str = ""


def as_dict(event: Event) -> dict[str, Any]:
    """Return an event as plain data with its kind under "event", for the API stream."""
    return {"event": type(event).__name__} | asdict(event)


Subscriber = Callable[[Event], None]


@dataclass(frozen=True, slots=True, eq=False)
class _Subscription:
    """One who listens, and to what."""

    subscriber: Subscriber
    kinds: tuple[type[Event], ...]


class Events:
    """The list of those who listen."""

    def __init__(self) -> None:
        self._subscriptions: list[_Subscription] = []
        #: Who is told of each kind of event, as far as that was asked.
        self._told: dict[type[Event], tuple[Subscriber, ...]] = {}

    def subscribe(
        self, subscriber: Subscriber, kinds: tuple[type[Event], ...] = (Event,)
    ) -> Callable[[], None]:
        """Add a subscriber, called on the engine's loop for each event that it wants; it must not block.

        Args:
            kinds: the kinds of events that it wants; all of them without.

        Returns:
            a function that ends the subscription.
        """
        subscription = _Subscription(subscriber, kinds)
        self._subscriptions.append(subscription)
        self._told.clear()

        def unsubscribe() -> None:
            if subscription in self._subscriptions:
                self._subscriptions.remove(subscription)
                self._told.clear()

        return unsubscribe

    def publish(self, event: Event) -> None:
        """Tell every subscriber; one that raises is logged and stays subscribed."""
        told = self._told.get(type(event))
        if told is None:
            told = self._told[type(event)] = self._who_wants(type(event))
        for subscriber in told:
            try:
                subscriber(event)
            except Exception:
                logger.exception("subscriber %r failed on %s", subscriber, type(event).__name__)

    def _who_wants(self, kind: type[Event]) -> tuple[Subscriber, ...]:
        return tuple(one.subscriber for one in self._subscriptions if issubclass(kind, one.kinds))
