"""What operators may ask about alerts."""

from __future__ import annotations

import asyncio
from collections import Counter
from dataclasses import asdict, replace

from engine.alerts.alertbook import AlertBook
from engine.alerts.announcer import Announcer
from engine.errors import NotFound, Refused
from engine.store.alertrows import AlertQueries, AlertRow
from engine.store.rows import AuditEntry
from engine.times.clock import Clock
from engine.views import AlertView

LONGEST_NOTE = 1000


class AlertDesk:
    """Answers the API's requests about alerts (see `engine.api.operations.AlertOperations`)."""

    def __init__(self, *, book: AlertBook, stored: AlertQueries, announcer: Announcer, clock: Clock) -> None:
        self._book = book
        self._stored = stored
        self._announcer = announcer
        self._clock = clock

    def of(self, job: str) -> list[AlertView]:
        """Return the alerts of a job that go on, the oldest first."""
        return [alert_view(row) for row in self._book.of(job)]

    def counts(self) -> dict[str, int]:
        """Return how many alerts go on, by kind."""
        return dict(Counter(row.kind for row in self._book.ongoing()))

    def problems(self) -> list[str]:
        """Return a sentence for each sender that does not get through."""
        return self._announcer.problems()

    async def list(
        self, *, job: str | None = None, ended: bool = False, before: int | None = None, limit: int = 50
    ) -> list[AlertView]:
        """Return alerts, the newest first."""
        rows = await asyncio.to_thread(self._stored.alerts, job=job, ended=ended, before=before, limit=limit)
        return [alert_view(row) for row in rows]

    async def ack(self, alert_id: int, *, note: str, actor: str) -> AlertView:
        """Note that somebody knows of an alert: there are no more reminders of it."""
        row = self._book.get(alert_id)
        if row is None or row.ended is not None:
            await self._refuse(alert_id)
            raise Refused(f"alert {alert_id} is over already; there is nothing to acknowledge")
        if len(note) > LONGEST_NOTE:
            raise Refused(f"a note has at most {LONGEST_NOTE} characters")
        who, _, origin = actor.partition(" via ")
        now = self._clock.now()
        acked = replace(row, acked=now, acked_by=who, note=note or row.note)
        before, after = {"acked_by": row.acked_by, "note": row.note}, {"acked_by": who, "note": acked.note}
        audit = AuditEntry(now, who, origin, "acknowledge alert", row.job, before, {"alert": row.id, **after})
        written = self._book.put([acked], audit=audit)
        if written is None:
            raise Refused("the engine is stopping")
        await written
        return alert_view(acked)

    async def _refuse(self, alert_id: int) -> None:
        if await asyncio.to_thread(self._stored.alert, alert_id) is None:
            raise NotFound(f"no alert {alert_id}; `moontide alerts --all` lists them")


def alert_view(row: AlertRow) -> AlertView:
    """Return an alert as the API shows it."""
    lasted = None if row.ended is None else (row.ended - row.since).total_seconds()
    return AlertView(**asdict(row), lasted_seconds=lasted)
