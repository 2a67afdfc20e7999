"""How the journal's changes become statements: each kind of row in one statement for the whole batch."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import fields
from datetime import datetime
from functools import lru_cache
from operator import attrgetter
from typing import Any

from sqlalchemy import Connection, bindparam, delete, insert, or_, update

from engine.errors import StoreError
from engine.rules.slots import Slot
from engine.states import RunStatus, ScheduleStatus
from engine.store.dialects import upsert
from engine.store.models import (
    AUDIT,
    GIVEN_SCHEDULE,
    JOB,
    JOB_STATE,
    LOG_LINE,
    PLANNED_RUN,
    RUN,
    SLOT,
    SOURCE,
    UNFINISHED,
)
from engine.store.prepared import Prepared, Values
from engine.store.rows import AuditEntry, Changes, GivenSchedule, PlannedRun, RunEnd, RunRow

_RUN_NAMES = RunRow.__struct_fields__
_PLANNED_NAMES = tuple(field.name for field in fields(PlannedRun))
_END_NAMES = RunEnd.__struct_fields__
_SLOT_NAMES = tuple(field.name for field in fields(Slot))
_GIVEN_NAMES = tuple(field.name for field in fields(GivenSchedule))
#: What changes of a schedule after it was given.
_STEP_NAMES = ("status", "due", "ended", "reason", "last_run_id", "skipped", "note")
_AUDIT_NAMES = tuple(field.name for field in fields(AuditEntry))

_run_values = attrgetter(*_RUN_NAMES)
_planned_values = attrgetter(*_PLANNED_NAMES)
_end_values = attrgetter(*_END_NAMES)
_slot_values = attrgetter(*_SLOT_NAMES)
_given_values = attrgetter(*_GIVEN_NAMES)
_step_values = attrgetter("id", *_STEP_NAMES)
_audit_values = attrgetter(*_AUDIT_NAMES)

# In an update a bound value cannot have its column's name.
_NEW_END_NAMES = tuple(f"new_{name}" for name in _END_NAMES)
_NEW_STEP_NAMES = tuple(f"new_{name}" for name in _STEP_NAMES)

_INSERT_RUN = Prepared(insert(RUN), _RUN_NAMES)
_INSERT_PLANNED = Prepared(insert(PLANNED_RUN), _PLANNED_NAMES)
_DELETE_PLANNED = Prepared(delete(PLANNED_RUN).where(PLANNED_RUN.c.id == bindparam("run_id")), ("run_id",))
_INSERT_GIVEN = Prepared(insert(GIVEN_SCHEDULE), _GIVEN_NAMES)
_STEP_GIVEN = Prepared(
    update(GIVEN_SCHEDULE)
    .where(
        GIVEN_SCHEDULE.c.id == bindparam("given_id"), GIVEN_SCHEDULE.c.status == ScheduleStatus.ACTIVE.value
    )
    .values({name: bindparam(new) for name, new in zip(_STEP_NAMES, _NEW_STEP_NAMES, strict=True)}),
    ("given_id", *_NEW_STEP_NAMES),
)
_INSERT_LINE = Prepared(insert(LOG_LINE), ("run_id", "number", "at", "level", "text"))
_CLEAR_STATE = Prepared(
    delete(JOB_STATE).where(JOB_STATE.c.job == bindparam("name"), JOB_STATE.c.lasting.is_(False)), ("name",)
)
_INSERT_AUDIT = Prepared(insert(AUDIT), _AUDIT_NAMES)
# Not an IN: SQLAlchemy refuses its list of values in a statement that is executed for many rows.
_UNFINISHED = or_(*(RUN.c.status == status for status in UNFINISHED))

# A run that is over stays as it is, whoever still wants to write its start or end.
_START_RUN = Prepared(
    update(RUN)
    .where(RUN.c.id == bindparam("run_id"), RUN.c.status == RunStatus.QUEUED.value)
    .values(
        status=RunStatus.RUNNING.value,
        started=bindparam("new_started"),
        source_hash=bindparam("new_source_hash"),
        version=bindparam("new_version"),
        worker=bindparam("new_worker"),
    ),
    ("run_id", "new_started", "new_source_hash", "new_version", "new_worker"),
)
_END_RUN = Prepared(
    update(RUN)
    .where(RUN.c.id == bindparam("run_id"), _UNFINISHED)
    .values({name: bindparam(new) for name, new in zip(_END_NAMES, _NEW_END_NAMES, strict=True)}),
    ("run_id", *_NEW_END_NAMES),
)


def write(connection: Connection, changes: Sequence[Changes], now: datetime) -> None:
    """Write changes inside the connection's transaction, kind by kind.

    A run's insert comes before its start, that before its end; of several patches of a job the last value
    of each column wins.

    Raises:
        StoreError: a run to start is not QUEUED, one to end has ended already, a planned one is gone, or a
            schedule to go on has ended.
    """
    _write_sources(connection, changes, now)
    _write_given(connection, changes)
    _insert(
        connection, _INSERT_PLANNED, [_planned_values(run) for change in changes for run in change.planned]
    )
    _update_runs(connection, _DELETE_PLANNED, [(run,) for change in changes for run in change.unplanned])
    _insert(connection, _INSERT_RUN, _run_rows(changes))
    _update_runs(connection, _START_RUN, _start_rows(changes))
    _insert(connection, _INSERT_LINE, _line_rows(changes))
    _update_runs(connection, _END_RUN, _end_rows(changes))
    if cleared := [(job,) for change in changes for job in change.cleared]:
        _CLEAR_STATE.execute(connection, cleared)
    _write_jobs(connection, changes, now)
    _write_slots(connection, changes)
    _insert(connection, _INSERT_AUDIT, _audit_rows(changes))
    _write_beside(connection, changes)


def write_audit(connection: Connection, entry: AuditEntry) -> None:
    """Write one action of an operator inside the connection's transaction."""
    _INSERT_AUDIT.execute(connection, [_audit_values(entry)])


def _insert(connection: Connection, statement: Prepared, rows: list[Values]) -> None:
    if rows:
        statement.execute(connection, rows)


def _update_runs(connection: Connection, statement: Prepared, rows: list[Values]) -> None:
    if rows and statement.execute(connection, rows) != len(rows):
        ids = ", ".join(str(row[0]) for row in rows)
        raise StoreError(f"run {ids} cannot go on: it does not exist, or has gone on or ended already")


def _write_given(connection: Connection, changes: Sequence[Changes]) -> None:
    _insert(connection, _INSERT_GIVEN, [_given_values(one) for change in changes for one in change.given])
    steps = [_step_values(one) for change in changes for one in change.given_steps]
    if steps and _STEP_GIVEN.execute(connection, steps) != len(steps):
        ids = ", ".join(str(step[0]) for step in steps)
        raise StoreError(f"schedule {ids} cannot go on: it does not exist, or has ended already")


def _run_rows(changes: Sequence[Changes]) -> list[Values]:
    rows = [_run_values(run) for change in changes for run in change.runs]
    owed = [_run_values(run) for change in changes for patch in change.jobs for run in patch.runs]
    return rows + owed if owed else rows


def _start_rows(changes: Iterable[Changes]) -> list[Values]:
    return [
        (start.run_id, start.started, start.source_hash, start.version, start.worker)
        for change in changes
        for start in change.starts
    ]


def _end_rows(changes: Iterable[Changes]) -> list[Values]:
    return [(run_id, *_end_values(end)) for change in changes for run_id, end in change.ends]


def _line_rows(changes: Iterable[Changes]) -> list[Values]:
    return [
        (run_id, line.number, line.at, line.level, line.text)
        for change in changes
        for run_id, lines in change.lines
        for line in lines
    ]


def _audit_rows(changes: Iterable[Changes]) -> list[Values]:
    return [_audit_values(entry) for change in changes for entry in change.audits]


def _write_sources(connection: Connection, changes: Iterable[Changes], now: datetime) -> None:
    texts = {source.hash: source.text for change in changes for source in change.sources}
    statement = _source_insert(connection.dialect.name)
    _insert(connection, statement, [(source_hash, text, now) for source_hash, text in texts.items()])


def _write_jobs(connection: Connection, changes: Iterable[Changes], now: datetime) -> None:
    for columns, rows in _jobs_by_columns(changes).items():
        statement = _job_upsert(connection.dialect.name, columns)
        statement.execute(connection, [(now, now, *row) for row in rows])


def _write_slots(connection: Connection, changes: Iterable[Changes]) -> None:
    slots = [slot for change in changes for patch in change.jobs for slot in patch.slots]
    if slots:
        # One that grew is there several times: the last one holds the others.
        newest = {(slot.job, slot.first_due, slot.noted): _slot_values(slot) for slot in slots}
        _insert(connection, _slot_upsert(connection.dialect.name), list(newest.values()))


def _write_beside(connection: Connection, changes: Iterable[Changes]) -> None:
    values: dict[Callable[[Any, Sequence[Any]], None], list[Any]] = {}
    for change in changes:
        for one in change.beside:
            values.setdefault(one.write, []).append(one.value)
    for write_all, them in values.items():
        write_all(connection, them)


def _jobs_by_columns(changes: Iterable[Changes]) -> dict[tuple[str, ...], list[Values]]:
    """Return the rows of jobs under the columns that they give, of which the name is the first."""
    merged: dict[str, dict[str, Any]] = {}
    for change in changes:
        for patch in change.jobs:
            merged.setdefault(patch.name, {"name": patch.name}).update(patch.values)
    grouped: dict[tuple[str, ...], list[Values]] = defaultdict(list)
    for values in merged.values():
        grouped[tuple(values)].append(tuple(values.values()))
    return grouped


@lru_cache(maxsize=8)
def _source_insert(dialect: str) -> Prepared:
    return Prepared(upsert(dialect, SOURCE, ("hash",), ()), ("hash", "text", "first_seen"))


@lru_cache(maxsize=8)
def _slot_upsert(dialect: str) -> Prepared:
    key = ("job", "first_due", "noted")
    return Prepared(upsert(dialect, SLOT, key, ("last_due", "count", "run_id")), _SLOT_NAMES)


@lru_cache(maxsize=256)
def _job_upsert(dialect: str, columns: tuple[str, ...]) -> Prepared:
    replaced = ("updated", *(name for name in columns if name != "name"))
    return Prepared(upsert(dialect, JOB, ("name",), replaced), ("first_seen", "updated", *columns))
