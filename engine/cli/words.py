"""States, times and events in the words, icons and colours that people see."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import fields
from datetime import datetime
from typing import Any

from engine.events import (
    AlertEnded,
    AlertNotice,
    AlertRaised,
    EngineStateChanged,
    Event,
    HoldChanged,
    JobChanged,
    JobsReloaded,
    JournalRecovered,
    JournalStalled,
    RunFinished,
    RunLogged,
    RunQueued,
    RunsMissed,
    RunsRecovered,
    RunsSkipped,
    RunStarted,
    WorkersReplaced,
)

#: Icon and colour of each status and activity. The word always stands beside them.
LOOKS: dict[str, tuple[str, str]] = {
    "WAITING": ("○", "green"),
    "SLEEPING": ("☾", "blue"),
    "STOPPED": ("■", "yellow"),
    "INACTIVE": ("◌", "red"),
    "ONCE": ("◇", "green"),
    "ONCE DONE": ("◆", "cyan"),
    "DISABLED": ("⊘", "dim"),
    "EXPIRED": ("†", "dim"),
    "INVALID": ("✗", "bold red"),
    "PLANNED": ("◔", "blue"),
    "QUEUED": ("…", "cyan"),
    "RUNNING": ("▶", "bold cyan"),
    "COMPLETE": ("✓", "green"),
    "ERROR": ("✗", "red"),
    "TIMEOUT": ("◷", "red"),
    "CRASHED": ("✖", "bold red"),
    "CANCELLED": ("⊘", "yellow"),
    "SKIPPED": ("»", "dim"),
    "idle": ("·", "dim"),
    "queued": ("…", "cyan"),
    "running": ("▶", "bold cyan"),
    "loaded": ("✓", "green"),
    "failed": ("✗", "red"),
    "disabled": ("⊘", "dim"),
    "enabled": ("✓", "green"),
    "paused": ("⏸", "yellow"),
    "debug": ("·", "dim"),
    "info": ("·", ""),
    "warn": ("!", "yellow"),
    "error": ("✗", "red"),
}

#: Control characters but for newline and tab, and those that turn the direction of writing.
_CONTROLS = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ud800-\udfff]")


def icon(word: str) -> str:
    """Return the icon that goes with a status, or nothing."""
    return LOOKS.get(word, ("", ""))[0]


def colour(word: str) -> str:
    """Return the rich style that goes with a status, or none."""
    return LOOKS.get(word, ("", ""))[1]


def clean(text: str) -> str:
    """Return text with control characters made visible: a job's words must not steer the terminal."""
    return _CONTROLS.sub(lambda found: found[0].encode("unicode_escape").decode("ascii"), text)


def json_clean(document: str) -> str:
    """Return a JSON document that says the same without control characters."""
    # JSON's own escapes are for those below 0x20 alone; all others can only stand inside of strings.
    return _CONTROLS.sub(lambda found: f"\\u{ord(found[0]):04x}", document)


def one_line(text: str | None) -> str:
    """Return the first line of a text."""
    return (text or "").strip().partition("\n")[0]


def local_time(when: datetime | None) -> str:
    """Return a time in the zone of the person who reads it, or a dash."""
    return "-" if when is None else when.astimezone().strftime("%Y-%m-%d %H:%M:%S")


def short_time(when: datetime | None, now: datetime) -> str:
    """Return a time as `local_time` does, without the date of today and without seconds on another day."""
    if when is None:
        return "-"
    local = when.astimezone()
    return local.strftime("%H:%M:%S" if local.date() == now.astimezone().date() else "%Y-%m-%d %H:%M")


def duration(milliseconds: float | None) -> str:
    """Return a duration such as "12 ms", "3.4 s" or "2m 05s", or a dash."""
    if milliseconds is None:
        return "-"
    if milliseconds < 1000:
        return f"{milliseconds:.0f} ms"
    if milliseconds < 60_000:
        return f"{milliseconds / 1000:.1f} s"
    minutes, seconds = divmod(round(milliseconds / 1000), 60)
    return f"{minutes}m {seconds:02}s"


def ending(status: str, returned: str | None, milliseconds: float | None) -> str:
    """Return how a run ended: "COMPLETE (OK) in 12 ms"."""
    code = f" ({returned})" if returned else ""
    return f"{status}{code}" if milliseconds is None else f"{status}{code} in {duration(milliseconds)}"


def event_lines(event: Event) -> list[str]:
    """Return an event in words, one line for each thing that it tells."""
    if isinstance(event, RunLogged):
        return [f"run {event.run} of {event.job} {level}: {_flat(text)}" for _, level, text in event.lines]
    describe = _SENTENCES.get(type(event), _plainly)
    return [one_line(describe(event))]


def _flat(text: str) -> str:
    return text.replace("\n", "\\n")


def _plainly(event: Event) -> str:
    values = ((part.name, getattr(event, part.name)) for part in fields(event) if part.name != "at")
    return " ".join([type(event).__name__, *(f"{name}={value}" for name, value in values)])


def _state(event: EngineStateChanged) -> str:
    return f"engine {event.state}" + (f": {event.reason}" if event.reason else "")


def _reloaded(event: JobsReloaded) -> str:
    counts = {name: len(getattr(event, name)) for name in ("added", "changed", "removed", "invalid")}
    return "jobs reloaded: " + ", ".join(f"{count} {name}" for name, count in counts.items())


def _held(event: HoldChanged) -> str:
    what = f"{event.scope} {event.target}".rstrip()
    if not event.held:
        return f"{what} is not {event.kind} any more"
    return f"{what} is {event.words}" if event.scope == "job" else event.words


def _changed(event: JobChanged) -> str:
    reason = f" ({one_line(event.reason)})" if event.reason else ""
    due = f", next run {local_time(event.next_run)}" if event.next_run else ""
    return f"job {event.job} {event.status}{reason}{due}"


def _finished(event: RunFinished) -> str:
    error = f": {one_line(event.error)}" if event.error else ""
    return f"run {event.run} of {event.job} {ending(event.status, event.returned, event.duration_ms)}{error}"


_SENTENCES: dict[type[Event], Callable[[Any], str]] = {
    AlertRaised: lambda e: f"alert {e.alert}: job {e.job} is {e.kind}: {one_line(e.reason)}",
    AlertEnded: lambda e: f"alert {e.alert} is over: job {e.job} was {e.kind}: {one_line(e.reason)}",
    AlertNotice: lambda e: f"people are told: {e.subject}",
    EngineStateChanged: _state,
    JournalStalled: lambda e: f"the database takes no writes, {e.waiting} wait: {e.reason}",
    JournalRecovered: lambda e: f"the database takes writes again after {e.stalled_seconds:.1f} s",
    JobsReloaded: _reloaded,
    JobChanged: _changed,
    HoldChanged: _held,
    RunsMissed: lambda e: f"job {e.job} missed {e.count} runs, the last due {local_time(e.last_due)}",
    RunsSkipped: lambda e: f"job {e.job} makes no run for {local_time(e.due)}: {e.reason}",
    RunsRecovered: lambda e: f"{len(e.runs)} runs that an earlier engine left unfinished are CRASHED",
    RunQueued: lambda e: f"run {e.run} of {e.job} QUEUED ({e.trigger})",
    RunStarted: lambda e: f"run {e.run} of {e.job} RUNNING (attempt {e.attempt})",
    RunFinished: _finished,
    WorkersReplaced: lambda e: f"the workers were started again: {e.reason}",
}
