"""The audit trail in real databases."""

from __future__ import annotations

from datetime import timedelta

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import delete

from engine.store.auditqueries import AuditQueries
from engine.store.database import Database
from engine.store.models import AUDIT
from engine.store.rows import AuditEntry, Changes
from engine.store.writes import write
from tests.engine.store.conftest import NOON

WHO = ("anna@web1", "anna", "Anna@web1", "annabel@web1", "an%a@web1")


def keep(database: Database, *entries: AuditEntry) -> None:
    with database.writer.begin() as connection:
        write(connection, [Changes(audits=entries)], NOON)


def test_actions_come_newest_first_with_all_that_was_kept(either: Database) -> None:
    keep(either, AuditEntry(NOON, "anna@web1", "tcp", "activate", "a", "INACTIVE", {"status": "WAITING"}))
    keep(either, AuditEntry(NOON, "bert", "socket", "reload", ""))
    second, first = AuditQueries(either.reader).entries()
    assert (second.actor, second.target, second.before) == ("bert", "", None)
    assert (first.at, first.actor, first.origin, first.action) == (NOON, "anna@web1", "tcp", "activate")
    assert (first.before, first.after) == ("INACTIVE", {"status": "WAITING"})


def test_a_name_without_host_means_that_person_on_any_host_and_nobody_else(either: Database) -> None:
    keep(either, *(AuditEntry(NOON, who, "socket", "run job", "a") for who in WHO))
    queries = AuditQueries(either.reader)
    assert {view.actor for view in queries.entries(who="anna")} == {"anna@web1", "anna"}
    assert {view.actor for view in queries.entries(who="an%a")} == {"an%a@web1"}
    assert [view.actor for view in queries.entries(who="annabel@web1")] == ["annabel@web1"]


def test_actions_are_chosen_by_time_and_target(either: Database) -> None:
    keep(
        either,
        *(
            AuditEntry(NOON + timedelta(minutes=n), "anna", "socket", "run job", target)
            for n, target in enumerate("aba")
        ),
    )
    queries = AuditQueries(either.reader)
    assert [view.id for view in queries.entries(since=NOON + timedelta(minutes=1))] == [3, 2]
    assert [view.id for view in queries.entries(target="a")] == [3, 1]


@given(page=st.integers(1, 7), total=st.integers(0, 12))
@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_pages_leave_nothing_out_while_new_actions_come(database: Database, page: int, total: int) -> None:
    queries = AuditQueries(database.reader)
    with database.writer.begin() as connection:
        connection.execute(delete(AUDIT))
    keep(database, *(AuditEntry(NOON, "anna", "socket", "run job", str(n)) for n in range(total)))
    wanted = [view.id for view in queries.entries(limit=10_000)]
    read: list[int] = []
    while found := queries.entries(before_id=read[-1] if read else None, limit=page):
        read += [view.id for view in found]
        keep(database, AuditEntry(NOON, "bert", "socket", "reload", ""))
    assert read == wanted
