"""Reading single values of a job file's settings; each function raises ValueError with what is allowed."""

from __future__ import annotations

import re
from collections.abc import Collection
from zoneinfo import ZoneInfo

from engine.legible import HARMFUL
from engine.times.blackout import ALLOWED, read_window
from engine.times.blackout import NAMED as NAMED_WINDOW
from engine.times.plan import parse_moment
from engine.times.quantities import format_duration, format_size, parse_duration, parse_size
from engine.times.schedule import Dst, parse_cron, parse_interval, parse_timezone

SMALLEST_MEMORY_BYTES = 2**20
SHORTEST_TIMEOUT_SECONDS = 0.1
LONGEST_TEXT = 1000
LONGEST_KEPT_SECONDS = 10 * 365 * 86_400.0
#: Patterns that `allow` may give for one module.
MOST_PATTERNS = 100
#: Cron lines or dates of one job.
MOST_SCHEDULES = 50
LONGEST_JITTER_SECONDS = 86_400.0

#: How a cron line of the operator's is named in a job file.
NAMED = "cron."
MOST_TAGS = 50
MOST_GROUPS = 20
#: Tags that one job may want of its worker.
MOST_RUNS_ON = 3
#: What a tag of a worker looks like.
WORKER_TAG = re.compile(r"[a-z0-9][a-z0-9-]{0,29}")
LONGEST_GROUP = 100
OVERLAPS = ("coalesce", "skip", "queue", "allow", "replace")
HIGHEST_PRIORITY = 100
HIGHEST_STARTUP = 1_000_000
MOST_RETRIES = 1_000_000
SHORTEST_RETRY_SECONDS = 0.1
LONGEST_RETRY_SECONDS = 30 * 86_400.0


def read_flag(value: object) -> bool:
    """Return a switch."""
    if isinstance(value, bool):
        return value
    raise ValueError("must be true or false")


def read_single_instance(value: object) -> bool:
    """Return true: it is so for every job, and cannot be switched off."""
    if value is True:
        return True
    raise ValueError(
        "must be true, or left out: one home has one engine, so no job ever runs on two engines; for runs of "
        'a job beside each other write overlap = "allow"'
    )


def read_text(value: object) -> str:
    """Return a short text without control characters."""
    if isinstance(value, str) and len(value) <= LONGEST_TEXT and not HARMFUL.search(value):
        return value
    raise ValueError(f"must be text of at most {LONGEST_TEXT} characters, without control characters")


def read_version(value: object) -> str:
    """Return a version as text; a number will do."""
    if isinstance(value, str | int | float) and not isinstance(value, bool):
        return read_text(str(value))
    raise ValueError('must be text such as "1.2"')


def read_every(value: object) -> float:
    """Return an interval in seconds."""
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        raise ValueError('must be a number of seconds or text such as "2m"')
    return parse_interval(value).seconds


def read_cron(value: object) -> str | tuple[str, ...]:
    """Return a cron line, or several."""
    if isinstance(value, list):
        if not 1 <= len(value) <= MOST_SCHEDULES:
            raise ValueError(f"must be one cron line, or a list of 1 to {MOST_SCHEDULES}")
        return tuple(_cron_line(line) for line in value)
    return _cron_line(value)


def _cron_line(value: object) -> str:
    if not isinstance(value, str):
        raise ValueError('must be text such as "*/15 9-17 * * MON-FRI" or "@daily"')
    tidy = " ".join(value.split())
    if not tidy.startswith(NAMED):
        parse_cron(tidy)
    return tidy


def read_at(value: object) -> tuple[str, ...]:
    """Return dates with times, as they were written."""
    moments = value if isinstance(value, list) else [] if value == {} else [value]
    if len(moments) > MOST_SCHEDULES:
        raise ValueError(f"must be one date, or a list of at most {MOST_SCHEDULES}")
    return tuple(read_moment(moment) for moment in moments)


def read_moment(value: object) -> str:
    """Return a date with time, as it was written."""
    if not isinstance(value, str):
        raise ValueError('must be a date with time such as "2026-12-24T18:00:00"')
    parse_moment(value, ZoneInfo("UTC"))
    return value


def read_jitter(value: object) -> float:
    """Return the longest delay in seconds."""
    seconds = parse_duration(value)
    if not 0 < seconds <= LONGEST_JITTER_SECONDS:
        raise ValueError(f"must be longer than zero and at most {format_duration(LONGEST_JITTER_SECONDS)}")
    return seconds


def read_blackout(value: object) -> tuple[str, ...]:
    """Return windows of time, as they were written, blanks tidied."""
    texts = value if isinstance(value, list) else [] if value == {} else [value]
    if len(texts) > MOST_SCHEDULES:
        raise ValueError(f"must be one window, or a list of at most {MOST_SCHEDULES}")
    return tuple(_window(text) for text in texts)


def _window(text: object) -> str:
    if not isinstance(text, str):
        raise ValueError(f"must be a window, or a list of windows; allowed are {ALLOWED}")
    return text if text.startswith(NAMED_WINDOW) else read_window(text).text


def read_dst(value: object) -> str:
    """Return what a change of the clocks means."""
    try:
        return Dst(str(value)).value
    except ValueError as error:
        raise ValueError('must be "once", "skip" or "both"') from error


def read_timezone(value: object) -> str:
    """Return an IANA name."""
    if not isinstance(value, str):
        raise ValueError('must be text such as "Europe/Berlin"')
    return parse_timezone(value).key


def read_timeout(value: object) -> float:
    """Return a time limit in seconds."""
    seconds = parse_duration(value)
    if seconds < SHORTEST_TIMEOUT_SECONDS:
        raise ValueError(f"must be {format_duration(SHORTEST_TIMEOUT_SECONDS)} or longer")
    return seconds


def read_remove_after(value: object) -> float:
    """Return how long a run is kept, in seconds; zero is possible."""
    seconds = parse_duration(value)
    if not 0 <= seconds <= LONGEST_KEPT_SECONDS:
        raise ValueError(f"must be between zero and {format_duration(LONGEST_KEPT_SECONDS)}")
    return seconds


def read_memory(value: object) -> int:
    """Return a memory limit in bytes."""
    size = parse_size(value)
    if size < SMALLEST_MEMORY_BYTES:
        raise ValueError(f"must be {format_size(SMALLEST_MEMORY_BYTES)} or more")
    return size


def read_runs_on(value: object) -> tuple[str, ...]:
    """Return tags of workers, in order."""
    tags = value if isinstance(value, list) else [] if value == {} else [value]
    if len(tags) > MOST_RUNS_ON or not all(
        isinstance(tag, str) and WORKER_TAG.fullmatch(tag) for tag in tags
    ):
        raise ValueError(
            f'must be a list such as {{ "gpu" }}, of at most {MOST_RUNS_ON} words of a-z, 0-9 and -'
        )
    return tuple(sorted(set(tags)))


def read_tags(value: object) -> dict[str, str]:
    """Return tags with their values, which may be empty."""
    wanted = f'must be a table such as {{ team = "shop" }} or {{ "nightly" }}, of at most {MOST_TAGS} tags'
    if isinstance(value, list):
        value = dict.fromkeys(value, "") if all(isinstance(tag, str) for tag in value) else None
    if not isinstance(value, dict) or len(value) > MOST_TAGS:
        raise ValueError(wanted)
    try:
        return {_tag_name(tag): _tag_value(content) for tag, content in value.items()}
    except ValueError as error:
        raise ValueError(f"{wanted}: {error}") from error


def read_groups(value: object) -> tuple[str, ...]:
    """Return the names of groups."""
    names = value if isinstance(value, list) else [] if value == {} else [value]
    if len(names) > MOST_GROUPS:
        raise ValueError(f'must be a name such as "night", or a list of at most {MOST_GROUPS} names')
    return tuple(dict.fromkeys(_group(name) for name in names))


def _group(name: object) -> str:
    if (
        isinstance(name, str)
        and name
        and len(name) <= LONGEST_GROUP
        and name == name.strip()
        and name.isprintable()
    ):
        return name
    raise ValueError(
        f"must be made of names of 1 to {LONGEST_GROUP} characters, without control characters "
        "and without blanks at their ends"
    )


def read_allow(value: object) -> dict[str, bool | list[str]]:
    """Return what is granted, by module."""
    if not isinstance(value, dict):
        raise ValueError('must be a table such as { network = { "api.example.com" }, email = true }')
    return {_tag_name(module): _allowed(module, granted) for module, granted in value.items()}


def _allowed(module: str, granted: object) -> bool | list[str]:
    if isinstance(granted, bool):
        return granted
    if isinstance(granted, list) and len(granted) <= MOST_PATTERNS:
        return [read_text(pattern) for pattern in granted]
    raise ValueError(f"{module} must be true, false or a list of at most {MOST_PATTERNS} texts")


def _tag_name(tag: object) -> str:
    if isinstance(tag, str) and tag:
        return read_text(tag)
    raise ValueError("each name must be text")


def _tag_value(content: object) -> str:
    if isinstance(content, bool):
        return "true" if content else "false"
    if isinstance(content, int | float):
        return str(content)
    return read_text(content)


def read_overlap(value: object) -> str:
    """Return what becomes of a run while an earlier one is not done."""
    return one_of(value, OVERLAPS)


def read_retries(value: object) -> int | str:
    """Return how often a failed run is tried again."""
    if value == "unlimited":
        return "unlimited"
    if isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= MOST_RETRIES:
        return value
    raise ValueError(f'must be a whole number from 0 to {MOST_RETRIES}, or "unlimited"')


def read_retry_delay(value: object) -> float:
    """Return a time to wait in seconds."""
    seconds = parse_duration(value)
    if not SHORTEST_RETRY_SECONDS <= seconds <= LONGEST_RETRY_SECONDS:
        shortest, longest = format_duration(SHORTEST_RETRY_SECONDS), format_duration(LONGEST_RETRY_SECONDS)
        raise ValueError(f"must be from {shortest} to {longest}")
    return seconds


def read_backoff(value: object) -> float:
    """Return by how much each delay is longer than the one before."""
    if isinstance(value, int | float) and not isinstance(value, bool) and 1 <= value <= 10:
        return float(value)
    raise ValueError("must be a number from 1 to 10")


def read_part(value: object) -> float:
    """Return a part of something, from 0 to 1."""
    if isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value <= 1:
        return float(value)
    raise ValueError("must be a number from 0 to 1")


def read_name(value: object) -> str:
    """Return the name of something; whether there is such a thing is checked elsewhere."""
    if isinstance(value, str):
        return read_text(value)
    raise ValueError("must be a name")


def one_of(value: object, allowed: Collection[str]) -> str:
    """Return one of some words."""
    if value in allowed:
        return str(value)
    raise ValueError(f"must be one of {', '.join(allowed)}")


def read_startup(value: object) -> int:
    """Return a place in the order of startup jobs; lower ones go first."""
    if isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= HIGHEST_STARTUP:
        return value
    raise ValueError(f"must be a whole number from 0 to {HIGHEST_STARTUP}")


def read_priority(value: object) -> int:
    """Return a priority; higher ones go first."""
    if isinstance(value, int) and not isinstance(value, bool) and abs(value) <= HIGHEST_PRIORITY:
        return value
    raise ValueError(f"must be a whole number from -{HIGHEST_PRIORITY} to {HIGHEST_PRIORITY}")
