"""Every way from one job status to another, found by walking all rules, is in the documents."""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from functools import cache
from itertools import product
from pathlib import Path

from engine.jobs.jobfile import JobSettings, parse_settings
from engine.rules.lifecycle import (
    JobState,
    activate,
    at_reload,
    at_start,
    chose_next,
    deactivate,
    fired,
    found_invalid,
    key_of,
    passed_by,
    why_not_next,
)
from engine.rules.outcome import after_run
from engine.rules.setback import set_back
from engine.run import Outcome
from engine.states import JobStatus, Returned, RunStatus, Trigger

PAGE = Path(__file__).parents[3] / "docs/lifecycle.md"

#: A status, what happens, and the status after it.
Way = tuple[str, str, str]

#: Moments at which things happen: within the shortest interval, after it, after a sleep, after the last date.
MOMENTS = [datetime(2026, 3, 2, tzinfo=UTC) + timedelta(hours=hours) for hours in (0, 0.5, 2, 30, 100)]
SESSIONS = (1, 2)

FILES: tuple[JobSettings, ...] = tuple(
    parse_settings(settings)
    for settings in (
        {"every": "1h"},
        {"every": "1h", "active": False},
        {"every": "1h", "on_error": "continue", "retries": 1},
        {"every": "1h", "run_once": True},
        {"every": "1h", "run_once": True, "on_error": "continue"},
        {"at": "2026-03-02T01:00:00"},
        {},
    )
)

SCHEDULES = [file.schedule() for file in FILES]

OUTCOMES = {
    "OK": Outcome(RunStatus.COMPLETE, Returned.OK),
    "SLEEP": Outcome(RunStatus.COMPLETE, Returned.SLEEP),
    "STOP": Outcome(RunStatus.COMPLETE, Returned.STOP),
    "EXIT": Outcome(RunStatus.COMPLETE, Returned.EXIT),
    "failed": Outcome(RunStatus.ERROR, error="boom"),
    "cancelled": Outcome(RunStatus.CANCELLED, error="by somebody"),
}


@dataclass(frozen=True)
class Standing:
    """A job at one moment of a walk; `file` and `moment` count from 0."""

    state: JobState
    file: int
    moment: int
    session: int

    def kind(self) -> tuple[object, ...]:
        """Return all by which the rules go: not the times, but where they lie."""
        state, schedule, now = self.state, SCHEDULES[self.file], MOMENTS[self.moment]
        first = schedule.first(now) if schedule else None
        return (
            (state.status, state.active, state.armed, state.declared_active, self.file, self.moment),
            (state.once_session == self.session, state.schedule_key == key_of(schedule)),
            state.next_due is not None and (state.next_due > now, first and state.next_due > first),
        )


def test_the_table_of_job_states_has_every_way_that_the_rules_allow_and_no_other() -> None:
    assert _described() == _walked()


def test_the_diagram_of_job_states_draws_such_ways() -> None:
    assert _drawn() <= _walked()


@cache
def _walked() -> frozenset[Way]:
    """Return how a job can go from one status to another, over all that can happen to it."""
    ways: set[Way] = set()
    queue = deque(_new())
    seen = {here.kind() for here in queue}
    while queue:
        here = queue.popleft()
        for cause, there in _steps(here):
            before, after = here.state.status.value, there.state.status.value
            if before != after:
                ways.add((before, cause, after))
            if there.kind() not in seen:
                seen.add(there.kind())
                queue.append(there)
    return frozenset(ways)


def _new() -> Iterator[Standing]:
    for number, file in enumerate(FILES):
        armed = at_start(None, file, SCHEDULES[number], now=MOMENTS[0], session=1)
        yield Standing(armed.state, number, 0, 1)


def _steps(here: Standing) -> Iterator[tuple[str, Standing]]:
    now, session, state = MOMENTS[here.moment], here.session, here.state
    schedule = SCHEDULES[here.file]

    def then(after: JobState, file: int = here.file) -> Standing:
        return Standing(after, file, here.moment, session)

    if here.moment + 1 < len(MOMENTS):
        yield "time", replace(here, moment=here.moment + 1)
    for number, other in enumerate(FILES):
        after = at_reload(state, other, SCHEDULES[number], now=now, session=session)
        yield "reload", then(after, number)
        for later in [one for one in SESSIONS if one > session]:
            armed = at_start(state, other, SCHEDULES[number], now=now, session=later)
            yield "start", Standing(armed.state, number, here.moment, later)
    yield "bad file", then(found_invalid(state, "a.lua:1: boom", now=now))
    yield "activate", then(activate(state))
    yield "deactivate", then(deactivate(state))
    yield "clock set back", then(set_back(state, schedule, now, timedelta(hours=1)))
    if state.due is not None and state.due <= now:
        yield "due", then(fired(state, schedule, state.due, now))
        yield "due", then(passed_by(state, schedule, state.due, now))
    soon = now + timedelta(minutes=1)
    if why_not_next(state, soon, now) is None:
        yield "next", then(chose_next(state, soon))
    yield from ((cause, then(after)) for cause, after in _after_runs(here, now))


def _after_runs(here: Standing, now: datetime) -> Iterator[tuple[str, JobState]]:
    for cause, outcome in OUTCOMES.items():
        for trigger in (Trigger.SCHEDULE, Trigger.MANUAL):
            for retried in (False, True) if cause == "failed" else (False,):
                after = after_run(
                    here.state,
                    FILES[here.file],
                    SCHEDULES[here.file],
                    outcome,
                    started=now,
                    finished=now,
                    session=here.session,
                    trigger=trigger,
                    retried=retried,
                )
                yield cause, after


def _described() -> set[Way]:
    """Return the ways in the page's table of job states."""
    rows = re.findall(r"(?m)^\| (.+?) \| (.+?) \| (.+?) \| .*\|$", _page_on_jobs())
    ways = {way for cells in rows[2:] for way in product(*(cell.split(", ") for cell in cells))}
    return {(before, cause, after) for cause, before, after in ways}


def _drawn() -> set[Way]:
    """Return the arrows of the page's diagram of job states."""
    arrows = re.findall(r"(?m)^ +([A-Z_]+) --> ([A-Z_]+): (.+)$", _page_on_jobs())
    causes = [(before, cause, after) for before, after, words in arrows for cause in words.split(", ")]
    names = {status.name: status.value for status in JobStatus}
    # Behind the cause there may be more words about when.
    known = {cause for _, cause, _ in _walked()}
    return {(names[before], cause, names[after]) for before, cause, after in causes if cause in known}


def _page_on_jobs() -> str:
    return PAGE.read_text("utf-8").partition("## Job states\n")[2]
