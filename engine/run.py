"""The values that travel with one run: what is asked of an executor, and how it ended."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from engine.states import Returned, RunStatus, Trigger


@dataclass(frozen=True, slots=True)
class Limits:
    """What one run may use. A job's settings may lower these, never raise them.

    Attributes:
        wall_seconds: time from start to end, on the wall.
        cpu_seconds: processor time of the worker for this run.
        memory_bytes: memory of the Lua state.
        log_bytes: text kept in the run's log; what comes after is dropped, with one line that says so.
        log_line_bytes: length at which one log line is cut.
        calls: core calls of one run.
        result_bytes: size of the result (and of the info) as JSON; larger ones are replaced by a note.
    """

    wall_seconds: float = 3600.0
    cpu_seconds: float = 60.0
    memory_bytes: int = 64 * 2**20
    log_bytes: int = 2**20
    log_line_bytes: int = 4096
    calls: int = 100_000
    result_bytes: int = 2**20


@dataclass(frozen=True, slots=True)
class Retention:
    """Which ended runs are kept; 0 is no limit. FAILED ones are counted and aged apart.

    Attributes:
        age_seconds: since their end.
        runs: the newest of each job.
    """

    age_seconds: float = 0
    failed_age_seconds: float = 0
    runs: int = 0
    failed_runs: int = 0


@dataclass(frozen=True, slots=True)
class RunRequest:
    """All that an executor needs to carry out one run, on this machine or another.

    Attributes:
        settings: the job's values of the settings that plugins add, by name; plain data.
        runs_on: the tags that whoever carries it out has to offer.
        priority: how soon it goes among those that wait; higher ones first.
    """

    run_id: int
    job: str
    source: bytes
    source_hash: str
    trigger: Trigger
    due: datetime
    attempt: int = 1
    data: Any = None
    user_id: int = 0
    timezone: str = "UTC"
    limits: Limits = field(default_factory=Limits)
    allow: Mapping[str, bool | Sequence[str]] = field(default_factory=dict)
    settings: Mapping[str, Any] = field(default_factory=dict)
    runs_on: tuple[str, ...] = ()
    priority: int = 0


@dataclass(frozen=True, slots=True)
class UsedModule:
    """A library module as a run was given it: its text, and the SHA-256 of that in hexadecimal."""

    name: str
    hash: str
    text: bytes


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a run ended.

    Attributes:
        status: a final run status.
        returned: which of the codes `run()` gave; None after any other end.
        retry_seconds: how long after its end the run wants to be tried again; only with RETRY.
        result: the second return value as plain data (JSON-ready), or None.
        result_note: why the result was replaced, when it was.
        info: what the run told of itself while it went on, as plain data.
        problems: what it told by `job.warn` and `job.err`, each with level, code and text.
        error: what went wrong, for people; None when nothing did. A Lua traceback follows after a newline.
        duration_seconds: measured on the monotonic clock.
        cpu_seconds: processor time, where it could be measured.
        peak_memory_bytes: the worker's peak, where it could be measured.
        modules: the library modules that the run asked for.
        blameless: the failure is none of the job's doing: its worker was lost with the process that all
            workers come from, or none could be had.
        calls: what its core calls took, where it was measured (see `engine.calls.tally`).
    """

    status: RunStatus
    returned: Returned | None = None
    retry_seconds: float | None = None
    result: Any = None
    result_note: str | None = None
    info: Any = None
    problems: list[dict[str, str]] | None = None
    error: str | None = None
    duration_seconds: float = 0.0
    cpu_seconds: float | None = None
    peak_memory_bytes: int | None = None
    modules: tuple[UsedModule, ...] = ()
    blameless: bool = False
    calls: list[dict[str, Any]] | None = None


@dataclass(frozen=True, slots=True)
class Beside:
    """What somebody else writes in a transaction of the engine's.

    Attributes:
        write: gets the connection and the values of all that go to it together, in the journal's thread;
            called again if the transaction has to be repeated, so it must do nothing but use the connection.
    """

    write: Callable[[Any, Sequence[Any]], None]
    value: Any


@dataclass(frozen=True, slots=True)
class LogLine:
    """One line that a run wrote.

    Attributes:
        number: 1 for the run's first line.
        at: aware UTC.
        level: debug, info, warn or error.
    """

    number: int
    at: datetime
    level: str
    text: str
