"""What the job object offers during a run besides the time helpers, such as `job.save_info`."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec

from engine.calls import problems
from engine.calls.arguments import WRONG_TYPE, holds_bytes
from engine.calls.core import CoreCall, CoreModule
from engine.errors import CoreError, ScheduleError
from engine.times.plan import parse_moment
from engine.times.quantities import format_size, parse_duration
from engine.times.schedule import parse_timezone

#: Its functions are found at the job object, not below `core`.
job_calls = CoreModule(
    "job", summary="What a job tells of its run, and keeps for the next one: job.save_info(value).", free=True
)

#: Names in a path of `job.save_info`.
DEEPEST = 20

#: A longer delay than that is as good as this one, which no due time lies beyond.
FURTHEST = timedelta(days=36600)

#: What a date with time has and a duration has not.
_CLOCK_TIME = re.compile(r"\d-\d|:")

#: Of what `job.warn` and `job.err` tell.
LONGEST_CODE = 100


@job_calls.function("save_info", timeout_seconds=None)
async def save_info(call: CoreCall, info: Any = None, value: Any = None) -> bool:
    """Keep a value as the run's info, whatever becomes of the run; the last call counts.

    With a path and a value, such as save_info("copied.files", 3), only what stands there is another then.
    """
    if value is not None:
        info = _with(call.progress.info, info, value)
    _check_size(info, call.progress.info_bytes, "job.save_info")
    call.progress.info = info
    return True


@job_calls.function("warn", timeout_seconds=None)
async def warn(call: CoreCall, code: str | int, text: str = "") -> bool:
    """List a warning with the run, which goes on and can end COMPLETE.

    Further values are put into the places of %s, %d and so on in the text.
    """
    return _tell(call, problems.WARNING, str(code), text, "job.warn")


@job_calls.function("err", timeout_seconds=None)
async def err(call: CoreCall, code: str | int, text: str = "") -> bool:
    """List an error with the run, which goes on; whatever it returns, its status will be ERROR.

    Further values are put into the places of %s, %d and so on in the text.
    """
    return _tell(call, problems.ERROR, str(code), text, "job.err")


@job_calls.function("save_state", timeout_seconds=None)
async def save_state(call: CoreCall, value: Any = None) -> bool:
    """Keep a value for the job's next runs until one of them ends COMPLETE; nil keeps nothing any more.

    When the call returns, the value is in the database.
    """
    return await _keep(call, value, "job.save_state", lasting=False)


@job_calls.function("get_state", timeout_seconds=None)
async def get_state(call: CoreCall) -> Any:
    """Return what the job kept with save_state, nil if that is nothing."""
    return await call.own_job.state(call.run.job, lasting=False)


@job_calls.function("persist", timeout_seconds=None)
async def persist(call: CoreCall, value: Any = None) -> bool:
    """Keep a value for all later runs of the job, however runs end; nil keeps nothing any more.

    When the call returns, the value is in the database.
    """
    return await _keep(call, value, "job.persist", lasting=True)


@job_calls.function("persisted", timeout_seconds=None)
async def persisted(call: CoreCall) -> Any:
    """Return what the job kept with persist, nil if that is nothing."""
    return await call.own_job.state(call.run.job, lasting=True)


@job_calls.function("stopping", timeout_seconds=None)
async def stopping(call: CoreCall) -> bool:
    """Tell whether this run is to come to its end: somebody cancelled it, or the engine stops."""
    return call.stopping.heed()


@job_calls.function("next", timeout_seconds=None)
async def choose_next(call: CoreCall, time: str | float) -> bool | tuple[bool, str]:
    """Let the job be due once more before its next due time; false and the reason when it cannot be.

    The time is a text such as "2026-12-24T18:00:00" (in the job's time zone), a delay such as "10m", or
    seconds since 1970.
    """
    problem = await call.own_job.next(call.run.job, _moment(time, call.run.timezone))
    return True if problem is None else (False, problem)


async def _keep(call: CoreCall, value: Any, label: str, *, lasting: bool) -> bool:
    if holds_bytes(value):
        raise CoreError(f"{label}: the value holds text that is not UTF-8", WRONG_TYPE)
    _check_size(value, call.progress.info_bytes, label)
    await call.own_job.keep_state(call.run.job, value, lasting=lasting, run_id=call.run.run_id)
    return True


def _tell(call: CoreCall, level: str, code: str, text: str, label: str) -> bool:
    if not 1 <= len(code) <= LONGEST_CODE or not code.isprintable():
        raise CoreError(f"{label}: a code has 1 to {LONGEST_CODE} printable characters", WRONG_TYPE)
    listed = call.progress.problems.add(level, code, text)
    call.log(level, f"{code}: {text}" if text else code)
    if not listed:
        raise CoreError(f"{label}: {problems.MOST} are listed already; this one is in the log alone", 800)
    return True


def _moment(time: str | float, timezone: str) -> datetime | timedelta:
    try:
        if not isinstance(time, str):
            return datetime.fromtimestamp(time, UTC)
        if _CLOCK_TIME.search(time):
            return parse_moment(time.strip(), parse_timezone(timezone))
        return min(timedelta(seconds=parse_duration(time)), FURTHEST)
    except (ValueError, OverflowError, OSError, ScheduleError) as error:
        raise CoreError(
            'job.next: time must be text such as "2026-12-24T18:00:00" or "10m", or seconds since 1970',
            WRONG_TYPE,
        ) from error


def _check_size(value: Any, most_bytes: int, label: str) -> None:
    if len(msgspec.json.encode(value)) > most_bytes:
        raise CoreError(f"{label}: more than {format_size(most_bytes)} as JSON", 800)


def _with(info: Any, path: Any, value: Any) -> Any:
    """Return info with another value at a path; what stands in its way makes room."""
    names = path.split(".") if isinstance(path, str) else []
    if not all(names) or not 1 <= len(names) <= DEEPEST:
        raise CoreError(
            'job.save_info: with two arguments the first is a path such as "copied.files", '
            f"of up to {DEEPEST} names",
            WRONG_TYPE,
        )
    return _placed(info, names, value)


def _placed(info: Any, names: list[str], value: Any) -> Any:
    if not names:
        return value
    table = info if isinstance(info, dict) else {}
    first, *rest = names
    return {**table, first: _placed(table.get(first), rest, value)}
