"""The lives of engines in the database, and what is put right when the last one ended badly.

All of it is work for `Journal.transact`.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from sqlalchemy import ColumnElement, Connection, func, insert, select, update

from engine.states import RunStatus
from engine.store.models import JOB, LOG_LINE, PLANNED_RUN, RUN, SESSION, UNFINISHED
from engine.store.remote import close_remote, forget_remote, give_up, take_over_remote, taken_over

_REASONS = {
    RunStatus.QUEUED: "the engine ended before this run started",
    RunStatus.RUNNING: "the engine ended while this run was under way",
}


def begin_session(connection: Connection, *, pid: int, host: str, version: str, now: datetime) -> int:
    """Write that an engine started, and return its session's id."""
    values = {"pid": pid, "host": host, "version": version, "started": now}
    key = connection.execute(insert(SESSION).values(values)).inserted_primary_key
    assert key is not None
    return int(key[0])


def end_session(connection: Connection, session_id: int, now: datetime) -> None:
    """Write that an engine stopped as it should."""
    connection.execute(update(SESSION).where(SESSION.c.id == session_id).values(ended=now, clean=True))


def recover(connection: Connection, session_id: int, now: datetime, *, adopts: bool = False) -> list[int]:
    """Close what earlier sessions left open: their runs end as CRASHED, themselves as not clean.

    Args:
        session_id: the present session, which is left alone.
        now: becomes the end of all of them.
        adopts: runs that were handed over to workers are left open: this session goes on with them.

    Returns:
        the ids of the runs that were closed; each run is closed once.
    """
    # Their sessions first: an engine that lost the database and does not know it writes nothing from here on.
    connection.execute(
        update(SESSION)
        .where(SESSION.c.ended.is_(None), SESSION.c.id != session_id)
        .values(ended=now, clean=False)
    )
    if adopts:
        take_over_remote(connection, session_id)
    close_remote(connection, session_id, now)
    unfinished = (
        RUN.c.status.in_(UNFINISHED)
        & RUN.c.session.is_distinct_from(session_id)
        & RUN.c.id.not_in(taken_over(session_id))
    )
    ids = list(connection.scalars(select(RUN.c.id).where(unfinished).order_by(RUN.c.id)))
    _note_crashed(connection, unfinished)
    for status, reason in _REASONS.items():
        _crash(connection, unfinished & (RUN.c.status == status.value), reason, now)
    return ids


def close_unreadable(connection: Connection, reasons: Mapping[int, str], now: datetime) -> None:
    """End runs on workers as CRASHED that this engine cannot go on with, each for its reason."""
    for run_id, reason in reasons.items():
        unfinished = (RUN.c.id == run_id) & RUN.c.status.in_(UNFINISHED)
        give_up(connection, run_id)
        forget_remote(connection, [run_id])
        _note_crashed(connection, unfinished)
        _crash(connection, unfinished, reason, now)


def _note_crashed(connection: Connection, chosen: ColumnElement[bool]) -> None:
    """Write with jobs whose last runs were chosen that these crashed."""
    connection.execute(
        update(JOB)
        .where(JOB.c.last_run_id.in_(select(RUN.c.id).where(chosen)))
        .values(last_status=RunStatus.CRASHED.value, last_returned=None)
    )


def _crash(connection: Connection, chosen: ColumnElement[bool], reason: str, now: datetime) -> None:
    written = select(func.count()).where(LOG_LINE.c.run_id == RUN.c.id).scalar_subquery()
    connection.execute(
        update(RUN)
        .where(chosen)
        .values(status=RunStatus.CRASHED.value, error=reason, finished=now, log_lines=written)
    )


def next_run_id(connection: Connection) -> int:
    """Return an id above those of all runs there are, planned ones included."""
    highest = [connection.scalar(select(func.max(table.c.id))) or 0 for table in (RUN, PLANNED_RUN)]
    return int(max(highest)) + 1
