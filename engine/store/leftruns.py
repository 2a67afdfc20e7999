"""Runs on workers that an earlier engine has left, as the one that takes over finds them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Engine, func, select

from engine.store.models import GIVEN_SCHEDULE, LOG_LINE, PLANNED_RUN, REMOTE_CALL, REMOTE_RUN, RUN
from engine.store.queries import reading
from engine.store.remote import taken_over

_LINES = select(func.max(LOG_LINE.c.number)).where(LOG_LINE.c.run_id == RUN.c.id).scalar_subquery()
_REMOTE = REMOTE_RUN.c


@dataclass(frozen=True, slots=True)
class StoredLeft:
    """A run that was handed over and has not ended on record.

    Attributes:
        request: as it was handed over.
        started: when its start was written; None while it waits for a worker.
        log_lines: how many lines of its log are written.
        calls: how many questions it has asked.
        stop: why its worker was told to end it, within `grace` seconds; see `ask_to_stop`.
    """

    run_id: int
    request: bytes
    started: datetime | None
    log_lines: int
    calls: int
    stop: str | None
    grace: float | None


def stored_left(reader: Engine, session: int) -> list[StoredLeft]:
    """Return the runs that a session has taken over, in their order; it blocks."""
    rows = select(
        _REMOTE.run_id,
        _REMOTE.request,
        RUN.c.started,
        func.coalesce(_LINES, 0),
        _REMOTE.calls,
        _REMOTE.stop,
        _REMOTE.grace,
    ).join(RUN, RUN.c.id == _REMOTE.run_id)
    with reading(reader) as connection:
        chosen = rows.where(_REMOTE.run_id.in_(taken_over(session))).order_by(_REMOTE.run_id)
        return [StoredLeft(*row) for row in connection.execute(chosen)]


@dataclass(frozen=True, slots=True)
class Asked:
    """What a run on a worker has asked of engines, and what came of it.

    Attributes:
        answered: its questions that have answers, with these.
        runs: the runs that it asked for, the newest first, without their further attempts.
        schedules: the schedules that it gave, likewise, each with the run that is to come of it.
    """

    answered: list[tuple[bytes, bytes]]
    runs: list[int]
    schedules: list[tuple[int, int | None]]


def asked_by(reader: Engine, run_id: int) -> Asked:
    """Return what a run has asked for; it blocks."""
    calls = select(REMOTE_CALL.c.question, REMOTE_CALL.c.answer).where(
        REMOTE_CALL.c.run_id == run_id, REMOTE_CALL.c.answer.is_not(None)
    )
    given = select(GIVEN_SCHEDULE.c.id, GIVEN_SCHEDULE.c.last_run_id).where(
        GIVEN_SCHEDULE.c.called_by == run_id
    )
    with reading(reader) as connection:
        return Asked(
            [(bytes(question), bytes(answer)) for question, answer in connection.execute(calls)],
            sorted(
                (
                    found
                    for table in (RUN, PLANNED_RUN)
                    for found in connection.scalars(
                        select(table.c.id).where(
                            table.c.called_by == run_id,
                            table.c.rescheduled_from.is_(None),
                            table.c.schedule_id.is_(None),
                            table.c.id > run_id,
                        )
                    )
                ),
                reverse=True,
            ),
            [(row[0], row[1]) for row in connection.execute(given.order_by(GIVEN_SCHEDULE.c.id.desc()))],
        )
