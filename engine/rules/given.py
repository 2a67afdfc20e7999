"""What is given to a job at run time: one run at a time to come, or a schedule beside the file's own. Pure.

A request is read by the rules of a job file wherever it has settings of the same name, so that both take
the same values and refuse the others in the same words.
"""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from engine.errors import JobFileError, ScheduleError
from engine.jobs.additions import NOTHING_ADDED, Additions
from engine.jobs.jobfile import JobSettings, lua_text, parse_settings
from engine.times.plan import parse_moment
from engine.times.quantities import format_duration, parse_duration
from engine.times.schedule import Schedule, parse_timezone

#: What makes a schedule due again and again: settings of a job file.
RULE = ("cron", "every", "timezone", "dst", "starts", "expires", "jitter")
#: What a run of it does after a failure: settings of a job file as well.
TERMS = ("retries", "retry_delay")
#: What becomes of times that passed while nothing could run: such a setting too, of those that repeat.
PASSED = ("run_skipped",)
#: What only such a request has.
OWN = ("at", "after", "data", "user_id", "tag", "remove_after")

#: What says when; each request has exactly one of them, or of a plugin's kinds of schedules.
TIMES = ("cron", "every", "at", "after")

#: The furthest time to come; one given in milliseconds by mistake lies far beyond it.
FURTHEST = timedelta(days=3660)
LONGEST_TAG = 100
LONGEST_KEPT_SECONDS = FURTHEST.total_seconds()
_HIGHEST_USER = 2**63 - 1


@dataclass(frozen=True, slots=True)
class Reading:
    """What requests are read by on this engine.

    Attributes:
        timezone: where a time or a cron line counts that names no zone.
        named: cron lines of the operator, for `cron = "cron.NAME"`.
        additions: the kinds of schedules that plugins add.
    """

    timezone: str = "UTC"
    named: Mapping[str, str] = field(default_factory=dict)
    additions: Additions = NOTHING_ADDED

    @property
    def rule(self) -> tuple[str, ...]:
        """What makes a schedule due again and again."""
        return (*self.additions.kinds, *RULE)

    @property
    def times(self) -> tuple[str, ...]:
        """What says when."""
        return (*TIMES, *self.additions.kinds)


@dataclass(frozen=True, slots=True)
class Order:
    """A checked request.

    Attributes:
        rule: the settings that make it due again and again; None for a single run.
        schedule: what they mean; None for a single run.
        due: when it is due first.
        retries: instead of the job's own setting, if given; so are `retry_delay` (seconds), `run_skipped`.
        remove_after: seconds after which its COMPLETE runs are removed; None keeps them.
        tag: tells it from others of the same job and user.
    """

    rule: dict[str, Any] | None
    schedule: Schedule | None
    due: datetime
    data: Any = None
    user_id: int = 0
    tag: str = ""
    retries: int | str | None = None
    retry_delay: float | None = None
    remove_after: float | None = None
    run_skipped: bool | None = None

    @property
    def words(self) -> str:
        """When it is due, for people."""
        return self.schedule.words() if self.schedule else f"once at {self.due.isoformat(timespec='seconds')}"


def parse_order(raw: Mapping[str, Any], *, job: str, now: datetime, reading: Reading) -> Order:
    """Check a request.

    Args:
        raw: its values by name; those that are None were not given.
        job: the job's name.

    Raises:
        ScheduleError: it tells what is wrong, and what is allowed.
    """
    given = {name: value for name, value in raw.items() if value is not None}
    _check_names(given, reading)
    settings = _settings(given, reading)
    order = Order(
        rule=None,
        schedule=None,
        due=now,
        data=given.get("data"),
        user_id=_user(given.get("user_id", 0)),
        tag=_tag(given.get("tag", "")),
        retries=settings.retries if "retries" in given else None,
        retry_delay=settings.retry_delay if "retry_delay" in given else None,
        remove_after=_kept(given["remove_after"]) if "remove_after" in given else None,
        run_skipped=settings.run_skipped if "run_skipped" in given else None,
    )
    if "at" in given or "after" in given:
        return replace(order, due=_single(given, now, settings.timezone))
    rule = {name: given[name] for name in reading.rule if name in given} | {"timezone": settings.timezone}
    schedule = schedule_of(rule, job=job, reading=reading)
    first = schedule.first(now)
    if first is None:
        raise ScheduleError(f"{schedule.words()}: it is never due from now on")
    return replace(order, rule=rule, schedule=schedule, due=first)


def schedule_of(rule: Mapping[str, Any], *, job: str, reading: Reading) -> Schedule:
    """Return what a kept rule means now.

    Raises:
        ScheduleError: it names a cron line of the operator that is gone or wrong, or a kind of schedule of a
            plugin that is gone.
    """
    schedule = _parsed(rule, reading).schedule(
        reading.timezone, job=job, named=reading.named, additions=reading.additions
    )
    if schedule is None:
        raise ScheduleError("a schedule needs cron or every")
    return schedule


def _check_names(given: Mapping[str, Any], reading: Reading) -> None:
    known = (*reading.rule, *TERMS, *PASSED, *OWN)
    for name in given:
        if name not in known:
            near = difflib.get_close_matches(str(name), known, n=1, cutoff=0.5)
            hint = f"did you mean {near[0]}?" if near else f"allowed are {', '.join(known)}"
            raise ScheduleError(f"unknown option {name!r}; {hint}")
    times = [name for name in reading.times if name in given]
    if not times:
        raise ScheduleError(f"it does not say when; give one of {', '.join(reading.times)}")
    if len(times) > 1:
        raise ScheduleError(f"both {times[0]} and {times[1]} are given; keep one of them")
    single = times[0] in ("at", "after")
    beside = [name for name in (*RULE, *PASSED) if name in given and name not in (*reading.times, "timezone")]
    if single and beside:
        raise ScheduleError(f"{beside[0]} goes with cron or every, not with {times[0]}")


def _settings(given: Mapping[str, Any], reading: Reading) -> JobSettings:
    names = (*reading.rule, *TERMS, *PASSED)
    return _parsed({name: given[name] for name in names if name in given}, reading)


def _parsed(rule: Mapping[str, Any], reading: Reading) -> JobSettings:
    try:
        return parse_settings(rule, default_timezone=reading.timezone, additions=reading.additions)
    except JobFileError as error:
        raise ScheduleError(str(error)) from error


def _single(given: Mapping[str, Any], now: datetime, timezone: str) -> datetime:
    if "after" in given:
        return now + timedelta(seconds=_delay(given["after"]))
    due = _moment(given["at"], timezone, now + FURTHEST)
    if due > now + FURTHEST:
        raise ScheduleError("at: the time lies more than ten years ahead; a number counts seconds since 1970")
    return due


def _delay(value: object) -> float:
    try:
        seconds = parse_duration(value)
    except ValueError as error:
        raise ScheduleError(f"after: {error}") from error
    if not 0 <= seconds <= FURTHEST.total_seconds():
        raise ScheduleError("after: the delay must be between 0 and ten years")
    return seconds


def _moment(value: object, timezone: str, furthest: datetime) -> datetime:
    if isinstance(value, str):
        return parse_moment(value.strip(), parse_timezone(timezone))
    if isinstance(value, int | float) and not isinstance(value, bool):
        try:
            # Milliseconds would be beyond the last year that there is.
            return datetime.fromtimestamp(min(value, furthest.timestamp() + 86_400), UTC)
        except (ValueError, OverflowError, OSError) as error:
            raise ScheduleError(f"at: {value} is no time; write seconds since 1970") from error
    raise ScheduleError('at: must be text such as "2026-12-24T18:00:00", or seconds since 1970')


def _user(value: object) -> int:
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    if isinstance(value, int) and not isinstance(value, bool) and abs(value) <= _HIGHEST_USER:
        return value
    raise ScheduleError(f"user_id = {lua_text(value)}: must be a whole number")


def _tag(value: object) -> str:
    if isinstance(value, str) and len(value) <= LONGEST_TAG and value.isprintable():
        return value
    raise ScheduleError(
        f"tag = {lua_text(value)}: must be text of at most {LONGEST_TAG} characters that can be printed"
    )


def _kept(value: object) -> float:
    try:
        seconds = parse_duration(value)
    except ValueError as error:
        raise ScheduleError(f"remove_after: {error}") from error
    if not 0 <= seconds <= LONGEST_KEPT_SECONDS:
        longest = format_duration(LONGEST_KEPT_SECONDS)
        raise ScheduleError(f"remove_after: must be from 0 to {longest}")
    return seconds
