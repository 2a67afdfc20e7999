"""`python -m bench.check`: hold what the code costs against `budget.toml`, and name what got worse."""

from __future__ import annotations

import argparse
import asyncio
import os
import sys
import time
from collections import defaultdict
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path

from bench import journal, timing
from bench.budget import BudgetError, judge, read_budgets
from bench.driver import Driver
from bench.figures import Effort
from bench.floors import commits_per_second, loop_seconds, start_seconds
from bench.homes import MOONTIDE, engine_in, home_with, job_text, own_jobs
from bench.processes import cpu_seconds, family_of

BUDGET = Path(__file__).with_name("budget.toml")

AT_ONCE = 10
#: In a round; a worker is replaced after some hundred runs.
LOOKS = 40
ROUND = Effort(rounds=1, seconds=2.0, lateness_seconds=0, idle_seconds=0, samples=0, files=1_000)

#: What is told of a round: figures by name, each divided by its floor.
Ratios = Mapping[str, float]


def main() -> int:
    """Measure, and return 1 if a budget is not kept."""
    parser = argparse.ArgumentParser(prog="make bench-check", description="Find what became slower.")
    parser.add_argument("--rounds", type=int, default=5, help="of each measurement; the best one counts (5)")
    rounds = parser.parse_args().rounds
    try:
        verdicts = judge(read_budgets(BUDGET.read_text("utf-8")), _measured(rounds))
    except BudgetError as error:
        print(f"{BUDGET.name}: {error}", file=sys.stderr)
        return 2
    print("\n".join(map(str, verdicts)))
    return int(not all(verdict.kept for verdict in verdicts))


def _measured(rounds: int) -> dict[str, list[float]]:
    ratios: dict[str, list[float]] = defaultdict(list)
    for _ in range(rounds):
        for measure in MEASURES:
            for name, ratio in measure().items():
                ratios[name].append(ratio)
    return ratios


def _beside(floor: Callable[[], float], measure: Callable[[], float]) -> float:
    """Return a figure divided by the middle of its floor before and after."""
    before = floor()
    figure = measure()
    return 2 * figure / (before + floor())


def runs() -> Ratios:
    """Measure the processor time of 1,000 trivial runs, of the engine and of its workers."""
    before = loop_seconds()
    engine, workers = asyncio.run(_run_costs())
    floor = (before + loop_seconds()) / 2
    return {
        "1,000 trivial runs, the engine": engine / floor,
        "1,000 trivial runs, the workers": workers / floor,
    }


async def _run_costs() -> tuple[float, float]:
    """Return the processor seconds of engine and workers for 1,000 runs, with ten at once."""
    jobs = {f"job{number}": job_text() for number in range(AT_ONCE)}
    with home_with(jobs, f"pool.size = {AT_ONCE}") as home:
        async with engine_in(home) as engine:
            driver = Driver(engine, own_jobs(engine))
            driver.start()
            await driver.rate(1)
            watch = _Watch()
            committed, own, others = driver.committed, time.process_time(), watch.workers_seconds()
            for _ in range(LOOKS):
                await driver.rate(ROUND.seconds / LOOKS)
                watch.workers_seconds()
            done = driver.committed - committed
            costs = time.process_time() - own, watch.workers_seconds() - others
            await driver.stop()
    if driver.failed:
        raise RuntimeError(f"{driver.failed} of {driver.committed} runs failed")
    return costs[0] / done * 1000, costs[1] / done * 1000


class _Watch:
    """Adds up the processor time of all workers; the kernel forgets that of those that were replaced."""

    def __init__(self) -> None:
        self._seen: dict[int, float] = {}

    def workers_seconds(self) -> float:
        """Return the processor time of all workers so far, as far as it was looked at."""
        for pid in family_of(os.getpid()).workers:
            # One may end between the list and the look.
            with suppress(FileNotFoundError, ProcessLookupError):
                self._seen[pid] = cpu_seconds(pid)
        return sum(self._seen.values())


def schedules() -> Ratios:
    """Measure the processor time to arm 10,000 schedules, and of 1,000 due times among them."""
    before = loop_seconds()
    figures = {figure.name: figure.values[0] for figure in timing.measure(ROUND)}
    floor = (before + loop_seconds()) / 2
    return {
        "10,000 schedules armed": figures["10,000 schedules armed"] / floor,
        "1,000 due times among 10,000": figures["a due time among 10,000"] / 1000 / floor,
    }


def commits() -> Ratios:
    """Measure the journal's commits per second, one after another."""
    return {
        "commits of the journal": _beside(commits_per_second, lambda: journal.measure(ROUND)[0].values[0])
    }


def commands() -> Ratios:
    """Measure the processor time of a command without an engine."""
    with home_with({}) as home:
        status = lambda: start_seconds(MOONTIDE, "--home", str(home), "status")  # noqa: E731
        return {"`moontide status` without an engine": _beside(start_seconds, status)}


MEASURES: tuple[Callable[[], Ratios], ...] = (runs, schedules, commits, commands)


if __name__ == "__main__":
    sys.exit(main())
