"""Runs that were handed over to workers on other machines, as they stand in the database.

A run's row says who may write for it: what a worker writes counts only while its token stands there with the
worker's own id. So a worker that was frozen or cut off, and wakes up after its run was given up, is refused.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Connection, Select, bindparam, delete, insert, select, text, update

from engine.store.models import REMOTE_CALL, REMOTE_LOG, REMOTE_RUN, RUN, SESSION, UNFINISHED
from engine.store.prepared import Prepared

#: Where a run stands: it waits for a worker, one has it, it has ended there, or it was given up.
WAITING, TAKEN, OVER, LOST = "waiting", "taken", "over", "lost"

#: On these channels workers tell engines, and engines workers, which runs have news; the end is the schema's.
TO_ENGINES, TO_WORKERS = "moontide_engines_", "moontide_workers_"

#: A channel's end: several homes may share a database, each in a schema of its own.
SCHEMA = "to_hex(hashtext(current_schema()))"

#: Days for which what a worker says too late is still known to be too late.
REMEMBERED_DAYS = 7


@dataclass(frozen=True, slots=True)
class RemoteRun:
    """A run that is handed over.

    Attributes:
        token: whoever writes for this attempt has to know it.
        request: what to carry out, without its source.
    """

    run_id: int
    session: int
    token: str
    request: bytes
    source_hash: str


_NAMES = tuple(RemoteRun.__slots__)
_INSERT = Prepared(insert(REMOTE_RUN), (*_NAMES, "state"))
_DELETE_RUN = Prepared(
    delete(REMOTE_RUN).where(REMOTE_RUN.c.run_id == bindparam("gone"), REMOTE_RUN.c.state != LOST), ("gone",)
)
_DELETE_LOG = Prepared(delete(REMOTE_LOG).where(REMOTE_LOG.c.run_id == bindparam("gone")), ("gone",))
_DELETE_CALLS = Prepared(delete(REMOTE_CALL).where(REMOTE_CALL.c.run_id == bindparam("gone")), ("gone",))


def write_remote(connection: Connection, runs: Sequence[RemoteRun]) -> None:
    """Write runs that are handed over."""
    rows = [(*(getattr(run, name) for name in _NAMES), WAITING) for run in runs]
    _INSERT.execute(connection, rows)


def forget_remote(connection: Connection, run_ids: Sequence[int]) -> None:
    """Remove what was needed of runs that have ended on record; one that was given up is remembered."""
    rows = [(run_id,) for run_id in run_ids]
    _DELETE_RUN.execute(connection, rows)
    _DELETE_LOG.execute(connection, rows)
    _DELETE_CALLS.execute(connection, rows)


def withdraw(connection: Connection, run_id: int) -> bool:
    """Take back a run that nobody has taken; return False if somebody has."""
    waiting = (REMOTE_RUN.c.run_id == run_id) & (REMOTE_RUN.c.state == WAITING)
    return connection.execute(delete(REMOTE_RUN).where(waiting)).rowcount == 1


def give_up(connection: Connection, run_id: int) -> bool:
    """Take a run out of its worker's hands; return False if it has ended there already."""
    statement = update(REMOTE_RUN).where(REMOTE_RUN.c.run_id == run_id, REMOTE_RUN.c.state == TAKEN)
    given_up = connection.execute(statement.values(state=LOST)).rowcount == 1
    if given_up:
        tell_workers(connection, run_id)
    return given_up


def ask_to_stop(connection: Connection, run_id: int, reason: str, grace: float | None) -> None:
    """Tell a run's worker to end it.

    Args:
        grace: seconds that the run has to come to its end by itself; None: as long as it takes.
    """
    statement = update(REMOTE_RUN).where(REMOTE_RUN.c.run_id == run_id, REMOTE_RUN.c.state == TAKEN)
    connection.execute(statement.values(stop=reason, grace=grace))
    tell_workers(connection, run_id)


def answer_call(connection: Connection, run_id: int, number: int, answer: bytes) -> None:
    """Write what a call of a run came to."""
    chosen = (REMOTE_CALL.c.run_id == run_id) & (REMOTE_CALL.c.number == number)
    connection.execute(update(REMOTE_CALL).where(chosen).values(answer=answer))
    tell_workers(connection, run_id)


def tell_workers(connection: Connection, run_id: int | None = None) -> None:
    """Let the workers look at a run, or at all, when this transaction is committed."""
    payload = "" if run_id is None else str(run_id)
    connection.execute(text(f"SELECT pg_notify('{TO_WORKERS}' || {SCHEMA}, :payload)"), {"payload": payload})


def take_over_remote(connection: Connection, session: int) -> None:
    """Let runs that earlier sessions handed over, and that have not ended on record, be this session's."""
    unfinished = select(RUN.c.id).where(RUN.c.status.in_(UNFINISHED))
    connection.execute(
        update(REMOTE_RUN)
        .where(
            REMOTE_RUN.c.session != session, REMOTE_RUN.c.state != LOST, REMOTE_RUN.c.run_id.in_(unfinished)
        )
        .values(session=session)
    )


def taken_over(session: int) -> Select[tuple[int]]:
    """Return the question for the runs that a session has handed over or taken over, and not given up."""
    return select(REMOTE_RUN.c.run_id).where(REMOTE_RUN.c.session == session, REMOTE_RUN.c.state != LOST)


def close_remote(connection: Connection, session: int, now: datetime) -> None:
    """Give up what earlier sessions handed over and this one did not take over; forget what is too old."""
    given_up = update(REMOTE_RUN).where(REMOTE_RUN.c.session != session, REMOTE_RUN.c.state != LOST)
    if connection.execute(given_up.values(state=LOST)).rowcount:
        tell_workers(connection)
    old = select(SESSION.c.id).where(SESSION.c.ended < now - timedelta(days=REMEMBERED_DAYS))
    connection.execute(delete(REMOTE_RUN).where(REMOTE_RUN.c.session.in_(old)))
    for table in (REMOTE_LOG, REMOTE_CALL):
        connection.execute(delete(table).where(table.c.run_id.not_in(taken_over(session))))
