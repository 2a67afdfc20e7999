"""Alerts in the database, on SQLite and on PostgreSQL."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from engine.store.alertrows import AlertQueries, AlertRow, save_alerts
from engine.store.auditqueries import AuditQueries
from engine.store.database import Database
from engine.store.rows import AuditEntry
from tests.engine.store.conftest import NOON

ROW = AlertRow(1, "report", "failing", "run 7 ended ERROR", 7, NOON, NOON)
LATER = NOON + timedelta(hours=1)


def put(database: Database, *rows: AlertRow, audit: AuditEntry | None = None) -> None:
    with database.writer.begin() as connection:
        save_alerts(connection, rows, NOON, audit)


def test_an_alert_is_written_once_and_then_changed(either: Database) -> None:
    put(either, ROW)
    over = replace(ROW, count=3, told=NOON, ended=LATER, end_reason="run 9 is COMPLETE", note="disk")
    put(either, over)
    assert AlertQueries(either.reader).alert(1) == over


def test_what_goes_on_or_is_still_to_be_told_is_open(either: Database) -> None:
    told = replace(ROW, id=2, told=NOON)
    over = replace(ROW, id=3, told=NOON, ended=LATER, end_told=LATER)
    untold = replace(ROW, id=4, told=NOON, ended=LATER)
    put(either, ROW, told, over, untold)
    queries = AlertQueries(either.reader)
    assert [row.id for row in queries.open()] == [1, 2, 4]
    assert queries.next_id() == 5


def test_alerts_are_listed_newest_first_and_paged(either: Database) -> None:
    other = replace(ROW, id=2, job="other")
    over = replace(ROW, id=3, ended=LATER)
    put(either, ROW, other, over)
    queries = AlertQueries(either.reader)
    assert [row.id for row in queries.alerts()] == [2, 1]
    assert [row.id for row in queries.alerts(ended=True)] == [3, 2, 1]
    assert [row.id for row in queries.alerts(job="report", ended=True, before=3)] == [1]


def test_an_acknowledgement_is_written_with_its_audit_entry(either: Database) -> None:
    entry = AuditEntry(NOON, "anna@web1", "socket", "acknowledge alert", "report")
    put(either, replace(ROW, acked=NOON, acked_by="anna@web1"), audit=entry)
    (found,) = AuditQueries(either.reader).entries()
    assert (found.actor, found.action, found.target) == ("anna@web1", "acknowledge alert", "report")


def test_the_first_alert_of_a_database_is_number_one(database: Database) -> None:
    assert AlertQueries(database.reader).next_id() == 1
