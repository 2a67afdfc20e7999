"""Times as people write them on the command line: dates, times of today, and distances from now."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import typer

from engine.times.quantities import parse_duration

EXAMPLES = "2026-12-24T18:00, 18:00 for today, -2h or +30m"

_DISTANCE = re.compile(r"([+-])(\S+)")
_OF_TODAY = re.compile(r"\d\d:\d\d\S*")


def read_moment(text: str, zone: ZoneInfo | None, now: datetime) -> datetime:
    """Return a time, aware UTC.

    Args:
        text: ISO 8601, where an offset counts; a time of today; or a distance such as -2h.
        zone: whose wall clock is meant where the text has no offset; None for the reader's own.

    Raises:
        typer.BadParameter: it is none of these.
    """
    distance = _DISTANCE.fullmatch(text)
    try:
        if distance is not None:
            seconds = parse_duration(distance[2])
            return now + timedelta(seconds=seconds if distance[1] == "+" else -seconds)
        moment = _wall(text, now.astimezone(zone).date())
        if moment.tzinfo is None:
            moment = moment.replace(tzinfo=zone) if zone else moment.astimezone()
        return moment.astimezone(UTC)
    except (ValueError, OverflowError) as error:
        raise typer.BadParameter(f"{text!r} is no time; write one such as {EXAMPLES}") from error


def read_zone(name: str | None) -> ZoneInfo | None:
    """Return a time zone by its name; None for the reader's own.

    Raises:
        typer.BadParameter: there is no such zone.
    """
    if name is None:
        return None
    try:
        return ZoneInfo(name)
    except (OSError, ValueError, KeyError) as error:
        raise typer.BadParameter(
            f"there is no time zone {name!r}; write one such as Europe/Berlin"
        ) from error


def _wall(text: str, today: date) -> datetime:
    if _OF_TODAY.fullmatch(text):
        return datetime.combine(today, time.fromisoformat(text))
    return datetime.fromisoformat(text)
