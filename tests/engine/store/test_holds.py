"""Holds in real databases."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from engine.desks.audit import audit_entry
from engine.rules.holds import Hold, HoldKind, HoldScope
from engine.store.auditqueries import AuditQueries
from engine.store.database import Database
from engine.store.holds import drop_hold, keep_hold, stored_holds
from tests.engine.store.conftest import NOON

PAUSE = Hold(HoldKind.PAUSED, HoldScope.GROUP, "night", "müde", "anna@web1", NOON, NOON + timedelta(hours=1))
ENTRY = audit_entry(NOON, "anna@web1 via socket", "pause group", "night", after=PAUSE.words())


def keep(database: Database, hold: Hold) -> None:
    with database.writer.begin() as connection:
        keep_hold(connection, hold, ENTRY)


def test_a_hold_comes_back_as_it_was_and_once(either: Database) -> None:
    longer = replace(PAUSE, until=None, note="")
    keep(either, PAUSE)
    assert stored_holds(either.reader) == [PAUSE]
    keep(either, longer)
    assert stored_holds(either.reader) == [longer]


def test_a_hold_that_ends_leaves_the_others(either: Database) -> None:
    off = replace(PAUSE, kind=HoldKind.DISABLED, until=None)
    keep(either, PAUSE)
    keep(either, off)
    with either.writer.begin() as connection:
        drop_hold(connection, PAUSE.key, None)
    assert stored_holds(either.reader) == [off]


def test_the_operators_action_is_written_with_the_hold(either: Database) -> None:
    keep(either, PAUSE)
    with either.writer.begin() as connection:
        drop_hold(connection, PAUSE.key, replace(ENTRY, action="resume group"))
    actions = [entry.action for entry in AuditQueries(either.reader).entries(target="night")]
    assert actions == ["resume group", "pause group"]
