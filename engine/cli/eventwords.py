"""Events in the words that people see."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import fields
from typing import Any

from engine.cli.words import ending, local_time, one_line
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
