"""The dashboard on a real terminal: its first list, its keys, and what it costs while it is left alone.

All of it is `moontide tui` over `moontide serve` with a large folder of jobs, but for the list of 100,000
jobs: these come from `bench.crowd`, an API without an engine behind it.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from bench.crowd import crowd_in, name_of
from bench.figures import Effort, Figure, number, spread_figures
from bench.homes import MOONTIDE, Served, home_with, job_text, many_jobs, served, write_job
from bench.processes import cpu_seconds, pss_mb
from bench.terminal import Terminal, on_terminal
from engine.api.client import AsyncClient
from engine.runs.cleanup import NAME as CLEANUP

FEW = 100
CROWD = 100_000
SIZE = (120, 40)
#: Rows of the list between the bars and below its heading.
ROWS = SIZE[1] - 3

#: Jobs that run every second, with three events each: for 50 and for 200 a second. They stand on top of the
#: list, in sight.
BUSY, BUSIEST = 17, 68
#: While a dashboard settles: the runs of the past are fetched after the first list is drawn.
SETTLE_SECONDS = 3.0
#: From one key press to the next, so that they fall anywhere between two looks at the model.
BETWEEN_KEYS = 0.05

#: The background of the line under the cursor, as 256 colours have it, up to the next change of style.
_CURSOR = rb"48;5;236m[^\x1b]*"


def measure(effort: Effort) -> list[Figure]:
    """Return seconds to the first list, milliseconds of keys, and what an open dashboard costs."""
    return [*_first_lists(effort), *_with_many(effort), *_with_crowd(effort)]


def _first_lists(effort: Effort) -> list[Figure]:
    jobs = many_jobs(FEW)
    with home_with(jobs) as home, served(home):
        costs = [_first_list(home, jobs) for _ in range(effort.rounds * 3)]
    return _first_figures(f"command to the list of {FEW} jobs", costs, "< 0.6")


def _first_figures(name: str, costs: list[tuple[float, float]], target: str = "") -> list[Figure]:
    return [
        Figure(name, "s", [seconds for seconds, _ in costs], target),
        Figure(f"{name}, CPU", "s", [worked for _, worked in costs]),
    ]


def _first_list(home: Path, jobs: Mapping[str, str]) -> tuple[float, float]:
    """Return the seconds until the list was drawn, and those of a processor."""
    with _dashboard(home) as terminal:
        return _drawn(terminal, _last_in_sight(jobs))


def _last_in_sight(jobs: Mapping[str, str]) -> str:
    return sorted([*jobs, CLEANUP])[ROWS - 1]


def _drawn(terminal: Terminal, last_name: str) -> tuple[float, float]:
    seconds = terminal.seconds_until(last_name.encode(), terminal.began)
    return seconds, cpu_seconds(terminal.process.pid)


def _with_many(effort: Effort) -> list[Figure]:
    """Measure one dashboard over a large folder: at rest, with some runs, and with many."""
    jobs = many_jobs(effort.files)
    words = f"with {number(effort.files)} jobs"
    with home_with(jobs) as home, served(home) as engine:
        first = [_first_list(home, jobs) for _ in range(effort.rounds)]
        with _dashboard(home) as terminal:
            _drawn(terminal, _last_in_sight(jobs))
            terminal.bytes_within(SETTLE_SECONDS)
            idle = [_left_alone(terminal, effort) for _ in range(effort.rounds)]
            _let_run(home, engine, 0, BUSY)
            busy_events = _events_per_second(engine, effort)
            terminal.bytes_within(SETTLE_SECONDS)
            busy = [_left_alone(terminal, effort) for _ in range(effort.rounds)]
            _let_run(home, engine, BUSY, BUSIEST)
            most_events = _events_per_second(engine, effort)
            terminal.bytes_within(SETTLE_SECONDS)
            # By name: on a busy machine jobs become late, and those come first by default.
            terminal.press("s")
            moves = [_cursor_moves(terminal, effort) for _ in range(effort.rounds)]
            letters = [_filter_letters(terminal, jobs, effort) for _ in range(effort.rounds)]
            size = pss_mb(terminal.process.pid)
    busy_words, most_words = f"{words}, {busy_events:.0f} events/s", f"{words}, {most_events:.0f} events/s"
    return [
        *_first_figures(f"command to the list {words}", first),
        *_alone_figures(f"dashboard {words}, idle", idle, cpu="< 3", sent="< 5"),
        *_alone_figures(f"dashboard {busy_words}", busy, cpu="< 20"),
        *spread_figures(f"cursor key {most_words}", moves, targets={"p99": "< 50"}),
        *spread_figures(f"letter of the filter {most_words}", letters, targets={"p99": "< 50"}),
        Figure(f"dashboard {words}", "MB PSS", [size], "< 120"),
    ]


def _left_alone(terminal: Terminal, effort: Effort) -> tuple[float, float]:
    """Return what a dashboard costs that nobody touches: percent of a core, and kB/s sent."""
    pid, began = terminal.process.pid, time.perf_counter()
    before = cpu_seconds(pid)
    sent = terminal.bytes_within(effort.idle_seconds)
    seconds = time.perf_counter() - began
    return (cpu_seconds(pid) - before) / seconds * 100, sent / seconds / 1000


def _alone_figures(name: str, costs: list[tuple[float, float]], *, cpu: str, sent: str = "") -> list[Figure]:
    return [
        Figure(f"{name}, CPU", "%", [worked for worked, _ in costs], cpu),
        Figure(f"{name}, sent", "kB/s", [kilobytes for _, kilobytes in costs], sent),
    ]


def _let_run(home: Path, engine: Served, first: int, end: int) -> None:
    """Add jobs that run every second, with due times spread over it."""
    for place in range(first, end):
        name = f"a/beat{place:03}"
        write_job(home, name, job_text(settings='every = "1s"'))
        engine.client.reload(name)


def _events_per_second(engine: Served, effort: Effort) -> float:
    return asyncio.run(_count_events(engine.socket_path, effort.seconds)) / effort.seconds


async def _count_events(socket_path: Path, seconds: float) -> int:
    count = 0
    async with AsyncClient(socket_path) as client, client.events() as events:
        end = time.monotonic() + seconds
        async for _ in events:
            if time.monotonic() >= end:
                break
            count += 1
    return count


def _cursor_moves(terminal: Terminal, effort: Effort) -> list[float]:
    """Return milliseconds from the key until the line under the cursor is drawn, down a page and up again."""
    terminal.press("g")
    terminal.bytes_within(1)
    taken, place, step = [], 0, 1
    for _ in range(effort.samples):
        step = -1 if place == ROWS - 1 else 1 if place == 0 else step
        place += step
        began = time.perf_counter()
        terminal.press("j" if step > 0 else "k")
        drawn = _CURSOR + f"a/beat{place:03}".encode()
        taken.append(terminal.seconds_until(drawn, began) * 1000)
        terminal.bytes_within(BETWEEN_KEYS)
    return taken


def _filter_letters(terminal: Terminal, jobs: Mapping[str, str], effort: Effort) -> list[float]:
    """Return milliseconds from a letter in the filter until the jobs that it fits are drawn."""
    terminal.press("/")
    terminal.bytes_within(1)
    taken = []
    for _ in range(effort.samples // 10):
        for key, drawn in (("j", sorted(jobs)[0]), ("\x7f", "a/beat000")):
            began = time.perf_counter()
            terminal.press(key)
            taken.append(terminal.seconds_until(drawn.encode(), began) * 1000)
            terminal.bytes_within(BETWEEN_KEYS)
    terminal.press("\x1b")
    terminal.bytes_within(1)
    return taken


def _with_crowd(effort: Effort) -> list[Figure]:
    words = f"{number(CROWD)} jobs"
    opened, pages, sizes = [], [], []
    names = sorted(name_of(job) for job in range(CROWD))
    with home_with({}) as home, crowd_in(home, CROWD):
        for _ in range(effort.rounds):
            with _dashboard(home) as terminal:
                opened.append(_drawn(terminal, names[ROWS - 1]))
                terminal.bytes_within(SETTLE_SECONDS)
                pages.append(_pages(terminal, names, effort))
                sizes.append(pss_mb(terminal.process.pid))
    return [
        *_first_figures(f"command to the list of {words}", opened, "< 1.5"),
        *spread_figures(f"a page further among {words}", pages, targets={"p99": "< 50"}),
        Figure(f"dashboard with {words}", "MB PSS", sizes),
    ]


def _pages(terminal: Terminal, names: Sequence[str], effort: Effort) -> list[float]:
    taken = []
    for page in range(1, effort.samples // 10 + 1):
        began = time.perf_counter()
        terminal.press("\x1b[6~")
        taken.append(terminal.seconds_until(_CURSOR + names[page * ROWS].encode(), began) * 1000)
        terminal.bytes_within(BETWEEN_KEYS)
    return taken


@contextmanager
def _dashboard(home: Path) -> Iterator[Terminal]:
    """Open the dashboard as a person does who never opened it before."""
    command = [MOONTIDE, "--home", str(home), "tui"]
    with on_terminal(command, {"XDG_STATE_HOME": str(home / "state")}, size=SIZE) as terminal:
        yield terminal
