"""Walks through the screens that are about one thing, and the keys that hold everywhere."""

from __future__ import annotations

from collections.abc import Iterable
from typing import ClassVar

from tests.tui.walks.hand import Hand, Walk
from tui.app import Dashboard
from tui.page import Page
from tui.screens.charts import ChartsScreen
from tui.screens.enginepage import EngineScreen
from tui.screens.help import HelpScreen
from tui.screens.job import JobScreen
from tui.screens.jobactions import JobActions
from tui.screens.module import ModuleScreen
from tui.screens.report import ReportScreen
from tui.screens.run import RunScreen

#: What stands on each screen that a key opens from everywhere, and on no other one.
PLACES = {
    "question_mark": "hold Shift to select text",
    "h": "the newest first",
    "u": "the next runs of all jobs",
    "A": "what is wrong with jobs now",
    "b": "jobs that are switched and paused together",
    "c": "given at run time and in force",
    "a": "what operators did",
    "C": "at once, most",
    "w": "what became of planned times",
    "L": "modules that jobs share",
    "P": "what adds to the engine",
    "comma": "they are read when it starts",
    "i": "as it stands now",
    "W": "engines and workers that share the database",
    "Z": "Pause the whole engine?",
    "ctrl+r": "Cancel",
    "ctrl+p": "Search",
    "q": "Stop the engine and quit?",
    "ctrl+q": "Stop the engine and quit?",
    "ctrl+c": "Stop the engine and quit?",
}


async def everywhere(hand: Hand) -> None:
    for key, words in PLACES.items():
        await hand.does(key, words)
        await hand.press("escape")
        await hand.seat.gone(words)
    await hand.does("t", moves=lambda: hand.seat.app.theme)
    # What it mends is on the terminal alone, not on what the dashboard knows of it.
    await hand.does("ctrl+l")


async def page(hand: Hand) -> None:
    await hand.does("escape", gone="the next runs of all jobs")


async def help_screen(hand: Hand) -> None:
    await hand.does("q", gone="hold Shift to select text")


CALLS = [
    {
        "call": "mysql.select",
        "at_ms": 3.5,
        "count": 2,
        "ms": 41.0,
        "longest_ms": 40.25,
        "failed": 1,
        "error": "the server is gone",
    }
]


async def charts(hand: Hand) -> None:
    await hand.does("2", "most failures")
    await hand.does("1", "at once, most")
    for key in ("left", "right", "minus", "plus"):
        await hand.does(key, moves=lambda: hand.seat.lines[1])
    await hand.does("tab", "most failures")
    await hand.does("y", "copied: the chart as text")


async def engine(hand: Hand) -> None:
    await hand.does("y", "copied: this page")


async def job(hand: Hand) -> None:
    await hand.does("2", "STARTED")
    await hand.does("3", "return job")
    await hand.does("4", "what an operator says")
    await hand.does("5", "PLANNED FOR")
    await hand.does("6", "v sets or clears it")
    await hand.does("7", gone="v sets or clears it")
    await hand.does("1", "run 6 ended ERROR")
    await hand.does("tab", "STARTED")
    await hand.does("v", "State data of report")
    await hand.back("v sets or clears it")
    await hand.press("1")
    await hand.does("y", "copied: report.lua:8")


async def job_actions(hand: Hand) -> None:
    hand.change_run(22, job="report")
    for key, words in {
        "R": "Run report with data",
        "z": "Pause report?",
        "x": "Acknowledge that report is failing?",
        "K": "Cancel run 22 of report?",
        "e": "Ln 1, Col 1",
        "o": "› settings",
        "d": "Delete report?",
        "l": "runs › ",
    }.items():
        await hand.does(key, words)
        await hand.press("escape")
        await hand.seat.gone(words)
    await hand.does("E", "only where")
    await hand.does("p", "report activated")
    await hand.does("r", "report started")


async def module(hand: Hand) -> None:
    await hand.press("l")
    await hand.reads("return {}")
    await hand.does("y", "copied: 1 line")


class Counting(ReportScreen):
    """A plugin's screen that counts how often it was asked."""

    EVERY_SECONDS: ClassVar[float] = 3600.0
    asked = 0

    async def report(self) -> Iterable[str]:
        self.asked += 1
        return [f"asked {self.asked} times"]


async def report(hand: Hand) -> None:
    app = hand.seat.app
    app.push_screen(Counting(app.context, "Counts"))
    await hand.reads("asked 1 times")
    await hand.does("r", "asked 2 times")


async def run_22(hand: Hand) -> None:
    await hand.press("g", "down", "enter")
    await hand.reads("runs › 22", "line 30")


async def run(hand: Hand) -> None:
    hand.change_run(22, rescheduled_from=19, called_by=6, calls=CALLS)
    hand.change_run(16, rescheduled_from=22, trigger="retry", job="till")
    await run_22(hand)
    await hand.does("2", "retry of")
    await hand.does("3", "return job")
    await hand.does("4", "local broken = 1")
    await hand.does("5", "✗ 1 failed: the server is gone")
    await hand.does("1", "line 30")
    await hand.does("tab", "retry of")
    await hand.press("1")
    await hand.does("slash", "Enter keeps it")
    await hand.seat.type("line 1")
    await hand.press("enter")
    await hand.does("N", moves=lambda: hand.text)
    await hand.does("n", moves=lambda: hand.text)
    await hand.does("v", "only info and above")
    await hand.press("v", "v", "v", "home")
    await hand.seat.gone("line 30")
    await hand.does("f", "line 30")
    await hand.does("K", "Cancel run 22 of till?")
    await hand.back("line 30")
    await hand.does("X", "Run till with data")
    await hand.back("line 30")
    await hand.does("O", "runs › 6")
    await hand.back("runs › 22")
    await hand.does("o", "jobs › till")
    await hand.back("runs › 22")
    await hand.does("y", "copied: 30 lines of the log")
    await hand.does("x", "runs › 24")
    await hand.back("runs › 22")
    await hand.does("left_square_bracket", "runs › 19")
    await hand.back("the newest first")
    await hand.press("down")
    await run_22_again(hand)
    await hand.does("right_square_bracket", "runs › 16")


async def run_22_again(hand: Hand) -> None:
    """Open run 22 from the list, where run 24 stands above it by now."""
    grid = hand.seat.app.screen.query_one("#runs")
    await hand.press("g")
    while grid.cursor_row.id != 22:  # type: ignore[attr-defined]
        await hand.press("down")
    await hand.press("enter")
    # With its job in the title the run is fetched, and the keys know where they lead.
    await hand.reads("runs › 22  till")


WALKS = {
    Dashboard: Walk("jobs", everywhere, options={"owns_engine": True}),
    Page: Walk("coming", page),
    HelpScreen: Walk("help", help_screen),
    ChartsScreen: Walk("charts-timeline", charts),
    EngineScreen: Walk("engine", engine),
    JobScreen: Walk("job-overview", job),
    JobActions: Walk("job-overview", job_actions),
    ModuleScreen: Walk("library", module),
    ReportScreen: Walk("jobs", report),
    RunScreen: Walk("runs", run, size=(80, 24)),
}
