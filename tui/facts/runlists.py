"""How runs stand in lists and on pages."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

import msgspec

from engine.states import FINAL
from engine.views import RunView
from tui.look import words
from tui.lua.tokens import coloured
from tui.model.board import Board
from tui.widgets.bars import ProseLine
from tui.widgets.grid import Cell, Column


def status_of(run: RunView) -> Cell:
    """Return a run's status with its icon."""
    look = words.look(run.status)
    return f"{look.icon} {run.status.lower()}", look.shade


def note(run: RunView) -> Cell:
    """Return what went wrong in a run, or how it waits for its turn."""
    return (words.first_line(run.error), "bad") if run.error else (words.clean(run.wait), "busy")


def took(run: RunView, board: Board) -> str:
    """Return how long a run took, or takes already."""
    if run.status in FINAL or run.started is None:
        return words.duration(run.duration_ms)
    seconds = int((board.now() - run.started).total_seconds())
    return words.duration(seconds * 1000) if seconds > 0 else "0s"


def run_columns(board: Board, *, with_job: bool) -> tuple[Column[RunView], ...]:
    """Return the columns of a list of runs."""
    job: Column[RunView] = Column("JOB", 19, 1, lambda run: (words.clean(run.job), ""))

    def started(run: RunView) -> Cell:
        return words.near_moment(run.started or run.due, board.now()), "calm"

    return (
        Column("RUN", 7, 2, lambda run: (str(run.id), "faint"), right=True),
        *((job,) if with_job else ()),
        Column("STATUS", 11, 1, status_of),
        Column("STARTED", 11, 4, started),
        Column("TOOK", 6, 3, lambda run: (took(run, board), "calm"), right=True),
        Column("TRY", 3, 7, lambda run: (str(run.attempt), "faint"), right=True),
        Column("BY", 8, 6, lambda run: (words.clean(run.trigger), "faint")),
        Column("RETURNED", 8, 8, lambda run: (words.clean(run.returned or "—"), "calm")),
        Column("NOTE", 10, 0, note),
    )


def facts(run: RunView, board: Board) -> list[ProseLine]:
    """Return what is known of a run beside its log: a line for each fact."""
    pairs = (
        ("job", run.job),
        ("waits", run.wait),
        ("trigger", f"{run.trigger}, attempt {run.attempt}"),
        ("due", words.moment(run.due)),
        ("started", words.moment(run.started)),
        ("finished", words.moment(run.finished)),
        ("took", took(run, board)),
        ("worker", run.worker or ""),
        ("CPU time", words.duration(run.cpu_ms)),
        ("memory", words.size(run.peak_memory_bytes)),
        ("retry of", f"run {run.rescheduled_from}" if run.rescheduled_from else ""),
        ("asked by", f"run {run.called_by}" if run.called_by else ""),
        ("schedule", f"{run.schedule_id}, given at run time" if run.schedule_id else ""),
        ("version", run.version or ""),
        ("user", str(run.user_id) if run.user_id else ""),
        ("returned", run.returned or ""),
    )
    first: ProseLine = [(f"{'status':<10}", "faint"), status_of(run)]
    return [first, *([(f"{name:<10}", "faint"), (words.clean(value), "")] for name, value in pairs if value)]


def values(run: RunView) -> list[ProseLine]:
    """Return error, data, result and info of a run, each under its heading."""
    lines: list[ProseLine] = []
    if run.error:
        first, *rest = words.clean(run.error.strip()).splitlines()
        lines += [[("ERROR", "head")], [(f"✗ {first}", "bad")], *([(line, "calm")] for line in rest), []]
    if run.problems:
        lines += [[("PROBLEMS", "head")], *map(_problem, run.problems), []]
    for name, value in (("DATA", run.data), ("RESULT", run.result), ("INFO", run.info)):
        if value is not None:
            lines += [[(name, "head")], *pretty(value), []]
    if run.result_note:
        lines += [[("RESULT", "head")], [(words.clean(run.result_note), "late")]]
    if run.superseded:
        lines += [[], [("SUPERSEDED: reported too late to count", "head")]]
        lines += [line for late in run.superseded for line in _superseded(late)]
    return lines


def _superseded(late: dict[str, Any]) -> list[ProseLine]:
    """Return an end of a run that was given up before: its status, who reported it and when, its error."""
    look = words.look(late["status"])
    when = words.moment(datetime.fromisoformat(late["at"]))
    first: ProseLine = [
        (f"{look.icon} {late['status'].lower()}", look.shade),
        (words.clean(f" by {late['worker']} at {when}"), "calm"),
    ]
    return [first, *([(line, "calm")] for line in words.clean(late.get("error") or "").splitlines())]


def _problem(problem: dict[str, str]) -> ProseLine:
    look = words.look(problem.get("level", ""))
    code = f"{problem['code']}: " if problem.get("code") else ""
    return [(f"{look.icon} {words.clean(code + problem.get('text', ''))}", look.shade)]


#: A value that takes no more is written on one line.
SHORT_VALUE = 60


def pretty_pair(name: str, value: object) -> list[ProseLine]:
    """Return a value with its name: beside it if it is short, else below it as indented JSON."""
    short = msgspec.json.encode(value).decode()
    if len(short) <= SHORT_VALUE:
        spaced = msgspec.json.format(short, indent=0)
        return [[(f"{name:<10}", "faint"), (words.clean(spaced), "")]]
    return [[(name, "faint")], *pretty(value)]


def pretty(value: object) -> list[ProseLine]:
    """Return a value as indented JSON."""
    text = msgspec.json.format(msgspec.json.encode(value), indent=2).decode()
    return [[(words.clean(line), "")] for line in text.splitlines()]


def numbered(
    text: str, *, marked: int | None = None, only: Callable[[int], bool] = lambda _: True
) -> list[ProseLine]:
    """Return Lua code in colours with line numbers.

    Args:
        marked: the number of a line to point at.
        only: which line numbers to return.
    """
    lines: list[ProseLine] = []
    for number, parts in enumerate(coloured(words.clean(text)), 1):
        if only(number):
            lead = ("▶", "bad") if number == marked else (" ", "")
            lines.append([lead, (f"{number:>4} ", "bad" if number == marked else "faint"), *parts])
    return lines


def around(line: int, lines: int = 3) -> Callable[[int], bool]:
    """Return which line numbers are near a line."""
    return lambda number: abs(number - line) <= lines
