"""The lives of engines in the database, and what is put right when the last one ended badly.

All of it is work for `Journal.transact`.
"""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Connection, func, insert, select, update

from engine.states import RunStatus
from engine.store.models import JOB, LOG_LINE, PLANNED_RUN, RUN, SESSION, UNFINISHED
from engine.store.remote import close_remote, take_over_remote, taken_over

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
    connection.execute(
        update(JOB)
        .where(JOB.c.last_run_id.in_(select(RUN.c.id).where(unfinished)))
        .values(last_status=RunStatus.CRASHED.value, last_returned=None)
    )
    written = select(func.count()).where(LOG_LINE.c.run_id == RUN.c.id).scalar_subquery()
    for status, reason in _REASONS.items():
        connection.execute(
            update(RUN)
            .where(unfinished, RUN.c.status == status.value)
            .values(status=RunStatus.CRASHED.value, error=reason, finished=now, log_lines=written)
        )
    return ids


def next_run_id(connection: Connection) -> int:
    """Return an id above those of all runs there are, planned ones included."""
    highest = [connection.scalar(select(func.max(table.c.id))) or 0 for table in (RUN, PLANNED_RUN)]
    return int(max(highest)) + 1
