"""Times as databases write them: `YYYY-MM-DD HH:MM:SS`."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime, tzinfo
from typing import Any
from zoneinfo import ZoneInfo

from moontide import CoreCall, CoreError, CoreModule

WRONG_TYPE = 801

_TIMESTAMP = re.compile(r"(\d{4}-\d\d-\d\d)[ T](\d\d:\d\d:\d\d)(?:\.\d{1,9})?")


def declare(module: CoreModule) -> None:
    """Declare the functions about times."""
    told: dict[str, Callable[..., Any]] = {
        "timestamp": timestamp,
        "localTimestamp": local_timestamp,
        "date": date,
        "localDate": local_date,
        "parseTimestamp": parse_timestamp,
    }
    for name, function in told.items():
        module.function(name)(function)


async def timestamp(call: CoreCall, unix: float | None = None) -> str:
    """Return a unix time (now if none is given) as `YYYY-MM-DD HH:MM:SS` in UTC."""
    return _at(unix, UTC).strftime("%Y-%m-%d %H:%M:%S")


async def local_timestamp(call: CoreCall, unix: float | None = None) -> str:
    """Return a unix time (now if none is given) as `YYYY-MM-DD HH:MM:SS` in the job's time zone."""
    return _at(unix, ZoneInfo(call.run.timezone)).strftime("%Y-%m-%d %H:%M:%S")


async def date(call: CoreCall, unix: float | None = None) -> str:
    """Return the day of a unix time (now if none is given) as `YYYY-MM-DD` in UTC."""
    return _at(unix, UTC).strftime("%Y-%m-%d")


async def local_date(call: CoreCall, unix: float | None = None) -> str:
    """Return the day of a unix time (now if none is given) as `YYYY-MM-DD` in the job's time zone."""
    return _at(unix, ZoneInfo(call.run.timezone)).strftime("%Y-%m-%d")


async def parse_timestamp(call: CoreCall, text: str) -> int:
    """Return the unix time of `YYYY-MM-DD HH:MM:SS`, read as UTC."""
    found = _TIMESTAMP.fullmatch(text.strip())
    try:
        if found is None:
            raise ValueError
        moment = datetime.fromisoformat(f"{found[1]} {found[2]}+00:00")
    except ValueError as error:
        raise CoreError("parseTimestamp wants a time like 2026-01-31 18:30:00", WRONG_TYPE) from error
    return int(moment.timestamp())


def _at(unix: float | None, zone: tzinfo) -> datetime:
    if unix is None:
        return datetime.now(zone)
    try:
        return datetime.fromtimestamp(unix, zone)
    except (ValueError, OverflowError, OSError) as error:
        raise CoreError("a unix time must lie in the years 1 to 9999", WRONG_TYPE) from error
