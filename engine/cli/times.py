"""Times to come, as people write them on the command line."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

import typer

from engine.times.quantities import parse_duration


def moment_to_come(until: str | None, lasting: str | None) -> datetime | None:
    """Return when something ends that was given as `--until TIME` or as `--for DURATION`, None for neither.

    Args:
        until: a date with time, or a time of day, which means its next occurrence; in the zone of the person
            unless it has an offset.
        lasting: such as "2h", from now on.

    Raises:
        typer.BadParameter: it cannot be understood, or both are given.
    """
    if until is not None and lasting is not None:
        raise typer.BadParameter("give one of them, not both", param_hint="--until, --for")
    if lasting is not None:
        return datetime.now(UTC) + _duration(lasting)
    return None if until is None else _moment(until.strip())


def _duration(text: str) -> timedelta:
    try:
        seconds = parse_duration(text)
        if seconds <= 0:
            raise ValueError("must be longer than zero")
        return timedelta(seconds=seconds)
    except (ValueError, OverflowError) as error:
        raise typer.BadParameter(f"{text!r}: {error}", param_hint="--for") from error


def _moment(text: str) -> datetime:
    try:
        if re.fullmatch(r"\d{1,2}:\d{2}(:\d{2})?", text):
            return _next_time_of_day(text)
        moment = datetime.fromisoformat(text)
        return (moment.astimezone() if moment.tzinfo is None else moment).astimezone(UTC)
    except (ValueError, OverflowError) as error:
        raise typer.BadParameter(
            f"{text!r} is no time; write one such as 18:00 or 2026-12-24T18:00", param_hint="--until"
        ) from error


def _next_time_of_day(text: str) -> datetime:
    now = datetime.now().astimezone()
    wall = datetime.strptime(text, "%H:%M:%S" if text.count(":") == 2 else "%H:%M").time()  # noqa: DTZ007
    today = datetime.combine(now.date(), wall).astimezone()
    if today <= now:
        today = datetime.combine(now.date() + timedelta(days=1), wall).astimezone()
    return today.astimezone(UTC)
