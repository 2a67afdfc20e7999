"""What is put on screens: words, lines, the live view."""

from __future__ import annotations

import asyncio
import io
import logging
import os
import threading
import time
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from rich.console import Console

import engine.events
from engine.api.events import Lagged
from engine.cli.eventwords import event_lines
from engine.cli.lines import EventLines
from engine.cli.live import LiveView
from engine.cli.words import LOOKS, clean, duration, ending, one_line, short_time
from engine.events import EngineStateChanged, Event, JobChanged, RunFinished, RunLogged, RunStarted
from engine.states import Activity, JobStatus, RunStatus
from tests.engine.api.memory_engine import START, MemoryEngine, filled


def test_every_status_has_an_icon_and_no_two_job_statuses_share_one() -> None:
    assert {*JobStatus, *RunStatus, *Activity} <= set(LOOKS)
    assert len({LOOKS[status][0] for status in JobStatus}) == len(JobStatus)
    assert len({LOOKS[status][0] for status in RunStatus}) == len(RunStatus)


def test_what_a_job_writes_cannot_steer_the_terminal() -> None:
    assert clean("a\x1b[2Jb\x07\r\x9b\u202e\ud800") == r"a\x1b[2Jb\x07\r\x9b\u202e\ud800"
    assert clean("tab\tand\nline, ünï ☾ stay") == "tab\tand\nline, ünï ☾ stay"


@pytest.mark.parametrize(
    ("milliseconds", "words"),
    [
        (None, "-"),
        (0.4, "0 ms"),
        (12.4, "12 ms"),
        (1500, "1.5 s"),
        (125_000, "2m 05s"),
        (7_200_000, "120m 00s"),
    ],
)
def test_durations_are_short(milliseconds: float | None, words: str) -> None:
    assert duration(milliseconds) == words


def test_an_ending_names_status_code_and_duration() -> None:
    assert ending("COMPLETE", "OK", 12) == "COMPLETE (OK) in 12 ms"
    assert ending("CRASHED", None, None) == "CRASHED"


def test_times_of_today_have_no_date() -> None:
    noon = datetime.now().astimezone().replace(hour=12, minute=30, second=5)
    assert short_time(noon, noon) == "12:30:05"
    assert len(short_time(noon - timedelta(days=3), noon)) == len("2026-03-01 12:30")


def test_the_first_line_of_an_error_is_its_first_line_with_words() -> None:
    assert one_line("\n first \nsecond") == "first "
    assert one_line(None) == ""


def test_every_event_has_words_of_its_own() -> None:
    from engine.cli.eventwords import _SENTENCES

    kinds = {value for value in vars(engine.events).values() if isinstance(value, type)}
    events = {kind for kind in kinds if issubclass(kind, Event)} - {Event, RunLogged}
    assert events <= set(_SENTENCES)


def test_events_are_told_in_one_line_each_and_logs_line_by_line() -> None:
    logged = RunLogged(START, 3, "report", ((1, "info", "a\nb"), (2, "warn", "c")))
    finished = RunFinished(START, 3, "report", "ERROR", None, 1500, "report.lua:3: broken\ntraceback")
    assert event_lines(logged) == ["run 3 of report info: a\\nb", "run 3 of report warn: c"]
    assert event_lines(finished) == ["run 3 of report ERROR in 1.5 s: report.lua:3: broken"]
    assert event_lines(Lagged(START, 7)) == ["Lagged dropped=7"]


def test_event_lines_never_wait_for_a_reader_that_does_not_read() -> None:
    reading, writing = os.pipe()
    with open(writing, "w") as stream:
        lines = EventLines(stream)
        with lines:
            for _ in range(30_000):
                lines.put(EngineStateChanged(START, "Running", "x" * 100))
            reader = threading.Thread(target=drain, args=(reading, taken := bytearray()))
            reader.start()
            wait_until(lambda: lines._dropped == 0)
            lines.put(EngineStateChanged(START, "Stopped"))
    reader.join(10)
    text = taken.decode()
    assert "lines were dropped here: nobody read fast enough" in text
    assert text.endswith("engine Stopped\n")


def drain(descriptor: int, into: bytearray) -> None:
    with open(descriptor, "rb") as stream:
        into += stream.read()


def wait_until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 20
    while not condition():
        assert time.monotonic() < deadline


def shown(view: LiveView, engine: MemoryEngine, console: Console) -> str:
    with console.capture() as capture:
        console.print(view.picture(engine))
    return capture.get()


@pytest.mark.parametrize(("width", "height"), [(140, 40), (80, 24), (40, 10), (20, 5), (10, 2)])
async def test_the_live_view_fits_into_any_terminal(tmp_path: Path, width: int, height: int) -> None:
    console = Console(width=width, height=height, force_terminal=True, color_system=None, file=io.StringIO())
    engine, view = filled(tmp_path), LiveView(console)
    for number in range(30):
        view.take(RunStarted(START, number, "report", "manual", 1))
    lines = shown(view, engine, console).splitlines()
    assert max(map(len, lines)) <= width
    assert len(lines) <= max(height, 6)
    assert "Moon" in lines[0]


async def test_the_live_view_shows_jobs_and_the_latest_events_but_not_each_change(tmp_path: Path) -> None:
    console = Console(width=140, height=40, color_system=None, file=io.StringIO())
    view = LiveView(console)
    view.take(JobChanged(START, "report", "WAITING", "every 2m", None, "idle"))
    view.take(RunFinished(START, 3, "report", "COMPLETE", "OK", 12, None))
    text = shown(view, filled(tmp_path), console)
    assert "admin/cleanup" in text
    assert "run 3 of report COMPLETE (OK) in 12 ms" in text
    assert "job report WAITING" not in text


async def test_many_jobs_are_cut_with_a_count_of_the_rest(tmp_path: Path) -> None:
    console = Console(width=100, height=20, color_system=None, file=io.StringIO())
    engine = MemoryEngine(tmp_path)
    for number in range(500):
        engine.add(f"job{number:03}")
    text = shown(LiveView(console), engine, console)
    assert "job000" in text
    assert rest_count(text) == 500 - text.count("every 2m")


def rest_count(text: str) -> int:
    return int(text.partition("and ")[2].partition(" more")[0])


async def test_a_home_without_jobs_says_how_to_make_one(tmp_path: Path) -> None:
    console = Console(width=100, height=20, color_system=None, file=io.StringIO())
    assert "`moontide new NAME` makes one" in shown(LiveView(console), MemoryEngine(tmp_path), console)


async def test_the_engines_own_messages_stand_among_the_events(tmp_path: Path) -> None:
    console = Console(width=100, height=20, color_system=None, file=io.StringIO())
    view = LiveView(console)
    handler = view.log_handler()
    record = logging.LogRecord("moontide", logging.WARNING, "", 0, "mind the %s", ("gap",), None)
    await asyncio.to_thread(handler.emit, record)
    await asyncio.sleep(0)
    assert "warning: mind the gap" in shown(view, MemoryEngine(tmp_path), console)


async def test_the_live_view_draws_until_it_is_told_to_stop(tmp_path: Path) -> None:
    output = io.StringIO()
    view = LiveView(Console(width=100, height=20, force_terminal=True, color_system=None, file=output))
    stopped = asyncio.Event()
    task = asyncio.ensure_future(view.show(filled(tmp_path), stopped))
    async with asyncio.timeout(10):
        while "admin/cleanup" not in output.getvalue():
            await asyncio.to_thread(str)
    stopped.set()
    await asyncio.wait_for(task, 5)
    assert output.getvalue().endswith("stopping; Ctrl-C again stops at once\n")
