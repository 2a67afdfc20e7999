"""The clock alone: how soon many schedules are armed, the memory they take, and what one due time costs.

No runs or database: what was read from files becomes job states and due times by the engine's own rules, in
the real scheduler and the real gate, on a clock that is turned by hand. One half are intervals, the other
cron lines in a zone that changes its clocks.
"""

from __future__ import annotations

import asyncio
import gc
import time
import tracemalloc
from datetime import UTC, datetime, timedelta

from bench.figures import Effort, Figure
from engine.collector import resting
from engine.jobs.jobfile import JobSettings
from engine.rules import lifecycle
from engine.runs.gate import Gate, Overlap
from engine.runs.job import Job
from engine.runs.liverun import LiveRun
from engine.runs.scheduler import Scheduler
from engine.states import Trigger
from engine.times.clock import ManualClock
from engine.times.schedule import Schedule

START = datetime(2026, 3, 2, 12, tzinfo=UTC)
SIZES = (1_000, 10_000, 100_000)
POOL = 10
#: Due times that are served in one round, one after another.
FIRES = 10_000
TARGETS = {100_000: {"armed": "< 2", "fire": "< 100"}}


def measure(effort: Effort) -> list[Figure]:
    """Return processor time to arm, bytes and processor time of a due time, for each number of schedules."""
    sizes = [size for size in SIZES if size <= 10 * effort.files]
    return [figure for size in sizes for figure in asyncio.run(_figures(size, effort.rounds))]


async def _figures(size: int, rounds: int) -> list[Figure]:
    armed, fires = [], []
    for _ in range(rounds):
        files = _files(size)
        gc.collect()
        began = time.process_time()
        clock = _Clockwork(files)
        armed.append(time.process_time() - began)
        fires.append(clock.fire(FIRES))
    targets = TARGETS.get(size, {})
    return [
        Figure(f"{size:,} schedules armed", "s", armed, targets.get("armed", "")),
        Figure(f"{size:,} schedules, each", "bytes", [_weight(size)]),
        Figure(f"a due time among {size:,}", "us", fires, targets.get("fire", "")),
    ]


def _files(size: int) -> list[tuple[JobSettings, Schedule | None]]:
    return [(settings, settings.schedule()) for settings in map(_settings, range(size))]


def _weight(size: int) -> float:
    """Return what is allocated for each schedule; a thousand would be lost in what the process has anyway."""
    files = _files(size)
    tracemalloc.start()
    clock = _Clockwork(files)
    weight = tracemalloc.get_traced_memory()[0] / size
    tracemalloc.stop()
    del clock
    return weight


def _settings(number: int) -> JobSettings:
    if number % 2:
        return JobSettings(every=3600.0 + number % 82_800)
    line = f"{number % 60} {number // 60 % 24} * * {number % 7}"
    return JobSettings(cron=line, timezone="Europe/Berlin")


class _Clockwork:
    """Jobs that are armed, and come due without being carried out."""

    def __init__(self, files: list[tuple[JobSettings, Schedule | None]]) -> None:
        self._clock = ManualClock(START)
        self._scheduler = Scheduler(clock=self._clock, on_due=self._due)
        self._gate: Gate[LiveRun] = Gate(POOL)
        self._jobs: dict[str, Job] = {}
        self._runs = 0
        # As the engine does while it starts; what the collector has put off by that is made up for here.
        with resting():
            for number, (settings, schedule) in enumerate(files):
                self._arm(f"team{number % 100}/job{number:06}", settings, schedule)
        gc.collect(0)

    def _arm(self, name: str, settings: JobSettings, schedule: Schedule | None) -> None:
        state = lifecycle.at_start(None, settings, schedule, now=START, session=1).state
        self._jobs[name] = Job(name, f"{name}.lua", state, settings, schedule)
        self._scheduler.arm(name, state.due)

    def fire(self, count: int) -> float:
        """Serve so many due times as they come, and return the processor time of one, in microseconds."""
        goal, began = self._runs + count, time.process_time()
        while self._runs < goal and (due := self._scheduler.first_due()) is not None:
            self._clock.advance(max(due - self._clock.now(), timedelta()).total_seconds())
            self._scheduler.tick(self._clock.now())
        return (time.process_time() - began) / count * 1e6

    def _due(self, name: str, due: datetime) -> None:
        job, now = self._jobs[name], self._clock.now()
        job.state = lifecycle.fired(job.state, job.schedule, due, now)
        self._scheduler.arm(name, job.state.due)
        self._runs += 1
        run = LiveRun(self._runs, job, Trigger.SCHEDULE, due, now, settings=job.settings)
        self._gate.offer(run, Overlap.COALESCE)
        self._gate.leave(run)
