"""Schedules in few words, for columns that have no room for more; the engine's own words are exact."""

from __future__ import annotations

import re

#: A cron line as the engine shows it, with its zone, and what is said behind that.
_CRON = re.compile(r"cron (?P<line>[^()]+) \([^()]*\)(?P<rest>.*)", re.DOTALL)

_MACROS = {
    "@hourly": "0 * * * *",
    "@daily": "0 0 * * *",
    "@midnight": "0 0 * * *",
    "@weekly": "0 0 * * 0",
    "@monthly": "0 0 1 * *",
}

_DAYS = ("Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")


def brief_schedule(schedule: str) -> str:
    """Return a schedule in few words: "daily 03:00", "Mon-Fri 09:30", "every 15m".

    A cron line for which there are none stays as it was written, without its zone.

    Args:
        schedule: as the engine shows it.
    """
    found = _CRON.fullmatch(schedule)
    if found is None:
        return schedule
    return (_said(found["line"]) or found["line"]) + found["rest"]


def said_schedule(schedule: str) -> str:
    """Return a schedule as the engine shows it, in front of it the few words that there are for it."""
    found = _CRON.fullmatch(schedule)
    said = _said(found["line"]) if found else ""
    return f"{said}: {schedule}" if said else schedule


def _said(line: str) -> str:
    """Return a cron line in words, or "" where it has no plain ones."""
    fields = _MACROS.get(line.lower(), line).split()
    if len(fields) == 6 and fields[0] == "0":
        fields = fields[1:]
    if len(fields) != 5 or fields[3] != "*":
        return ""
    minute, hour, date, _, day = ("*" if field == "?" else field for field in fields)
    if not minute.isdigit() or not hour.isdigit():
        return _repeated(minute, hour) if date == day == "*" else ""
    at, days = f"{hour:0>2}:{minute:0>2}", _days(date, day)
    return f"{days} {at}" if days else ""


def _repeated(minute: str, hour: str) -> str:
    """Return what is due several times a day in words; only steps of one length are every so often."""
    if hour == "*":
        step = _step(minute, 60)
        return f"hourly :{minute:0>2}" if minute.isdigit() else f"every {step}m" if step else ""
    step = _step(hour, 24)
    return f"every {step}h :{minute:0>2}" if step and minute.isdigit() else ""


def _step(field: str, whole: int) -> int:
    """Return the step of a field such as "*/15", or 0 where it does not go into the whole."""
    if field == "*":
        return 1
    step = field.removeprefix("*/")
    return int(step) if field != step and step.isdigit() and int(step) and whole % int(step) == 0 else 0


def _days(date: str, day: str) -> str:
    """Return on which days in words, or ""."""
    if date == day == "*":
        return "daily"
    if day == "*":
        return f"day {date}" if date.isdigit() else ""
    if date != "*":
        return ""
    named = [_day(part) for part in re.split("[-,]", day)]
    signs = re.findall("[-,]", day)
    if not all(named) or signs.count("-") > (len(signs) == 1):
        return ""
    return "".join(part for pair in zip(named, [*signs, ""], strict=True) for part in pair)


def _day(text: str) -> str:
    if text.isdigit() and int(text) < len(_DAYS):
        return _DAYS[int(text)]
    return text.capitalize() if text.capitalize() in _DAYS else ""
