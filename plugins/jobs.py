"""core.jobs: runs of other jobs, now or later."""

from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from moontide import CoreCall, CoreError, CoreModule, ScheduleStanding, hookimpl, parse_duration

WRONG = 801

#: The furthest time to come; a time given in milliseconds by mistake lies far beyond it.
FURTHEST = timedelta(days=3660)

jobs = CoreModule(
    "jobs",
    summary='Runs other jobs: core.jobs.now("report", data), .after("10m", ...), .at(time, ...).',
)


@jobs.function(needs=lambda name, data: [name])
async def now(call: CoreCall, name: str, data: Any = None) -> int:
    """Run a job as soon as it may, and return the run's id. The job that calls does not wait for it."""
    return await call.runs.now(name, data, by=call.run)


@jobs.function(needs=lambda delay, name, data: [name])
async def after(call: CoreCall, delay: str | float, name: str, data: Any = None) -> int:
    """Run a job after a time such as "10m", or a number of seconds; return the run's id."""
    due = datetime.now(UTC) + timedelta(seconds=_seconds(delay))
    return await call.runs.at(due, name, data, by=call.run)


@jobs.function(needs=lambda time, name, data: [name])
async def at(call: CoreCall, time: str | float, name: str, data: Any = None) -> int:
    """Run a job at a time such as "2026-12-24T18:00:00", or in seconds since 1970; return the run's id.

    A time without an offset counts in the time zone of the job that calls. One that has passed means now.
    """
    return await call.runs.at(_moment(time, call.run.timezone), name, data, by=call.run)


@jobs.function()
async def cancel(call: CoreCall, id: int) -> bool:
    """End a planned, waiting or running run as CANCELLED; false when it had ended already."""
    await _check_run(call, id)
    return await call.runs.cancel(id, by=call.run)


@jobs.function()
async def status(call: CoreCall, id: int) -> tuple[str, dict[str, Any]]:
    """Return a run's status, such as "PLANNED" or "COMPLETE", and a table with more about it."""
    standing = await call.runs.status(id)
    call.permissions.check("jobs", [standing.job])
    times = {"due": standing.due, "started": standing.started, "finished": standing.finished}
    about: dict[str, Any] = {name: time.isoformat() for name, time in times.items() if time is not None}
    about |= {"id": id, "job": standing.job, "status": standing.status, "trigger": standing.trigger}
    about |= {"returned": standing.returned, "error": standing.error}
    return standing.status, about


@jobs.function(needs=lambda name, options: [name])
async def schedule(call: CoreCall, name: str, options: dict[str, Any]) -> tuple[int, int | None]:
    """Give a job a schedule that is kept; return its id and, if it is for a single run, the run's id.

    `options` says when: `cron`, `every`, `at`, `after`, or a plugin's kind of schedule; and what else goes
    with it: `data`, `user_id`, `tag`, `timezone`, `starts`, `expires`, `dst`, `jitter`, `retries`,
    `retry_delay`, `run_skipped`, `remove_after`. It takes the place of one that is still to come for the
    same job, user and tag.
    """
    return await call.runs.schedule(name, options, by=call.run)


@jobs.function()
async def unschedule(call: CoreCall, id: int) -> bool:
    """End a schedule as CANCELLED, with its runs that are to come; false when it had ended already."""
    standing = await call.runs.schedule_standing(id)
    call.permissions.check("jobs", [standing.job])
    return await call.runs.unschedule(id, by=call.run)


@jobs.function(needs=lambda name, user_id: [name])
async def schedules(call: CoreCall, name: str, user_id: int | None = None) -> list[dict[str, Any]]:
    """Return the schedules given to a job that are in force, the newest first; only those of a user."""
    return [_described(standing) for standing in await call.runs.schedules(name, user_id)]


def _described(standing: ScheduleStanding) -> dict[str, Any]:
    return {
        "id": standing.id,
        "job": standing.job,
        "status": standing.status,
        "schedule": standing.schedule,
        "due": standing.due.isoformat() if standing.due else None,
        "user_id": standing.user_id,
        "tag": standing.tag,
        "data": standing.data,
        "last_run": standing.last_run_id,
    }


async def _check_run(call: CoreCall, run_id: int) -> None:
    standing = await call.runs.status(run_id)
    call.permissions.check("jobs", [standing.job])


def _seconds(delay: str | float) -> float:
    try:
        seconds = parse_duration(delay)
    except ValueError as error:
        raise CoreError(f"core.jobs.after: {error}", WRONG) from error
    if not 0 <= seconds <= FURTHEST.total_seconds():
        raise CoreError("core.jobs.after: the delay must be between 0 and ten years", WRONG)
    return seconds


def _moment(time: str | float, timezone: str) -> datetime:
    furthest = datetime.now(UTC) + FURTHEST
    try:
        moment = _of_text(time, timezone) if isinstance(time, str) else _of_number(time, furthest)
    except (ValueError, OverflowError, OSError) as error:
        raise CoreError(
            'core.jobs.at: time must be text such as "2026-12-24T18:00:00", or seconds since 1970', WRONG
        ) from error
    if moment > furthest:
        raise CoreError(
            "core.jobs.at: the time lies more than ten years ahead; a number counts seconds", WRONG
        )
    return moment


def _of_text(text: str, timezone: str) -> datetime:
    moment = datetime.fromisoformat(text.strip())
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=ZoneInfo(timezone))
    return moment.astimezone(UTC)


def _of_number(seconds: float, furthest: datetime) -> datetime:
    # Milliseconds would be beyond the last year that there is.
    return datetime.fromtimestamp(min(seconds, furthest.timestamp() + 60), UTC)


@hookimpl
def moontide_core_modules() -> list[CoreModule]:
    """Return the module `jobs`."""
    return [jobs]
