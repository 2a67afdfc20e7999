"""The checker must be able to fail: forged databases, and each lie is named."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from tests.faults import records, witness
from tests.faults.checker import judge
from tests.faults.orders import Answer, Orders, Submission
from tests.faults.scene import Verdict, checked

_TABLES = """
CREATE TABLE run (id INTEGER PRIMARY KEY, job, status, trigger, attempt, rescheduled_from, due, started,
    finished, data, superseded);
CREATE TABLE slot (job, first_due, last_due, count, fate, cause);
CREATE TABLE job (name, status, next_due, present);
CREATE TABLE planned_run (id INTEGER PRIMARY KEY);
"""
_RUN = "INSERT INTO run VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, NULL)"


def at(second: int) -> str:
    return f"2026-03-01 12:00:{second:02}.000000"


class Forgery:
    """A database with a submission that was tried twice, and a job of every second; all is well at first."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.orders = Orders({"tick": 1.0}, {"quick": 1}, ["quick", "tick"])
        self.orders.note(Submission("a", "quick", Answer.ACCEPTED, 1))
        self.orders.note(Submission("b", "quick", Answer.REFUSED))
        self.orders.note(Submission("c", "quick"))
        self.seen = [
            '{"what": "start", "job": "quick", "run": 1, "attempt": 1, "token": "a"}',
            '{"what": "start", "job": "quick", "run": 2, "attempt": 2, "token": "a"}',
            '{"what": "end", "job": "quick", "run": 2, "attempt": 2, "token": "a"}',
        ]
        self._database = folder / "forged.db"
        self.sql(_TABLES)
        self.run(1, status="ERROR")
        self.run(2, attempt=2, parent=1, trigger="retry")
        self.run(3, job="tick", token=None, trigger="schedule", status="CANCELLED", due=at(1))
        self.sql(f"INSERT INTO slot VALUES ('tick', '{at(2)}', '{at(4)}', 3, 'missed', 'down')")
        self.sql(f"INSERT INTO job VALUES ('tick', 'WAITING', '{at(5)}', 1), ('quick', 'WAITING', NULL, 1)")

    def sql(self, text: str) -> None:
        with closing(sqlite3.connect(self._database)) as connection:
            connection.executescript(text)

    def run(
        self,
        id: int,
        *,
        job: str = "quick",
        status: str = "COMPLETE",
        trigger: str = "manual",
        attempt: int = 1,
        parent: int | None = None,
        token: str | None = "a",
        due: str = at(0),
    ) -> None:
        data = f'{{"token": "{token}"}}' if token else None
        with closing(sqlite3.connect(self._database)) as connection:
            row = (id, job, status, trigger, attempt, parent, due, at(1), at(2), data)
            connection.execute(_RUN, row)
            connection.commit()

    def checked(self, *options: str) -> Verdict:
        self.orders.write(self._folder / "orders.json")
        (self._folder / "sightings").write_text("".join(f"{line}\n" for line in self.seen))
        return checked(self._folder / "orders.json", self._folder / "sightings", self._database, *options)

    def judged(self) -> tuple[str, ...]:
        self.orders.write(self._folder / "orders.json")
        (self._folder / "sightings").write_text("".join(f"{line}\n" for line in self.seen))
        seen = witness.read(self._folder / "sightings")
        return judge(self.orders, seen, records.read(self._database)).complaints


@pytest.fixture
def forgery(tmp_path: Path) -> Forgery:
    return Forgery(tmp_path)


def test_what_is_as_it_must_be_is_not_complained_about(forgery: Forgery) -> None:
    assert forgery.checked() == Verdict(submissions=3, runs=3, starts=2, times=4, complaints=())


def test_the_checker_ends_with_1_and_names_a_lost_a_doubled_and_a_stuck_run(forgery: Forgery) -> None:
    forgery.orders.note(Submission("gone", "quick", Answer.ACCEPTED, 77))
    forgery.run(10, token="a", status="ERROR")
    forgery.sql("UPDATE run SET status = 'RUNNING', finished = NULL WHERE id = 3")
    complaints = "\n".join(forgery.checked().complaints)
    assert "lost: gone (quick) was accepted as run 77, which is not there" in complaints
    assert "doubled: a (quick) has the runs [1, 10]" in complaints
    assert "stuck: run 3 of tick is RUNNING" in complaints


def _saw(line: str) -> Callable[[Forgery], None]:
    return lambda forgery: forgery.seen.append(line)


def _sql(text: str) -> Callable[[Forgery], None]:
    return lambda forgery: forgery.sql(text)


def _ran(id: int, **fields: object) -> Callable[[Forgery], None]:
    return lambda forgery: forgery.run(id, **fields)  # type: ignore[arg-type]


def _unseen(number: int) -> Callable[[Forgery], None]:
    return lambda forgery: forgery.seen.pop(number) and None


def _late(id: int, *, ends: int = 1, **fields: str | None) -> Callable[[Forgery], None]:
    """Let a run have ends that came too late, and some other values."""
    late = json.dumps([{"status": "COMPLETE"}] * ends)
    values = "".join(f", {name} = {'NULL' if to is None else repr(to)}" for name, to in fields.items())
    return _sql(f"UPDATE run SET superseded = '{late}'{values} WHERE id = {id}")


@pytest.mark.parametrize(
    ("lie", "named"),
    [
        (_ran(9, token="b"), "invented: b (quick) was refused, and has run 9"),
        (_ran(9, token="z"), "invented: nobody asked for the runs of z"),
        (_ran(9, token="c", job="tick"), "invented: c (quick) ran as another job"),
        (
            _ran(9, attempt=3, parent=2, trigger="retry"),
            "doubled: run 9 tries run 2 again, which is COMPLETE",
        ),
        (_ran(9, attempt=3, parent=2, trigger="retry"), "doubled: run 9 of quick is attempt 3"),
        (_ran(9, attempt=2, parent=1, trigger="retry"), "doubled: run 1 was tried again 2 times"),
        (_ran(9, attempt=2, parent=1, trigger="retry"), "doubled: a (quick) has the attempts [1, 2, 2]"),
        (_ran(9, attempt=2, parent=8, trigger="retry"), "invented: run 9 is no attempt after run 8"),
        (_unseen(1), "invented: run 2 of quick is COMPLETE, and nobody saw its start"),
        (_unseen(2), "invented: run 2 of quick is COMPLETE, and nobody saw its end"),
        (
            _saw('{"what": "start", "job": "quick", "run": 2, "attempt": 2, "token": "a"}'),
            "doubled: run 2 told its start 2 times",
        ),
        (
            _saw('{"what": "start", "job": "tick", "run": 55, "attempt": 1}'),
            "lost: run 55 of tick told its start, and has no row",
        ),
        (
            _saw('{"what": "start", "job": "tick", "run": 3, "attempt": 2}'),
            "lost: run 3 told its start as",
        ),
        (_sql("UPDATE run SET started = NULL WHERE id = 1"), "lost: run 1 told its start as"),
        (_late(2), "doubled: run 2 of quick is COMPLETE, and came late besides"),
        (_late(1, ends=2, status="CRASHED"), "doubled: run 1 of quick came late 2 times"),
        (_late(3, started=None), "invented: run 3 of tick came late, and never started"),
        (_sql("DELETE FROM slot"), "lost: the times of tick between"),
        (_sql("DELETE FROM slot; DELETE FROM run WHERE id = 3"), "lost: tick has no planned time"),
        (_ran(9, job="tick", token=None, trigger="schedule", due=at(3)), "doubled: the time"),
        (_sql("UPDATE slot SET count = NULL"), "lost: the times of tick after"),
        (_sql(f"UPDATE job SET next_due = '{at(9)}' WHERE name = 'tick'"), "lost: the times of tick between"),
        (_sql("INSERT INTO planned_run VALUES (80)"), "stuck: run 80 is still planned"),
        (_sql("UPDATE job SET status = 'INACTIVE' WHERE name = 'quick'"), "stuck: quick is INACTIVE"),
        (_sql("DELETE FROM job WHERE name = 'quick'"), "lost: the job quick is gone"),
    ],
)
def test_a_lie_is_named(forgery: Forgery, lie: Callable[[Forgery], None], named: str) -> None:
    lie(forgery)
    complaints = forgery.judged()
    assert any(one.startswith(named) for one in complaints), complaints


def test_runs_under_way_are_no_complaint_while_the_engine_works(forgery: Forgery) -> None:
    forgery.sql("UPDATE run SET status = 'RUNNING', finished = NULL WHERE id = 3")
    assert forgery.checked("--under-way").complaints == ()
    assert forgery.checked().complaints != ()


def test_a_database_that_is_damaged_is_told(forgery: Forgery) -> None:
    # A row of the table is gone from its index.
    forgery.sql("CREATE INDEX by_job ON run (job)")
    forgery.sql(
        "PRAGMA writable_schema = ON; "
        "UPDATE sqlite_schema SET sql = replace(sql, '(job)', '(status)') WHERE name = 'by_job'"
    )
    assert any(one.startswith("the database is damaged: ") for one in forgery.judged())
