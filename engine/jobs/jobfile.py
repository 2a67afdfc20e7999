"""What stands in a job file: the settings given to `core.job { ... }`.

Each setting is one field of `JobSettings`; parsing, defaults, error messages and the documentation follow
from that one place. Where job files lie, and how they are read, is in `engine.jobs.jobfolder`.
"""

from __future__ import annotations

import dataclasses
import difflib
import json
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from operator import attrgetter
from typing import Any, get_type_hints

from engine.errors import JobFileError, ScheduleError
from engine.jobs import schedulekinds
from engine.jobs.additions import NOTHING_ADDED, Additions, Setting
from engine.jobs.alertrules import read_alerts
from engine.jobs.jobvalues import (
    one_of,
    read_allow,
    read_at,
    read_backoff,
    read_blackout,
    read_cron,
    read_dst,
    read_every,
    read_flag,
    read_groups,
    read_jitter,
    read_memory,
    read_moment,
    read_name,
    read_overlap,
    read_part,
    read_priority,
    read_remove_after,
    read_retries,
    read_retry_delay,
    read_runs_on,
    read_single_instance,
    read_startup,
    read_tags,
    read_text,
    read_timeout,
    read_timezone,
    read_version,
)
from engine.jobs.schedulekinds import ScheduleContext
from engine.run import Limits
from engine.times.blackout import Blackout, blackout_of
from engine.times.plan import Bounded, Delayed, combined, delay_for, parse_moment
from engine.times.quantities import format_duration, format_size
from engine.times.schedule import Dst, Schedule, parse_timezone


def setting(parse: Callable[[object], Any], default: Any, help: str, example: str) -> Any:
    """Declare a field of `JobSettings`."""
    return field(default=default, metadata={"parse": parse, "help": help, "example": example})


@dataclass(frozen=True, slots=True)
class JobSettings:
    """The settings of one job, checked. Adding a setting is adding a field here, and its line in the docs.

    Attributes:
        every: seconds from due time to due time, or None.
        cron: the cron line as written, blanks tidied, or None.
        timezone: an IANA name; `parse_settings` fills in the engine's.
        timeout: seconds, or None for the operator's limit.
        memory: bytes, or None for the operator's limit.
        tags: names with their values; "" where only a name was given.
        added: the values of the settings that plugins add, by name.
    """

    every: float | None = setting(
        read_every, None, "Runs the job again and again, counted from start to start; at least 1 s.", '"2m"'
    )
    cron: str | tuple[str, ...] | None = setting(
        read_cron,
        None,
        "Runs the job when a cron line matches, or one of several.",
        '"*/15 9-17 * * MON-FRI"',
    )
    at: tuple[str, ...] = setting(
        read_at, (), "Runs the job at a date, or at several.", '"2026-12-24T18:00:00"'
    )
    starts: str | None = setting(
        read_moment, None, "The schedule is not due before this date.", '"2026-09-01T00:00:00"'
    )
    expires: str | None = setting(
        read_moment, None, "The schedule is not due at or after this date.", '"2027-01-01T00:00:00"'
    )
    jitter: float | None = setting(
        read_jitter, None, "Moves the job's due times by a part of this, always the same.", '"30s"'
    )
    dst: str = setting(read_dst, "once", "What a change of the clocks means for cron lines.", '"skip"')
    blackout: tuple[str, ...] = setting(
        read_blackout, (), "Windows of time in which due times make no runs.", '{ "22:00-06:00", "sat" }'
    )
    run_once: bool = setting(
        read_flag, False, "Runs the job a single time after each start of the engine.", "true"
    )
    run_at_start: bool = setting(
        read_flag, False, "Runs the job when the engine starts, besides its schedule.", "true"
    )
    startup: int | None = setting(
        read_startup,
        None,
        "Runs the job before anything else when the engine starts, lower numbers first; if it fails, the "
        "engine does not start.",
        "10",
    )
    run_skipped: bool = setting(
        read_flag,
        False,
        "Makes up, once, for due times that passed while no engine ran, or while the job was held.",
        "true",
    )
    active: bool = setting(read_flag, True, "Whether the job takes part at all.", "false")
    description: str = setting(
        read_text, "", "What the job does, for the list of jobs.", '"Mark sold-out toys"'
    )
    version: str = setting(read_version, "", "The version of the job's code.", '"1.2"')
    timezone: str = setting(
        read_timezone, "", "The time zone of `cron` and of `job.hour(true)`.", '"Europe/Berlin"'
    )
    overlap: str = setting(
        read_overlap, "coalesce", "What becomes of a run while an earlier one is not done.", '"skip"'
    )
    single_instance: bool = setting(
        read_single_instance, True, "Says that the job never runs on two engines, as no job does.", "true"
    )
    priority: int = setting(read_priority, 0, "How soon its runs go when runs wait; higher first.", "10")
    retries: int | str = setting(
        read_retries, 0, "How often a failed run is tried again before it counts as failed.", "3"
    )
    retry_delay: float = setting(read_retry_delay, 60.0, "How long to wait before the first retry.", '"30s"')
    retry_backoff: float = setting(read_backoff, 2.0, "How many times longer each further wait is.", "1.5")
    retry_max_delay: float = setting(read_retry_delay, 3600.0, "The longest wait before a retry.", '"10m"')
    retry_jitter: float = setting(
        read_part, 0.1, "The part of a wait that is added at random, so that jobs do not retry in step.", "0"
    )
    on_error: str = setting(read_name, "deactivate", "What a failed run means for the job.", '"continue"')
    runs_on: tuple[str, ...] = setting(
        read_runs_on,
        (),
        "What a worker on another machine has to offer to be given the job's runs.",
        '{ "gpu" }',
    )
    timeout: float | None = setting(read_timeout, None, "The longest that a run may take.", '"30s"')
    memory: int | None = setting(read_memory, None, "The most memory that a run may use.", '"16MB"')
    remove_after: float | None = setting(
        read_remove_after,
        None,
        "How long after its end a run that went well is kept; the operator's retention may be shorter.",
        '"7d"',
    )
    tags: dict[str, str] = field(
        default_factory=dict,
        metadata={
            "parse": read_tags,
            "help": "Words to find the job by, with or without a value.",
            "example": '{ team = "shop" }',
        },
    )
    groups: tuple[str, ...] = setting(
        read_groups, (), "The groups by which an operator switches and pauses jobs.", '{ "night", "shop" }'
    )
    allow: dict[str, bool | list[str]] = field(
        default_factory=dict,
        metadata={
            "parse": read_allow,
            "help": "The core modules that the job may use, and what it may reach by them.",
            "example": '{ network = { "api.example.com" }, email = true }',
        },
    )
    alerts: dict[str, Any] = field(
        default_factory=dict,
        metadata={
            "parse": read_alerts,
            "help": "What people are told of this job; the rest is as in `[alerts]` of the engine.",
            "example": '{ slow_after = "5m", expect_every = "25h" }',
        },
    )
    added: dict[str, Any] = field(default_factory=dict)

    def schedule(
        self,
        default_timezone: str = "UTC",
        *,
        job: str = "",
        named: Mapping[str, str] | None = None,
        additions: Additions = NOTHING_ADDED,
    ) -> Schedule | None:
        """Return what makes the job due, or None for a job that runs on demand.

        Args:
            default_timezone: for settings that name none.
            job: the job's name, which its jitter depends on.
            named: cron lines of the operator, for `cron = "cron.NAME"`.
            additions: the kinds of schedules that plugins add.

        Raises:
            ScheduleError: a named schedule that does not exist or is wrong.
        """
        zone = parse_timezone(self.timezone or default_timezone)
        schedule = combined(
            list(self._schedules(ScheduleContext(zone, Dst(self.dst), named or {}), additions))
        )
        if schedule is None:
            return None
        if self.jitter is not None:
            schedule = Delayed(schedule, delay_for(job, self.jitter))
        if self.starts is None and self.expires is None:
            return schedule
        starts = parse_moment(self.starts, zone) if self.starts else None
        expires = parse_moment(self.expires, zone) if self.expires else None
        return Bounded(schedule, starts, expires)

    def blackouts(
        self, default_timezone: str = "UTC", named: Mapping[str, Sequence[str]] | None = None
    ) -> Blackout | None:
        """Return the windows in which due times make no runs, or None.

        Args:
            default_timezone: for settings that name none.
            named: windows of the operator, for `blackout = "blackout.NAME"`.

        Raises:
            ScheduleError: named windows that do not exist.
        """
        return blackout_of(self.blackout, parse_timezone(self.timezone or default_timezone), named or {})

    def _schedules(self, context: ScheduleContext, additions: Additions) -> Iterator[Schedule]:
        for name, make in schedulekinds.BUILT_IN.items():
            if (value := getattr(self, name)) is not None:
                yield from make(value, context)
        for name, kind in additions.kinds.items():
            if (value := self.added.get(name)) is not None:
                yield from kind.schedules(value, context)

    def limits(self, ceilings: Limits) -> Limits:
        """Return what a run of this job may use: the operator's ceilings, lowered where the job asks so."""
        if self.timeout is None and self.memory is None:
            return ceilings
        wall = ceilings.wall_seconds if self.timeout is None else min(self.timeout, ceilings.wall_seconds)
        memory = ceilings.memory_bytes if self.memory is None else min(self.memory, ceilings.memory_bytes)
        return replace(ceilings, wall_seconds=wall, memory_bytes=memory)

    def as_dict(self) -> dict[str, Any]:
        """Return every setting as plain data, defaults filled in; `parse_settings` reads it back.

        Durations are seconds and sizes bytes; what has no value is None.
        """
        plain = dict(zip(_BY_NAME, _values_of(self), strict=True))
        for name, value in plain.items():
            if isinstance(value, tuple):
                plain[name] = list(value)
            elif isinstance(value, dict):
                plain[name] = dict(value)
        return plain | self.added


def _declared_settings() -> tuple[Setting, ...]:
    table, types = [], get_type_hints(JobSettings)
    for one in fields(JobSettings):
        if not (about := one.metadata):
            continue
        default = {} if one.default is dataclasses.MISSING else one.default
        table.append(
            Setting(one.name, about["parse"], default, about["help"], about["example"], types[one.name])
        )
    return tuple(table)


#: Every setting that a job file may give, in the order of the documentation.
SETTINGS = _declared_settings()

_BY_NAME = {one.name: one for one in SETTINGS}

_values_of = attrgetter(*_BY_NAME)


def parse_settings(
    raw: Mapping[Any, Any],
    *,
    default_timezone: str = "UTC",
    ceilings: Limits | None = None,
    additions: Additions = NOTHING_ADDED,
) -> JobSettings:
    """Check the table that a job file gives to `core.job`.

    Args:
        raw: the table as plain data.
        default_timezone: for a job that names none.
        ceilings: the operator's limits, which a job may not exceed.
        additions: what plugins add to job files.

    Raises:
        JobFileError: tells every problem, each with the setting, its value and what is allowed.
    """
    if not isinstance(raw, Mapping):
        raise JobFileError('core.job takes a table of named settings, such as core.job { every = "2m" }')
    known = {**_BY_NAME, **additions.settings}
    problems = [_unknown(key, raw[key], known) for key in raw if key not in known]
    values = _parse_each(raw, _BY_NAME, problems)
    added = _parse_each(raw, additions.settings, problems)
    settings = JobSettings(**{"timezone": default_timezone, **values}, added=additions.values(added))
    problems += _unknown_policy(settings, additions)
    problems += _contradictions(raw, settings, (*schedulekinds.BUILT_IN, *additions.kinds))
    problems += _excesses(raw, settings, ceilings or Limits())
    if problems:
        raise JobFileError(*problems)
    return settings


def _parse_each(
    raw: Mapping[Any, Any], settings: Mapping[str, Setting], problems: list[str]
) -> dict[str, Any]:
    values = {}
    for name, one in settings.items():
        value = raw.get(name)
        if value is None:
            continue
        try:
            values[name] = one.parse(value)
        except (ValueError, ScheduleError) as error:
            problems.append(f"{name} = {lua_text(value)}: {error}")
    return values


def _unknown(key: object, value: object, known: Collection[str]) -> str:
    if not isinstance(key, str):
        return f"{lua_text(value)} stands without a name; write name = value"
    near = difflib.get_close_matches(key.lower(), known, n=1, cutoff=0.5)
    hint = f"did you mean {near[0]}?" if near else f"allowed are {', '.join(known)}"
    return f"unknown setting {_shortened(repr(key))}; {hint}"


def _unknown_policy(settings: JobSettings, additions: Additions) -> list[str]:
    try:
        one_of(settings.on_error, additions.policies)
    except ValueError as error:
        return [f"on_error = {lua_text(settings.on_error)}: {error}"]
    return []


def _contradictions(raw: Mapping[Any, Any], settings: JobSettings, schedules: tuple[str, ...]) -> list[str]:
    problems = []
    given = [name for name in schedules if name in raw and raw[name] not in (None, [], {})]
    if "every" in given and len(given) > 1:
        problems.append(f"both every and {given[1]} are set; keep one of them")
    if settings.run_once and not given and not settings.run_at_start:
        problems.append(f"run_once = true needs {', '.join(schedules)} or run_at_start to say when")
    if not given:
        any_of = f"{', '.join(schedules[:-1])} or {schedules[-1]}"
        timing = [name for name in ("starts", "expires", "jitter", "blackout") if raw.get(name)]
        problems += [f"{name} needs {any_of}" for name in timing]
    if settings.starts and settings.expires:
        zone = parse_timezone(settings.timezone)
        if parse_moment(settings.starts, zone) >= parse_moment(settings.expires, zone):
            problems.append("expires must be later than starts")
    return problems


def _excesses(raw: Mapping[Any, Any], settings: JobSettings, ceilings: Limits) -> list[str]:
    problems = []
    if settings.timeout is not None and settings.timeout > ceilings.wall_seconds:
        limit = f"{format_duration(ceilings.wall_seconds)} (limits.timeout)"
        problems.append(f"timeout = {lua_text(raw['timeout'])} is above the operator's limit of {limit}")
    if settings.memory is not None and settings.memory > ceilings.memory_bytes:
        limit = f"{format_size(ceilings.memory_bytes)} (limits.memory)"
        problems.append(f"memory = {lua_text(raw['memory'])} is above the operator's limit of {limit}")
    return problems


def lua_text(value: object) -> str:
    """Return a value much as a job file would write it, shortened, for messages."""
    if isinstance(value, dict | list):
        return "{ ... }" if value else "{}"
    if isinstance(value, bytes):
        return "text that is not UTF-8"
    if isinstance(value, str):
        return _shortened(json.dumps(value, ensure_ascii=False))
    if isinstance(value, bool):
        return "true" if value else "false"
    return _shortened(str(value))


def _shortened(text: str) -> str:
    return text if len(text) <= 60 else text[:57] + "..."
