"""Plots over time from plain characters: pure functions from runs to lines.

Each says with signs and numbers what it shows; colour only helps.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from engine.states import FAILED, FINAL
from engine.views import RunView
from tui import words
from tui.bars import Part, ProseLine
from tui.plots import BLOCKS, FAILURE, height

RUNNING = "█"
SKIPPED = "»"
NOTHING = "·"


@dataclass(frozen=True, slots=True)
class Span:
    """A span of time, drawn in so many columns."""

    since: datetime
    until: datetime
    columns: int

    def column(self, when: datetime) -> int:
        """Return the column of a moment; outside the span one that lies outside too."""
        return int((when - self.since) // self.step)

    @property
    def step(self) -> timedelta:
        """The time that one column stands for."""
        return (self.until - self.since) / self.columns

    def columns_of(self, run: RunView, now: datetime) -> range:
        """Return the columns in which a run went on."""
        began = run.started or run.finished or run.due
        ended = run.finished or now
        first, last = self.column(began), self.column(max(began, ended))
        return range(max(0, first), min(self.columns - 1, last) + 1)


def time_axis(span: Span) -> str:
    """Return the times below a plot, as many as have room."""
    length = span.until - span.since
    form = (
        "%d.%m." if length > timedelta(days=2) else "%H:%M" if length > timedelta(minutes=20) else "%H:%M:%S"
    )
    line = [" "] * span.columns
    for column in range(0, span.columns - 8, 12):
        when = (span.since + column * span.step).astimezone()
        for at, char in enumerate(when.strftime(form)):
            line[column + at] = char
    return "".join(line)


def timeline_rows(runs: Iterable[RunView], span: Span, now: datetime) -> list[tuple[str, str]]:
    """Return a row for each job that ran in a span, the ones that began first at the top.

    Where several runs of a job fall into one column, a failure is what is drawn.
    """
    rows: dict[str, list[str]] = {}
    for run in sorted(runs, key=lambda run: (run.started or run.due, run.id)):
        columns = span.columns_of(run, now)
        if not columns:
            continue
        row = rows.setdefault(run.job, [NOTHING] * span.columns)
        for column in columns:
            row[column] = row[column] if row[column] == FAILURE else RUNNING
        if run.status in FAILED:
            row[columns[-1]] = FAILURE
        elif (
            run.started is None and run.status in FINAL and row[columns[-1]] == RUNNING and len(columns) == 1
        ):
            row[columns[-1]] = SKIPPED
    return [(job, "".join(row)) for job, row in rows.items()]


def most_at_once(runs: Sequence[RunView], span: Span, now: datetime) -> list[int]:
    """Return for each column how many runs went on at the same time, where there were most."""
    steps = [(run.started, 1) for run in runs if run.started is not None]
    steps += [(run.finished or now, -1) for run in runs if run.started is not None]
    counts, going, at = [0] * span.columns, 0, 0
    for when, step in sorted(steps):
        column = max(0, min(span.columns - 1, span.column(when)))
        for passed in range(at, column + 1):
            counts[passed] = max(counts[passed], going)
        going, at = going + step, column
        if span.since <= when <= span.until:
            counts[column] = max(counts[column], going)
    return counts


def bars(values: Sequence[float], rows: int) -> list[str]:
    """Return values as columns of so many rows, the topmost row first; zero is blank."""
    most = max(values, default=0)
    return ["".join(_cell(value, most, row, rows) for value in values) for row in reversed(range(rows))]


def _cell(value: float, most: float, row: int, rows: int) -> str:
    if value <= 0 or most <= 0:
        return " "
    # The least that there is can be seen.
    steps = max(1, round(value / most * rows * len(BLOCKS)))
    here = min(len(BLOCKS), steps - row * len(BLOCKS))
    return BLOCKS[here - 1] if here > 0 else " "


def duration_lines(runs: Sequence[RunView], width: int, rows: int) -> list[ProseLine]:
    """Plot how long runs took, the newest at the right; ✗ below one that failed.

    Args:
        runs: the newest first.
        width: of the whole plot, its labels among it.
    """
    shown = [run for run in reversed(runs) if run.status in FINAL and run.duration_ms is not None]
    shown = shown[-(width - LABEL) :]
    if not shown:
        return [[("no run has ended so far; r runs the job", "faint")]]
    took = [run.duration_ms or 0.0 for run in shown]
    labels = [words.duration(max(took)), *[""] * (rows - 2), "0"]
    lines: list[ProseLine] = [
        [(f"{label:>{LABEL - 2}} ", "faint"), (line, "busy")]
        for label, line in zip(labels, bars(took, rows), strict=True)
    ]
    marks = "".join(FAILURE if run.status in FAILED else " " for run in shown)
    return [*lines, [(f"{'failed':>{LABEL - 2}} ", "faint"), (marks, "bad")], _first_and_last(shown)]


#: Room at the left of plots for what the rows mean.
LABEL = 10


def _first_and_last(shown: Sequence[RunView]) -> ProseLine:
    first, last = (words.moment(run.finished) for run in (shown[0], shown[-1]))
    return [(" " * (LABEL - 1), ""), (f"{first}  to  {last}, {words.plural(len(shown), 'run')}", "faint")]


def outcome_lines(runs: Iterable[RunView], span: Span) -> list[ProseLine]:
    """Plot how many runs ended well and how many failed, over a span of time."""
    counts = {"complete": [0] * span.columns, "failed": [0] * span.columns, "other": [0] * span.columns}
    for run in runs:
        at = -1 if run.finished is None else span.column(run.finished)
        if 0 <= at < span.columns:
            counts[_kind(run)][at] += 1
    shades = {"complete": "ok", "failed": "bad", "other": "late"}
    lines: list[ProseLine] = [
        [
            (f"{kind:>{LABEL - 2}} ", "faint"),
            (bars(each, 1)[0], shades[kind]),
            (f" {sum(each)}", shades[kind]),
        ]
        for kind, each in counts.items()
    ]
    return [*lines, [(" " * (LABEL - 1), ""), (time_axis(span), "faint")]]


def _kind(run: RunView) -> str:
    if run.status in FAILED:
        return "failed"
    return "complete" if run.status == "COMPLETE" else "other"


def failure_map(runs: Iterable[RunView], now: datetime, days: int) -> list[ProseLine]:
    """Return how many runs failed in each hour of the last days: a row for each day, the newest first.

    Times are those of the reader's zone. The numbers themselves stand there; from 100 on, 99.
    """
    today = now.astimezone().date()
    counts: Counter[tuple[int, int]] = Counter()
    for run in runs:
        if run.status in FAILED and run.finished is not None:
            when = run.finished.astimezone()
            counts[(today - when.date()).days, when.hour] += 1
    most = max(counts.values(), default=0)
    head = "".join(f" {hour:02}" for hour in range(24))
    lines: list[ProseLine] = [[(" " * len("01.01"), ""), (head, "faint")]]
    for day in range(days):
        name = (today - timedelta(days=day)).strftime("%d.%m")
        cells = [_heat(counts[day, hour], most) for hour in range(24)]
        lines.append([(name, "faint"), *cells])
    return lines


def _heat(count: int, most: int) -> Part:
    if not count:
        return f" {NOTHING:>2}", "faint"
    shades = ("calm", "late", "bad")
    return f" {min(count, 99):>2}", shades[height(count, most, len(shades))]
