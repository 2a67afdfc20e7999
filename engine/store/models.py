"""The tables.

No table refers to another by a foreign key: history is written in bulk, cut off by age and later kept in
partitions, and a run outlives its job's row. Times are aware UTC.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    Column,
    DateTime,
    Dialect,
    Float,
    Index,
    Integer,
    LargeBinary,
    String,
    Table,
    Text,
    TypeDecorator,
    false,
    text,
    true,
)
from sqlalchemy.orm import registry
from sqlmodel import Field, SQLModel

from engine.states import FINAL, RunStatus
from engine.store.dialects import BIG_ID, CLUSTERED, in_utc, index_of_few, time_processor


class UtcDateTime(TypeDecorator[datetime]):
    """A point in time: aware on the way in, aware UTC on the way out, also where the database drops zones."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        return None if value is None else in_utc(value)

    def bind_processor(self, dialect: Dialect) -> Callable[[datetime | None], Any] | None:
        """Return what makes a driver's value of a time; SQLite gets many, as text."""
        return time_processor(dialect) or super().bind_processor(dialect)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


class StoreModel(SQLModel, registry=registry()):
    """The root of the tables; it has its own metadata, so that no other package's tables get in."""


def _time(**options: Any) -> Any:
    return Column(UtcDateTime(), **options)


def _json() -> Any:
    return Column(JSON(none_as_null=True))


#: What few runs have; a question that says so in these words finds them by an index.
ASKED_FOR = "trigger <> 'schedule'"
FOR_A_USER = "user_id <> 0"
ENDED_OTHERWISE = "status IN ('CANCELLED', 'CRASHED', 'ERROR', 'SKIPPED', 'TIMEOUT')"


class Session(StoreModel, table=True):
    """One life of one engine process; `ended` stays empty while it lives, `clean` tells how it ended.

    `commits` counts its transactions where that is needed (see `engine.store.claim`).
    """

    id: int | None = Field(default=None, sa_column=Column(BIG_ID, primary_key=True))
    pid: int
    host: str
    version: str
    started: datetime = Field(sa_column=_time(nullable=False))
    ended: datetime | None = Field(default=None, sa_column=_time())
    clean: bool | None = None
    commits: int = Field(default=0, sa_column=Column(BigInteger, nullable=False, server_default=text("0")))


class Job(StoreModel, table=True):
    """What the engine knows of a job beyond its file; every column but the name has a default."""

    name: str = Field(primary_key=True)
    path: str = Field(default="", sa_column=Column(String, nullable=False, server_default=""))
    present: bool = Field(default=True, sa_column=Column(Boolean, nullable=False, server_default=true()))
    status: str = Field(default="", sa_column=Column(String, nullable=False, server_default=""))
    reason: str = Field(default="", sa_column=Column(Text, nullable=False, server_default=""))
    active: bool = Field(default=True, sa_column=Column(Boolean, nullable=False, server_default=true()))
    declared_active: bool = Field(
        default=True, sa_column=Column(Boolean, nullable=False, server_default=true())
    )
    armed: bool = Field(default=False, sa_column=Column(Boolean, nullable=False, server_default=false()))
    next_due: datetime | None = Field(default=None, sa_column=_time())
    error: str | None = Field(default=None, sa_column=Column(Text))
    once_session: int | None = Field(default=None, sa_column=Column(BigInteger))
    schedule_key: str = Field(default="", sa_column=Column(String, nullable=False, server_default=""))
    settings: dict[str, Any] | None = Field(default=None, sa_column=_json())
    source_hash: str | None = None
    last_run_id: int | None = Field(default=None, sa_column=Column(BigInteger))
    last_started: datetime | None = Field(default=None, sa_column=_time())
    last_status: str | None = None
    last_returned: str | None = None
    overrides: dict[str, Any] | None = Field(default=None, sa_column=_json())
    first_seen: datetime = Field(sa_column=_time(nullable=False))
    updated: datetime = Field(sa_column=_time(nullable=False))


class Run(StoreModel, table=True):
    """One execution of a job; the id is given by the engine and grows with time."""

    __table_args__ = (
        Index("ix_run_job_id", "job", "id"),
        Index("ix_run_status_id", "status", "id"),
        Index("ix_run_queued", "queued"),
        index_of_few("ix_run_remove_at", "remove_at", where="remove_at IS NOT NULL"),
        index_of_few("ix_run_asked_for", "trigger", "id", where=ASKED_FOR),
        index_of_few("ix_run_user_id", "user_id", "id", where=FOR_A_USER),
        index_of_few("ix_run_job_otherwise", "job", "status", "id", where=ENDED_OTHERWISE),
    )

    id: int = Field(sa_column=Column(BIG_ID, primary_key=True, autoincrement=False))
    job: str
    session: int | None = Field(default=None, sa_column=Column(BigInteger))
    status: str
    returned: str | None = None
    trigger: str
    attempt: int = Field(default=1, sa_column=Column(Integer, nullable=False, server_default=text("1")))
    rescheduled_from: int | None = Field(default=None, sa_column=Column(BigInteger))
    due: datetime = Field(sa_column=_time(nullable=False))
    queued: datetime = Field(sa_column=_time(nullable=False))
    started: datetime | None = Field(default=None, sa_column=_time())
    finished: datetime | None = Field(default=None, sa_column=_time())
    duration_ms: float | None = Field(default=None, sa_column=Column(Float))
    error: str | None = Field(default=None, sa_column=Column(Text))
    result: Any = Field(default=None, sa_column=_json())
    result_note: str | None = Field(default=None, sa_column=Column(Text))
    info: Any = Field(default=None, sa_column=_json())
    problems: Any = Field(default=None, sa_column=_json())
    calls: Any = Field(default=None, sa_column=_json())
    data: Any = Field(default=None, sa_column=_json())
    user_id: int = Field(default=0, sa_column=Column(BigInteger, nullable=False, server_default=text("0")))
    called_by: int | None = Field(default=None, sa_column=Column(BigInteger))
    schedule_id: int | None = Field(default=None, sa_column=Column(BigInteger))
    source_hash: str | None = None
    cpu_ms: float | None = Field(default=None, sa_column=Column(Float))
    peak_memory_bytes: int | None = Field(default=None, sa_column=Column(BigInteger))
    log_lines: int = Field(default=0, sa_column=Column(Integer, nullable=False, server_default=text("0")))
    version: str | None = None
    modules: Any = Field(default=None, sa_column=_json())
    worker: str | None = None
    superseded: Any = Field(default=None, sa_column=_json())
    remove_at: datetime | None = Field(default=None, sa_column=_time())


class PlannedRun(StoreModel, table=True):
    """A run to come; its row makes way for the run's own when the time has come."""

    __tablename__ = "planned_run"
    __table_args__ = (Index("ix_planned_run_schedule_id", "schedule_id"),)

    id: int = Field(sa_column=Column(BIG_ID, primary_key=True, autoincrement=False))
    job: str
    due: datetime = Field(sa_column=_time(nullable=False))
    data: Any = Field(default=None, sa_column=_json())
    user_id: int = Field(default=0, sa_column=Column(BigInteger, nullable=False, server_default=text("0")))
    planned_at: datetime = Field(sa_column=_time(nullable=False))
    called_by: int | None = Field(default=None, sa_column=Column(BigInteger))
    trigger: str = Field(default="call", sa_column=Column(String, nullable=False, server_default="call"))
    attempt: int = Field(default=1, sa_column=Column(Integer, nullable=False, server_default=text("1")))
    rescheduled_from: int | None = Field(default=None, sa_column=Column(BigInteger))
    crashes: int = Field(default=0, sa_column=Column(Integer, nullable=False, server_default=text("0")))
    schedule_id: int | None = Field(default=None, sa_column=Column(BigInteger))
    tag: str | None = None
    first_trigger: str | None = None


class GivenSchedule(StoreModel, table=True):
    """A schedule given at run time, kept also when it is over."""

    __tablename__ = "given_schedule"
    __table_args__ = (
        Index("ix_given_schedule_job_id", "job", "id"),
        Index("ix_given_schedule_status_id", "status", "id"),
    )

    id: int = Field(sa_column=Column(BIG_ID, primary_key=True, autoincrement=False))
    job: str
    status: str
    words: str = Field(sa_column=Column(Text, nullable=False))
    created: datetime = Field(sa_column=_time(nullable=False))
    created_by: str
    rule: dict[str, Any] | None = Field(default=None, sa_column=_json())
    due: datetime | None = Field(default=None, sa_column=_time())
    user_id: int = Field(default=0, sa_column=Column(BigInteger, nullable=False, server_default=text("0")))
    tag: str = Field(default="", sa_column=Column(String, nullable=False, server_default=""))
    data: Any = Field(default=None, sa_column=_json())
    retries: Any = Field(default=None, sa_column=_json())
    retry_delay: float | None = Field(default=None, sa_column=Column(Float))
    remove_after: float | None = Field(default=None, sa_column=Column(Float))
    called_by: int | None = Field(default=None, sa_column=Column(BigInteger))
    ended: datetime | None = Field(default=None, sa_column=_time())
    reason: str | None = Field(default=None, sa_column=Column(Text))
    last_run_id: int | None = Field(default=None, sa_column=Column(BigInteger))
    skipped: int = Field(default=0, sa_column=Column(Integer, nullable=False, server_default=text("0")))
    note: str | None = Field(default=None, sa_column=Column(Text))
    run_skipped: bool | None = None


class Slot(StoreModel, table=True):
    """Planned times of a job that ended without a run of their own (see `engine.rules.slots.Slot`)."""

    __table_args__ = (Index("ix_slot_last_due", "last_due"), CLUSTERED)

    job: str = Field(primary_key=True)
    first_due: datetime = Field(sa_column=_time(primary_key=True))
    noted: datetime = Field(sa_column=_time(primary_key=True))
    last_due: datetime = Field(sa_column=_time(nullable=False))
    count: int | None = Field(default=None, sa_column=Column(BigInteger))
    fate: str
    cause: str
    reason: str = Field(sa_column=Column(Text, nullable=False))
    run_id: int | None = Field(default=None, sa_column=Column(BigInteger))
    schedule_id: int | None = Field(default=None, sa_column=Column(BigInteger))


class LogLine(StoreModel, table=True):
    """One line that a run wrote."""

    __tablename__ = "log_line"
    __table_args__ = CLUSTERED

    run_id: int = Field(sa_column=Column(BigInteger, primary_key=True, autoincrement=False))
    number: int = Field(sa_column=Column(Integer, primary_key=True, autoincrement=False))
    at: datetime = Field(sa_column=_time(nullable=False))
    level: str
    text: str = Field(sa_column=Column(Text, nullable=False))


class Source(StoreModel, table=True):
    """The text of a job file or library module, kept once for each hash."""

    hash: str = Field(primary_key=True)
    text: str = Field(sa_column=Column(Text, nullable=False))
    first_seen: datetime = Field(sa_column=_time(nullable=False))


class Declared(StoreModel, table=True):
    """What a job's file declared (see `engine.declarations`)."""

    __table_args__ = CLUSTERED

    job: str = Field(primary_key=True)
    seal: str
    body: bytes = Field(sa_column=Column(LargeBinary, nullable=False))


class Document(StoreModel, table=True):
    """One object of `core.data`; the body does not repeat the id."""

    source: str = Field(primary_key=True)
    id: str = Field(primary_key=True)
    body: Any = Field(sa_column=Column(JSON, nullable=False))
    created: datetime = Field(sa_column=_time(nullable=False))
    updated: datetime = Field(sa_column=_time(nullable=False))


class JobState(StoreModel, table=True):
    """What a job keeps from one run to the next; what is not `lasting` goes when a run ends COMPLETE."""

    __tablename__ = "job_state"

    job: str = Field(primary_key=True)
    lasting: bool = Field(primary_key=True)
    value: Any = Field(sa_column=Column(JSON, nullable=False))
    updated: datetime = Field(sa_column=_time(nullable=False))
    run_id: int | None = Field(default=None, sa_column=Column(BigInteger))


class Hold(StoreModel, table=True):
    """What keeps jobs from running: a disabled group, or a pause of a job, a group or the engine."""

    kind: str = Field(primary_key=True)
    scope: str = Field(primary_key=True)
    target: str = Field(primary_key=True)
    note: str = Field(sa_column=Column(Text, nullable=False))
    actor: str
    since: datetime = Field(sa_column=_time(nullable=False))
    until: datetime | None = Field(default=None, sa_column=_time())


class Audit(StoreModel, table=True):
    """One action of an operator: who did what to which target, from where, and what it changed."""

    id: int | None = Field(default=None, sa_column=Column(BIG_ID, primary_key=True))
    at: datetime = Field(sa_column=_time(nullable=False, index=True))
    actor: str
    origin: str
    action: str
    target: str = Field(index=True)
    before: Any = Field(default=None, sa_column=_json())
    after: Any = Field(default=None, sa_column=_json())


class Alert(StoreModel, table=True):
    """Something wrong with a job: ongoing until `ended`; `told` and `end_told` say what people know of it."""

    __table_args__ = (
        Index("ix_alert_job_id", "job", "id"),
        index_of_few("ix_alert_untold", "id", where="end_told IS NULL"),
    )

    id: int = Field(sa_column=Column(BIG_ID, primary_key=True, autoincrement=False))
    job: str
    kind: str
    reason: str = Field(sa_column=Column(Text, nullable=False))
    run: int | None = Field(default=None, sa_column=Column(BigInteger))
    since: datetime = Field(sa_column=_time(nullable=False))
    last: datetime = Field(sa_column=_time(nullable=False))
    count: int = Field(default=1, sa_column=Column(Integer, nullable=False, server_default=text("1")))
    told: datetime | None = Field(default=None, sa_column=_time())
    ended: datetime | None = Field(default=None, sa_column=_time(index=True))
    end_reason: str | None = Field(default=None, sa_column=Column(Text))
    end_told: datetime | None = Field(default=None, sa_column=_time())
    trouble: str | None = Field(default=None, sa_column=Column(Text))
    acked: datetime | None = Field(default=None, sa_column=_time())
    acked_by: str | None = None
    note: str | None = Field(default=None, sa_column=Column(Text))


class Node(StoreModel, table=True):
    """One life of an engine or a worker on this database; `heartbeat` is by the database's own clock."""

    id: str = Field(primary_key=True)
    kind: str
    name: str
    host: str
    home: str
    pid: int
    version: str
    state: str
    addresses: list[str] = Field(sa_column=Column(JSON, nullable=False))
    tags: list[str] = Field(sa_column=Column(JSON, nullable=False))
    slots: int | None = None
    running: int = Field(default=0, sa_column=Column(Integer, nullable=False, server_default=text("0")))
    jobs_hash: str | None = None
    clock_ahead: float = Field(default=0, sa_column=Column(Float, nullable=False, server_default=text("0")))
    drain: bool = Field(default=False, sa_column=Column(Boolean, nullable=False, server_default=false()))
    started: datetime = Field(sa_column=_time(nullable=False))
    heartbeat: datetime = Field(sa_column=_time(nullable=False))


class Lease(StoreModel, table=True):
    """Who leads: one row, whose `until` is by the database's own clock (see `engine.rules.lead`)."""

    id: int = Field(sa_column=Column(Integer, primary_key=True, autoincrement=False))
    term: int = Field(sa_column=Column(BigInteger, nullable=False))
    node: str
    host: str
    home: str
    backend: int
    secret: str
    until: datetime = Field(sa_column=_time(nullable=False))


class RemoteRun(StoreModel, table=True):
    """A run that was handed over to be carried out on another machine (see `engine.store.remote`).

    `request` says what to do, without its source; `outcome` how it ended there. `chunks` and `calls` count
    the rows that belong to it in the two tables below, `stop` asks its worker to end it.
    """

    __tablename__ = "remote_run"

    run_id: int = Field(sa_column=Column(BigInteger, primary_key=True, autoincrement=False))
    session: int = Field(sa_column=Column(BigInteger, nullable=False))
    token: str
    request: bytes = Field(sa_column=Column(LargeBinary, nullable=False))
    source_hash: str
    state: str
    node: str | None = None
    worker: str | None = None
    chunks: int = Field(default=0, sa_column=Column(Integer, nullable=False, server_default=text("0")))
    calls: int = Field(default=0, sa_column=Column(Integer, nullable=False, server_default=text("0")))
    stop: str | None = Field(default=None, sa_column=Column(Text))
    grace: float | None = Field(default=None, sa_column=Column(Float))
    outcome: bytes | None = Field(default=None, sa_column=Column(LargeBinary))


class RemoteLog(StoreModel, table=True):
    """Some lines of the log of a run on another machine, until the engine has them."""

    __tablename__ = "remote_log"
    __table_args__ = CLUSTERED

    run_id: int = Field(sa_column=Column(BigInteger, primary_key=True, autoincrement=False))
    number: int = Field(sa_column=Column(Integer, primary_key=True, autoincrement=False))
    lines: bytes = Field(sa_column=Column(LargeBinary, nullable=False))


class RemoteCall(StoreModel, table=True):
    """Something that a run on another machine asks of the engine, and the answer."""

    __tablename__ = "remote_call"
    __table_args__ = CLUSTERED

    run_id: int = Field(sa_column=Column(BigInteger, primary_key=True, autoincrement=False))
    number: int = Field(sa_column=Column(Integer, primary_key=True, autoincrement=False))
    question: bytes = Field(sa_column=Column(LargeBinary, nullable=False))
    answer: bytes | None = Field(default=None, sa_column=Column(LargeBinary))


#: The states of rows of `run` that are not over; a PLANNED one has its row elsewhere.
UNFINISHED = tuple(status.value for status in RunStatus if status not in FINAL | {RunStatus.PLANNED})

metadata = StoreModel.metadata

SESSION: Table = metadata.tables["session"]
JOB: Table = metadata.tables["job"]
RUN: Table = metadata.tables["run"]
PLANNED_RUN: Table = metadata.tables["planned_run"]
SLOT: Table = metadata.tables["slot"]
GIVEN_SCHEDULE: Table = metadata.tables["given_schedule"]
LOG_LINE: Table = metadata.tables["log_line"]
SOURCE: Table = metadata.tables["source"]
DECLARED: Table = metadata.tables["declared"]
DOCUMENT: Table = metadata.tables["document"]
JOB_STATE: Table = metadata.tables["job_state"]
HOLD: Table = metadata.tables["hold"]
AUDIT: Table = metadata.tables["audit"]
ALERT: Table = metadata.tables["alert"]
NODE: Table = metadata.tables["node"]
LEASE: Table = metadata.tables["lease"]
REMOTE_RUN: Table = metadata.tables["remote_run"]
REMOTE_LOG: Table = metadata.tables["remote_log"]
REMOTE_CALL: Table = metadata.tables["remote_call"]
