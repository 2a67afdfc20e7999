"""Thousands of scheduled jobs for a long time, with hostile jobs among them.

6,000 schedules are due once a minute each, a hundred of them in every second, while attacks run one after
another. Every planned time must be in the ledger once, every run must have ended, and the engine must stay as
it is.
"""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory

from tests.e2e.conftest import Served, job
from tests.faults.orders import Orders
from tests.faults.scene import checked
from tests.hostile import vitals
from tests.hostile.attack import Attack
from tests.hostile.campaign import opened
from tests.hostile.vitals import Vitals

SCHEDULES = 6_000
PERIOD_SECONDS = 60

#: Between two looks at the engine.
_LOOK_SECONDS = 5.0

#: What its memory may grow by from the second quarter of the time, when all caches are warm, to the last one.
MOST_GROWTH_BYTES = 64 * 2**20

_LATENESS = """
    SELECT (julianday(started) - julianday(due)) * 86400 AS late FROM run
    WHERE trigger = 'schedule' AND started IS NOT NULL ORDER BY late
"""


@dataclass
class Outcome:
    """What a crowd of jobs came to.

    Attributes:
        looks: the engine every few seconds.
        lateness_seconds: from due time to start, of each scheduled run, the shortest first.
    """

    seconds: float
    attacks: int = 0
    runs: int = 0
    times: int = 0
    looks: list[Vitals] = field(default_factory=list)
    lateness_seconds: list[float] = field(default_factory=list)
    complaints: list[str] = field(default_factory=list)

    def __str__(self) -> str:
        first, last = self._quarters(lambda one: one.memory_bytes / 2**20)
        few, many = self._quarters(lambda one: one.descriptors)
        return (
            f"{self.seconds:.0f} s, {self.runs} runs for {self.times} planned times, {self.attacks} attacks; "
            f"late by {self.late(0.5):.3f} s (median), {self.late(0.99):.3f} s (99 %); "
            f"memory {first:.0f} to {last:.0f} MB, {few:.0f} to {many:.0f} handles"
        )

    def late(self, part: float) -> float:
        """Return the lateness that this part of the runs does not exceed."""
        if not self.lateness_seconds:
            return 0.0
        return self.lateness_seconds[
            min(len(self.lateness_seconds) - 1, int(part * len(self.lateness_seconds)))
        ]

    def growth(self) -> list[str]:
        """Return what has grown; nothing if the engine stayed as it was."""
        first, last = self._quarters(lambda one: one.memory_bytes)
        few, many = self._quarters(lambda one: one.descriptors)
        found = []
        if last - first > MOST_GROWTH_BYTES:
            found.append(f"the engine's memory grew from {first:.0f} to {last:.0f} bytes")
        if many - few > vitals.MOST_POOLED:
            found.append(f"the engine's open sockets and handles grew from {few:.0f} to {many:.0f}")
        return found

    def _quarters(self, of: Callable[[Vitals], float]) -> tuple[float, float]:
        """Return the medians of the second quarter of the time and of the last one."""
        values = [of(one) for one in self.looks]
        size = len(values) // 4
        if not size:
            return (0.0, 0.0)
        return median(values[size : 2 * size]), median(values[-size:])


def carry_out(attacks: Sequence[Attack], seed: int, seconds: float, schedules: int = SCHEDULES) -> Outcome:
    """Let the crowd run for a time, with attacks among it, and judge."""
    outcome, names = Outcome(seconds), [f"crowd/{number}" for number in range(schedules)]
    files = {name: _file(number) for number, name in enumerate(names)}
    with opened(attacks, more=files) as campaign, TemporaryDirectory(prefix="mw-") as folder:
        stopped = threading.Event()
        looking = threading.Thread(target=_look, args=(campaign.served, stopped, outcome.looks))
        looking.start()
        try:
            campaign.for_a_while(seed, seconds)
        finally:
            stopped.set()
            looking.join()
        report = campaign.conclude()
        campaign.served.stop()
        outcome.attacks = report.tried
        outcome.complaints += [*report.complaints, *outcome.growth()]
        _check(Path(folder), campaign.served.home.path / "moontide.db", names, outcome)
    return outcome


def _file(number: int) -> str:
    return job("return job.OK", f'cron = "{number % PERIOD_SECONDS} * * * * *"')


def _look(served: Served, stopped: threading.Event, looks: list[Vitals]) -> None:
    while not stopped.wait(_LOOK_SECONDS):
        looks.append(vitals.take(served))


def _check(folder: Path, database: Path, names: Sequence[str], outcome: Outcome) -> None:
    orders, seen = folder / "orders.json", folder / "sightings"
    Orders(every=dict.fromkeys(names, float(PERIOD_SECONDS))).write(orders)
    seen.touch()
    verdict = checked(orders, seen, database)
    outcome.runs, outcome.times = verdict.runs, verdict.times
    outcome.complaints += verdict.complaints
    with closing(sqlite3.connect(database)) as connection:
        outcome.lateness_seconds = [late for (late,) in connection.execute(_LATENESS)]
