"""Statements for many rows, compiled once."""

from __future__ import annotations

from datetime import UTC, datetime

from sqlalchemy import bindparam, insert, select, update
from sqlalchemy.dialects import postgresql

from engine.store.database import Database
from engine.store.models import AUDIT, RUN
from engine.store.prepared import Prepared

NOW = datetime(2026, 3, 1, 12, 30, 0, 5, tzinfo=UTC)
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
