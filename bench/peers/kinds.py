"""Who is measured, how it is set, and what it does and does not do for a run."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Peer:
    """A job engine with the setting that loses least among its ordinary ones.

    Attributes:
        program: the module in `programs` that measures it.
        setting: what was chosen.
        isolation: what keeps one run from the others and from the machine.
        start: what is on record when a run's code starts.
        end: what is on record of a run that has ended.
        killed: what becomes of runs under way after SIGKILL of whatever carries them out.
        needs: programs of the system.
        own_interpreter: whether it runs in the interpreter that measures, as Moontide does.
    """

    name: str
    program: str
    setting: str
    isolation: str
    start: str
    end: str
    killed: str
    needs: tuple[str, ...] = ()
    own_interpreter: bool = False


PEERS = (
    Peer(
        "Moontide",
        "with_moontide",
        "as installed",
        "sandboxed process, fresh Lua state",
        "committed row",
        "committed row",
        "CRASHED on record, once; the job goes on",
        own_interpreter=True,
    ),
    Peer(
        "cron style: `lua5.4` for each run",
        "with_lua",
        "a row committed to SQLite before and after, WAL, `synchronous = FULL`",
        "own process, no sandbox",
        "committed row",
        "committed row",
        "left as started for ever",
        needs=("lua5.4",),
    ),
    Peer(
        "APScheduler 3",
        "with_apscheduler",
        "SQLAlchemy job store on SQLite, 10 threads",
        "none: threads",
        "none",
        "none",
        "lost",
    ),
    Peer(
        "Huey",
        "with_huey",
        "SQLite with `fsync`, results kept, 10 threads",
        "none: threads",
        "none",
        "result",
        "lost",
    ),
    Peer(
        "RQ",
        "with_rq",
        "Redis with `appendfsync always`, 10 workers",
        "forked process, no sandbox",
        "status and time",
        "status and time, 500 s",
        "failed on record, minutes later",
        needs=("redis-server",),
    ),
    Peer(
        "Dramatiq",
        "with_dramatiq",
        "Redis with `appendfsync always`, results kept, 2 processes with 5 threads",
        "none: threads",
        "none",
        "result, 10 min",
        "run again after 60 s",
        needs=("redis-server",),
    ),
    Peer(
        "Celery",
        "with_celery",
        "Redis with `appendfsync always`, `acks_late`, `track_started`, 10 processes",
        "long-lived process, no sandbox",
        "status",
        "status and time, 1 day",
        "run again, after an hour at the latest",
        needs=("redis-server",),
    ),
    Peer(
        "Procrastinate",
        "with_procrastinate",
        "PostgreSQL, 10 at once",
        "none: threads",
        "committed row",
        "committed row",
        "left as `doing` until asked for",
        needs=("postgresql",),
    ),
    Peer(
        "PgQueuer",
        "with_pgqueuer",
        "PostgreSQL, 10 at once, batches of 5",
        "none: one event loop",
        "committed row",
        "committed row",
        "run again after 30 s",
        needs=("postgresql",),
    ),
)
