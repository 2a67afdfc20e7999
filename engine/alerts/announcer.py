"""Telling people of alerts: what, when, and whether it arrived.

What happens within a moment goes into one notice, so that a hundred jobs that fail together are one mail.
In quiet hours nothing is told; when they are over, all of it is one notice. An alert counts as told once
every sender had its notice or gave up: what an engine could not tell before it ended is told by the next one.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from engine.alerts.alertbook import AlertBook
from engine.alerts.alertnotice import item_of, notice_of
from engine.events import AlertNotice, Event, Events
from engine.extensions.subscribers import Telling
from engine.jobs.alertrules import AlertRules
from engine.rules.alertwatch import AlertKind
from engine.runs.scheduler import Scheduler
from engine.store.alertrows import AlertRow
from engine.times.clock import Clock
from engine.times.quiet import quiet_hours

logger = logging.getLogger("moontide.alerts")

GATHER_SECONDS = 1.0

#: From a job's name to its rules and its time zone.
RulesOf = Callable[[str], tuple[AlertRules, str]]


@dataclass(slots=True)
class _Sent:
    """A notice that senders have in hand."""

    notice: AlertNotice
    waiting: int
    troubles: list[str] = field(default_factory=list)


class Announcer:
    """Makes notices of alerts, and follows each until its senders are done."""

    def __init__(
        self, *, book: AlertBook, events: Events, clock: Clock, rules_of: RulesOf, timezone: str
    ) -> None:
        """Make an announcer; nothing is told before `start`.

        Args:
            timezone: in which times are told.
        """
        self._book = book
        self._events = events
        self._clock = clock
        self._rules_of = rules_of
        self._timezone = timezone
        self._senders = 0
        self._sent: dict[int, _Sent] = {}
        self._gathering: asyncio.TimerHandle | None = None
        self._later = Scheduler(clock=clock, on_due=lambda *_: self.tell())
        self._serving = False
        self._troubles: dict[str, str] = {}

    def start(self, senders: int) -> None:
        """Begin to tell, what is left of an earlier engine first.

        Args:
            senders: how many subscribers send notices.
        """
        self._senders = senders
        self._serving = True
        self._later.start()
        self.notify()

    def stop(self) -> None:
        """Tell what there is, and make no more notices; what is not told is told by the next engine."""
        if self._gathering is not None:
            self.tell()
        self._serving = False
        self._later.stop()

    def problems(self) -> list[str]:
        """Return a sentence for each sender that does not get through."""
        return [f"alerts are not told by {plugin}: {why}" for plugin, why in sorted(self._troubles.items())]

    def notify(self) -> None:
        """Look soon at what there is to tell."""
        if self._serving and self._gathering is None:
            self._gathering = asyncio.get_running_loop().call_later(GATHER_SECONDS, self.tell)

    def tell(self) -> None:
        """Make a notice of what is to be told now, and see when the next one is due."""
        if self._gathering is not None:
            self._gathering.cancel()
            self._gathering = None
        if not self._serving:
            return
        now, under_way = self._clock.now(), self._under_way()
        ready, silent, next_time = [], [], None
        for row in self._book.rows():
            if row.id in under_way:
                continue
            rules, zone = self._rules_of(row.job)
            when = due_to_tell(row, rules, zone, now)
            if when is None:
                continue
            if when > now:
                next_time = when if next_time is None else min(when, next_time)
            elif worth_telling(row, rules, flapping=self._flaps(row.job)):
                ready.append(row)
            else:
                silent.append(row)
        self._later.arm("tell", next_time)
        if silent:
            self._book.put([told(row, row.ended, now) for row in silent])
        for to in sorted({self._rules_of(row.job)[0].to for row in ready}):
            self._publish([row for row in ready if self._rules_of(row.job)[0].to == to], now, to)

    def _flaps(self, job: str) -> bool:
        return self._book.of_kind(job, AlertKind.FLAPPING) is not None

    def _under_way(self) -> set[int]:
        return {item.alert for sent in self._sent.values() for item in sent.notice.items}

    def _publish(self, rows: list[AlertRow], now: datetime, to: str) -> None:
        notice = notice_of([item_of(row) for row in rows], at=now, zone=self._timezone, to=to)
        sent = _Sent(notice, self._senders)
        self._sent[id(notice)] = sent
        self._events.publish(notice)
        if not self._senders:
            self._settle(sent)

    def report(self, telling: Telling) -> None:
        """Take how a sender got on with a notice."""
        if telling.problem is None:
            if self._troubles.pop(telling.plugin, None):
                logger.info("alerts are told by %s again", telling.plugin)
        else:
            self._troubles[telling.plugin] = _still(telling)
        sent = self._sent_of(telling.event)
        if sent is None or not telling.final:
            return
        if telling.problem is not None:
            sent.troubles.append(f"{telling.plugin}: {telling.problem}")
        sent.waiting -= 1
        if sent.waiting <= 0:
            self._settle(sent)

    def _sent_of(self, event: Event) -> _Sent | None:
        return self._sent.get(id(event))

    def _settle(self, sent: _Sent) -> None:
        del self._sent[id(sent.notice)]
        now, trouble = self._clock.now(), "; ".join(sent.troubles) or None
        rows = [
            replace(told(row, item.ended, sent.notice.at), trouble=trouble)
            for item in sent.notice.items
            if (row := self._book.get(item.alert)) is not None
        ]
        if rows:
            self._book.put(rows)
        if any(due_to_tell(row, *self._rules_of(row.job), now) is not None for row in rows):
            self.notify()


def due_to_tell(row: AlertRow, rules: AlertRules, zone: str, now: datetime) -> datetime | None:
    """Return when people are to be told of an alert next, None for never as it stands.

    A time that has passed means now; quiet hours put it off.
    """
    if row.told is None or row.ended is not None:
        when = None if row.end_told is not None else now
    elif rules.remind_every and row.acked is None:
        when = row.told + timedelta(seconds=rules.remind_every)
    else:
        return None
    if when is None or not rules.quiet:
        return when
    return quiet_hours(rules.quiet, zone).end(max(when, now))


def worth_telling(row: AlertRow, rules: AlertRules, *, flapping: bool) -> bool:
    """Whether people want to hear of an alert now, or it is passed over.

    Its end alone is none of their business without `recovered`, nor is each change of a job that flaps.
    """
    if flapping and row.kind == AlertKind.FAILING:
        return False
    return row.told is None or row.ended is None or rules.recovered


def told(row: AlertRow, ended: datetime | None, at: datetime) -> AlertRow:
    """Return an alert that people know of, also of its end if that was known (`ended`)."""
    return replace(row, told=at, end_told=at if ended is not None else None)


def _still(telling: Telling) -> str:
    return f"{telling.problem}; {'given up' if telling.final else 'it is tried again'}"
