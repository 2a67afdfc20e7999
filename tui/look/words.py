"""Statuses, times and durations in the words, icons and shades that the screens show."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from engine.states import FAILED
from engine.views import ListedJob


@dataclass(frozen=True, slots=True)
class Look:
    """How a status is drawn: always icon and word, never colour alone.

    Attributes:
        icon: one character of width 1.
        plain: the same for terminals without Unicode.
        shade: ok, bad, late, busy, calm or faint; the theme gives it a colour.
    """

    icon: str
    plain: str
    shade: str


LOOKS: dict[str, Look] = {
    "WAITING": Look("●", "+", "ok"),
    "SLEEPING": Look("☾", "z", "calm"),
    "STOPPED": Look("■", "#", "late"),
    "PAUSED": Look("¦", "|", "late"),
    "INACTIVE": Look("‖", "=", "late"),
    "ONCE": Look("◇", "1", "ok"),
    "ONCE DONE": Look("◆", "*", "calm"),
    "DISABLED": Look("⊘", "-", "faint"),
    "EXPIRED": Look("†", "e", "faint"),
    "INVALID": Look("✗", "x", "bad"),
    "PLANNED": Look("◔", "p", "calm"),
    "QUEUED": Look("◷", ".", "busy"),
    "RUNNING": Look("▶", ">", "busy"),
    "COMPLETE": Look("✓", "v", "ok"),
    "ERROR": Look("✗", "x", "bad"),
    "TIMEOUT": Look("◷", "t", "bad"),
    "CRASHED": Look("✖", "X", "bad"),
    "CANCELLED": Look("⊘", "-", "late"),
    "SKIPPED": Look("»", "s", "faint"),
    "Starting": Look("…", ".", "busy"),
    "Running": Look("●", "+", "ok"),
    "Reloading": Look("↻", "~", "busy"),
    "Draining": Look("▽", "v", "late"),
    "Stopped": Look("■", "#", "late"),
    "debug": Look("·", ".", "faint"),
    "info": Look("·", ".", "calm"),
    "warn": Look("!", "!", "late"),
    "error": Look("✗", "x", "bad"),
}

_UNKNOWN = Look("?", "?", "calm")

#: A job that is due for longer than this and does not run is late.
LATE_SECONDS = 5.0
_LATE = timedelta(seconds=LATE_SECONDS)

#: Control characters, and those that turn the direction of writing.
_CONTROLS = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ud800-\udfff]")


def look(status: str) -> Look:
    """Return how a status is drawn; one that this version does not know gets a question mark."""
    return LOOKS.get(status, _UNKNOWN)


def clean(text: str) -> str:
    """Return text with control characters made visible: a job's words must not steer the terminal."""
    return _CONTROLS.sub(lambda found: found[0].encode("unicode_escape").decode("ascii"), text)


def first_line(text: str | None) -> str:
    """Return the first line of a text, safe to draw."""
    return clean((text or "").strip().partition("\n")[0])


def duration(milliseconds: float | None) -> str:
    """Return a duration such as "12ms", "3.4s" or "2m05s", or a dash."""
    if milliseconds is None:
        return "—"
    if milliseconds < 1000:
        return f"{milliseconds:.0f}ms"
    if milliseconds < 59_950:
        return f"{milliseconds / 1000:.1f}s"
    minutes, seconds = divmod(round(milliseconds / 1000), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}h{minutes:02}m" if hours else f"{minutes}m{seconds:02}s"


def span(seconds: float) -> str:
    """Return a span in its largest unit, as the lists count it: "12s", "4m", "3h", "2d"."""
    for unit, size in (("d", 86_400), ("h", 3600), ("m", 60)):
        if seconds >= 2 * size or (unit == "m" and seconds >= 100):
            return f"{seconds // size:.0f}{unit}"
    return f"{max(0, seconds):.0f}s"


def until(when: datetime | None, now: datetime) -> str:
    """Return how far a due time is off: "in 12s", "now", "late 8s", or a dash."""
    if when is None:
        return "—"
    seconds = (when - now).total_seconds()
    if seconds < -LATE_SECONDS:
        return f"late {span(-seconds)}"
    return "now" if seconds < 0.5 else f"in {span(seconds)}"


def until_next(job: ListedJob, now: datetime) -> str:
    """Return how far a job's next run is off; of a paused one a dash, as it does not run when it is due."""
    return until(None if job.paused else job.next_run, now)


def ago(when: datetime | None, now: datetime) -> str:
    """Return how long ago something was: "8s ago", or a dash."""
    return "—" if when is None else f"{span((now - when).total_seconds())} ago"


def clock(when: datetime | None) -> str:
    """Return a time of day in the zone of the person who reads it, or a dash."""
    return "—" if when is None else when.astimezone().strftime("%H:%M:%S")


def moment(when: datetime | None) -> str:
    """Return date and time in the zone of the person who reads it, or a dash."""
    return "—" if when is None else when.astimezone().strftime("%Y-%m-%d %H:%M:%S")


def near_moment(when: datetime | None, now: datetime) -> str:
    """Return a time of day, with the date in front where it is not today."""
    if when is None or when.astimezone().date() == now.astimezone().date():
        return clock(when)
    return when.astimezone().strftime("%m-%d %H:%M")


def size(count: int | None) -> str:
    """Return a number of bytes such as "2.1 MB", or a dash."""
    if count is None:
        return "—"
    return f"{count / 2**20:.1f} MB" if count >= 2**20 else f"{count / 1024:.0f} kB"


def plural(count: int, noun: str) -> str:
    """Return "1 job" or "2 jobs"."""
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"


def tags(values: dict[str, Any]) -> str:
    """Return tags as one line: "team=shop"."""
    return clean(" ".join(f"{name}={value}" for name, value in values.items()))


def is_late(job: ListedJob, now: datetime) -> bool:
    """Return whether a job should run by now and does not."""
    if job.next_run is None or job.status != "WAITING" or job.activity != "idle":
        return False
    return now - job.next_run > _LATE


def needs_attention(job: ListedJob) -> bool:
    """Return whether somebody has to look at a job: it cannot be used, failed, or has a new alert."""
    if job.status == "INVALID" or job.last_status in FAILED or is_alarming(job):
        return True
    return job.status == "INACTIVE" and job.error is not None


def is_alarming(job: ListedJob) -> bool:
    """Return whether an alert of a job goes on that nobody acknowledged."""
    # Asked of each of 100,000 jobs before the first list is drawn; nearly none has an alert.
    return bool(job.alerts) and any(alert.acked is None for alert in job.alerts)
