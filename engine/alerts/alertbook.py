"""The alerts that the engine has in hand: those that go on, and those whose end is still to be told."""

from __future__ import annotations

import logging
from asyncio import Future
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from engine.errors import StoreError
from engine.rules.alertwatch import AlertKind
from engine.store.alertrows import AlertRow, save_alerts
from engine.store.journal import Journal
from engine.store.rows import AuditEntry
from engine.times.clock import Clock

logger = logging.getLogger("moontide.alerts")


class AlertBook:
    """Keeps alerts in memory, and each change of them in the database."""

    def __init__(self, journal: Journal, clock: Clock) -> None:
        self._journal = journal
        self._clock = clock
        self._rows: dict[int, AlertRow] = {}
        self._ongoing: dict[str, dict[str, int]] = {}
        self._next_id = 1

    def take_up(self, rows: Iterable[AlertRow], next_id: int) -> None:
        """Take up what an earlier engine left."""
        self._next_id = next_id
        for row in rows:
            self._keep(row)

    def new_id(self) -> int:
        """Return an id that no alert has."""
        self._next_id += 1
        return self._next_id - 1

    def get(self, alert_id: int) -> AlertRow | None:
        """Return an alert that is in hand."""
        return self._rows.get(alert_id)

    def rows(self) -> list[AlertRow]:
        """Return all that are in hand, the oldest first."""
        return sorted(self._rows.values(), key=lambda row: row.id)

    def of(self, job: str) -> list[AlertRow]:
        """Return the alerts of a job that go on, the oldest first."""
        return [self._rows[one] for one in sorted(self._ongoing.get(job, {}).values())]

    def of_kind(self, job: str, kind: AlertKind) -> AlertRow | None:
        """Return the alert of this kind that goes on for a job."""
        found = self._ongoing.get(job, {}).get(kind.value)
        return None if found is None else self._rows[found]

    def ongoing(self) -> list[AlertRow]:
        """Return all that go on, the oldest first."""
        return [row for row in self.rows() if row.ended is None]

    def put(
        self,
        rows: Sequence[AlertRow],
        then: Callable[[], None] | None = None,
        audit: AuditEntry | None = None,
    ) -> Future[Any] | None:
        """Keep new values of alerts.

        Args:
            then: called on the loop once they are committed.
            audit: an operator's action that is written with them.

        Returns:
            done once they are committed; None if the engine stops and writes nothing more.
        """
        for row in rows:
            self._keep(row)
        kept = tuple(rows)
        try:
            written = self._journal.transact(
                lambda connection: save_alerts(connection, kept, self._clock.now(), audit)
            )
        except StoreError as error:
            logger.warning("what became of alerts is not on record: %s", error)
            return None
        written.add_done_callback(lambda future: _settle(future, then))
        return written

    def _keep(self, row: AlertRow) -> None:
        ongoing = self._ongoing.setdefault(row.job, {})
        if row.ended is None:
            ongoing[row.kind] = row.id
        elif ongoing.get(row.kind) == row.id:
            del ongoing[row.kind]
        if not ongoing:
            del self._ongoing[row.job]
        if row.ended is not None and row.end_told is not None:
            self._rows.pop(row.id, None)
        else:
            self._rows[row.id] = row


def _settle(future: Future[Any], then: Callable[[], None] | None) -> None:
    if future.cancelled():
        return
    if (error := future.exception()) is not None:
        logger.error("what became of alerts is not on record: %s", error)
    elif then is not None:
        then()
