"""Statements for many rows, compiled once."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from sqlalchemy import DateTime, bindparam, insert, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import DBAPIError

from engine.errors import StoreError
from engine.store.database import Database
from engine.store.dialects import translate
from engine.store.models import AUDIT, RUN, UtcDateTime
from engine.store.prepared import Prepared

NOW = datetime(2026, 3, 1, 12, 30, 0, 5, tzinfo=UTC)
DAY = timedelta(days=1)
NAMES = ("at", "actor", "origin", "action", "target", "before")
ADD = Prepared(insert(AUDIT), NAMES)


def row(target: str, before: object = None) -> tuple[object, ...]:
    return (NOW, "anna", "socket", "run job", target, before)


def test_values_come_back_as_they_were_given(database: Database) -> None:
    with database.writer.begin() as connection:
        assert ADD.execute(connection, [row("a", {"runs": [1, None]}), row("b")]) == 2
        found = connection.execute(select(AUDIT.c.at, AUDIT.c.target, AUDIT.c.before)).all()
    assert [tuple(one) for one in found] == [(NOW, "a", {"runs": [1, None]}), (NOW, "b", None)]


def test_an_update_tells_how_many_rows_it_changed(database: Database) -> None:
    rename = Prepared(
        update(AUDIT).where(AUDIT.c.target == bindparam("old"), AUDIT.c.actor == "anna").values(action="x"),
        ["old"],
    )
    with database.writer.begin() as connection:
        ADD.execute(connection, [row("a"), row("b")])
        assert rename.execute(connection, [("a",), ("missing",), ("b",)]) == 2


def test_a_database_that_wants_names_gets_them() -> None:
    statement = (
        update(RUN)
        .where(RUN.c.id == bindparam("run_id"), RUN.c.status == "QUEUED")
        .values(started=bindparam("new_started"))
    )
    compiled = Prepared(statement, ["run_id", "new_started"]).compiled(postgresql.dialect())
    (given,) = compiled.parameters([(7, NOW)])
    assert compiled.text % dict.fromkeys(given, "?")
    assert given == {"run_id": 7, "new_started": NOW, "status_1": "QUEUED"}


@settings(deadline=None)
@given(st.datetimes(timezones=st.timezones() | st.just(UTC)))
def test_times_are_written_to_sqlite_as_sqlalchemy_writes_them(at: datetime) -> None:
    assume(datetime.min.replace(tzinfo=UTC) + DAY < at < datetime.max.replace(tzinfo=UTC) - DAY)
    usual = DateTime().dialect_impl(sqlite.dialect()).bind_processor(sqlite.dialect())
    ours = UtcDateTime().dialect_impl(sqlite.dialect()).bind_processor(sqlite.dialect())
    assert usual is not None
    assert ours is not None
    assert ours(at) == usual(at.astimezone(UTC))
    assert ours(None) is None


def test_a_time_without_a_zone_is_not_written() -> None:
    for dialect in (sqlite.dialect(), postgresql.dialect()):
        write = UtcDateTime().dialect_impl(dialect).bind_processor(dialect)
        assert write is not None
        with pytest.raises(ValueError, match="has no time zone"):
            write(NOW.replace(tzinfo=None))


def test_what_the_database_refuses_is_told_as_of_any_statement(database: Database) -> None:
    with pytest.raises(DBAPIError) as caught, database.writer.begin() as connection:
        ADD.execute(connection, [row("a"), (NOW, "anna", None, "run job", "b", None)])
    assert "NOT NULL" in str(caught.value.orig)
    assert type(translate(caught.value)) is StoreError
    with database.writer.begin() as connection:
        assert connection.execute(select(AUDIT)).all() == []
