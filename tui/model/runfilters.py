"""A filter of runs as it is typed: what the engine looks for in all runs, and what is left to do here.

| typed | means |
| --- | --- |
| `report` | the name of the job holds it |
| `1742` | this run, and those before it |
| `job:report`, `job:admin/*` | a job, or those that fit a pattern |
| `status:error`, `status:failed` | a status; `error,timeout` is any of them |
| `trigger:retry` | why it runs |
| `tag:shop`, `tag:team=shop` | its job has this tag |
| `since:2h`, `until:18:00` | made in this time: so long ago, at a time of today, or at a date |
| `text:"no connection"` | words in its error or log |

`!` in front wants it absent.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, time, timedelta
from typing import TypeVar

from engine.runfilter import RunFilter, is_pattern
from engine.states import FAILED, RunStatus, Trigger
from engine.times.quantities import parse_duration
from engine.views import ListedJob, RunView
from tui.model.filters import Term, has_tag, parse

TIME_HELP = "write 2h, 09:30 or 2026-12-24"

EVERY_RUN = RunFilter()

_OF_TODAY = re.compile(r"\d\d:\d\d(:\d\d)?")
Value = TypeVar("Value", RunStatus, Trigger)

#: A run that is planned is listed by what comes, not among runs of the past.
_LISTED = tuple(status for status in RunStatus if status is not RunStatus.PLANNED)


@dataclass(frozen=True, slots=True)
class Asked:
    """What a filter of runs comes to.

    Attributes:
        wanted: what the engine looks for.
        rest: what it does not know; looked for among the runs that come.
        newest: the run to begin with; None for the newest of all.
        problem: what is wrong with the filter in words, or "".
    """

    wanted: RunFilter = EVERY_RUN
    rest: tuple[Term, ...] = ()
    newest: int | None = None
    problem: str = ""


def read_filter(text: str, now: datetime, names: Iterable[str]) -> Asked:
    """Understand a filter.

    Args:
        now: aware; times without a date are of its day, in the reader's zone.
        names: of the jobs on the list, so that a part of a name finds it.
    """
    known = list(names)
    asked = Asked()
    try:
        for term in parse(text):
            if term.text:
                asked = _with(asked, term, now, known)
    except ValueError as error:
        return Asked(problem=str(error))
    return asked


def _with(asked: Asked, term: Term, now: datetime, names: list[str]) -> Asked:
    wanted = asked.wanted
    match term.field:
        case "status":
            return replace(asked, wanted=replace(wanted, statuses=_statuses(wanted.statuses, term)))
        case "trigger":
            return replace(asked, wanted=replace(wanted, triggers=_triggers(wanted.triggers, term)))
        case "since" if term.wanted:
            return replace(asked, wanted=replace(wanted, since=read_past(term.typed, now)))
        case "until" if term.wanted:
            return replace(asked, wanted=replace(wanted, until=read_past(term.typed, now)))
        case "text" if term.wanted:
            both = f"{wanted.text} {_phrase(term)}" if wanted.text else _phrase(term)
            return replace(asked, wanted=replace(wanted, text=both))
        case "tag" if term.wanted and wanted.tag is None:
            return replace(asked, wanted=replace(wanted, tag=term.typed))
        case "" | "job" if term.wanted and wanted.job is None:
            if not term.field and term.text.isdigit():
                return replace(asked, newest=int(term.text))
            return replace(asked, wanted=replace(wanted, job=_job(term.typed, names)))
        case "since" | "until" | "text" | "group" | "alert":
            raise ValueError(f"{term.field}: cannot be asked of runs like that")
    return replace(asked, rest=(*asked.rest, term))


def _phrase(term: Term) -> str:
    return f'"{term.typed}"' if " " in term.typed else term.typed


def _job(typed: str, names: list[str]) -> str:
    """Return what the engine takes for a job: its name, or a pattern for those that hold what was typed."""
    holding = [name for name in names if typed.lower() in name.lower()]
    exact = [name for name in holding if typed.lower() == name.lower()]
    if exact or len(holding) == 1:
        return (exact or holding)[0]
    return typed if is_pattern(typed) else f"*{typed}*"


def _statuses(so_far: tuple[RunStatus, ...], term: Term) -> tuple[RunStatus, ...]:
    parts = [part for part in term.text.split(",") if part]
    meant = [status for status in _LISTED if any(_is_status(status, part) for part in parts)]
    return _chosen(so_far, meant, _LISTED, term)


def _is_status(status: RunStatus, part: str) -> bool:
    return part in status.value.lower() or (part == "failed" and status in FAILED)


def _triggers(so_far: tuple[Trigger, ...], term: Term) -> tuple[Trigger, ...]:
    parts = [part for part in term.text.split(",") if part]
    exact = [trigger for trigger in Trigger if trigger.value in parts]
    meant = exact or [trigger for trigger in Trigger if any(part in trigger.value for part in parts)]
    return _chosen(so_far, meant, tuple(Trigger), term)


def _chosen(
    so_far: tuple[Value, ...], meant: Sequence[Value], all_of_them: tuple[Value, ...], term: Term
) -> tuple[Value, ...]:
    """Return what is left of the values after one more condition.

    Raises:
        ValueError: nothing is.
    """
    among = so_far or all_of_them
    left = tuple(one for one in among if (one in meant) == term.wanted)
    if not meant or not left:
        choices = ", ".join(one.value.lower() for one in all_of_them)
        raise ValueError(f"no run has {term.field}:{term.text}; there are {choices}")
    return left


def read_past(text: str, now: datetime) -> datetime:
    """Return the moment that somebody means: so long ago, at a time of today, or at a date.

    Raises:
        ValueError: it is none of these.
    """
    try:
        if _OF_TODAY.fullmatch(text):
            return datetime.combine(now.astimezone().date(), time.fromisoformat(text)).astimezone()
        if text[:4].isdigit() and "-" in text:
            return datetime.fromisoformat(text).astimezone()
        return now - timedelta(seconds=parse_duration(text))
    except (ValueError, OverflowError) as error:
        raise ValueError(f"{text!r} is no time; {TIME_HELP}") from error


def run_fits(run: RunView, rest: Iterable[Term], jobs: Mapping[str, ListedJob]) -> bool:
    """Return whether a run fits what the engine was not asked."""
    return all(_HAS[term.field](run, term.text, jobs) == term.wanted for term in rest)


def _job_holds(run: RunView, text: str, jobs: Mapping[str, ListedJob]) -> bool:
    return text in run.job.lower()


def _tagged(run: RunView, text: str, jobs: Mapping[str, ListedJob]) -> bool:
    job = jobs.get(run.job)
    return job is not None and has_tag(job, text)


_HAS: dict[str, Callable[[RunView, str, Mapping[str, ListedJob]], bool]] = {
    "": _job_holds,
    "job": _job_holds,
    "tag": _tagged,
}
