"""Plots over time from plain characters: pure functions from runs to lines.

Each says with signs and numbers what it shows; colour only helps.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta

from engine.states import FAILED, FINAL
from engine.views import FailuresView, JobTimelineView, RunView
from tui.charts.plots import BLOCKS, FAILURE, height
from tui.look import words
from tui.widgets.bars import Part, ProseLine

RUNNING = "█"
SKIPPED = "»"
NOTHING = "·"

#: What the engine says of a part of a timeline.
_RAN, _FAILED, _SKIPPED = "ran", "failed", "skipped"


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


#: How dates stand where there is little room.
DATE = "%m-%d"

_MINUTE, _HOUR, _DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)

#: What the times below a plot may be apart: whole seconds, minutes, hours and days, as clocks have them.
STEPS = (
    *(timedelta(seconds=count) for count in (1, 5, 10, 30)),
    *(_MINUTE * count for count in (1, 5, 10, 15, 30)),
    *(_HOUR * count for count in (1, 2, 3, 6, 12)),
    *(_DAY * count for count in (1, 2, 7, 14, 28)),
)


def time_axis(span: Span) -> str:
    """Return the times below a plot: round ones of the reader's zone, as many as have room."""
    apart = next((step for step in STEPS if step >= span.step * (_label_width(step) + 2)), STEPS[-1])
    line = [" "] * span.columns
    for when in _round_times(span, apart):
        column, label = span.column(when), _label(when, apart)
        if 0 <= column <= span.columns - len(label):
            line[column : column + len(label)] = label
    return "".join(line)


def _round_times(span: Span, apart: timedelta) -> Iterator[datetime]:
    """Return the times of a span that are whole steps from midnight, or whole days from the first one."""
    when = datetime.combine(span.since.astimezone().date(), time())
    last = span.until.astimezone().replace(tzinfo=None)
    while when <= last:
        yield when.astimezone()
        when += apart


def _label(when: datetime, apart: timedelta) -> str:
    """Return a time below a plot; at midnight the date that begins."""
    if when.time() == time() or apart >= _DAY:
        return when.strftime(DATE)
    return when.strftime("%H:%M:%S" if apart < _MINUTE else "%H:%M")


def _label_width(apart: timedelta) -> int:
    return len("00:00:00" if apart < _MINUTE else "00:00")


def timeline_rows(jobs: Iterable[JobTimelineView], columns: int) -> list[tuple[str, str]]:
    """Return a row for each job that ran in a span.

    Where several runs of a job fall into one column, a failure is what is drawn, and then one that ran.
    """
    return [(job.job, _timeline_row(job, columns)) for job in jobs]


def _timeline_row(job: JobTimelineView, columns: int) -> str:
    row = [NOTHING] * columns
    for kind, sign in ((_SKIPPED, SKIPPED), (_RAN, RUNNING), (_FAILED, RUNNING)):
        for part in job.parts:
            if part.what == kind:
                row[part.first : part.last + 1] = sign * (part.last + 1 - part.first)
    for part in job.parts:
        if part.what == _FAILED:
            row[part.last] = FAILURE
    return "".join(row)


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


def days_before(now: datetime, days: int) -> datetime:
    """Return where the first of the last days begins in the reader's zone, today among them."""
    first = now.astimezone().date() - timedelta(days=days - 1)
    return datetime.combine(first, time()).astimezone()


def failure_map(failures: FailuresView, step: timedelta, now: datetime, days: int) -> list[ProseLine]:
    """Return how many runs failed in each hour of the last days: a row for each day, the newest first.

    Times are those of the reader's zone. The numbers themselves stand there; from 100 on, 99.

    Args:
        step: the length of the steps in which they were counted, from `days_before` on.
    """
    today, since = now.astimezone().date(), days_before(now, days).astimezone(UTC)
    counts: Counter[tuple[int, int]] = Counter()
    for one in failures.steps:
        when = (since + one.step * step).astimezone()
        counts[(today - when.date()).days, when.hour] += one.count
    most = max(counts.values(), default=0)
    head = "".join(f" {hour:02}" for hour in range(24))
    lines: list[ProseLine] = [[(" " * len("01-01"), ""), (head, "faint")]]
    for day in range(days):
        name = (today - timedelta(days=day)).strftime(DATE)
        cells = [_heat(counts[day, hour], most) for hour in range(24)]
        lines.append([(name, "faint"), *cells])
    return lines


def _heat(count: int, most: int) -> Part:
    if not count:
        return f" {NOTHING:>2}", "faint"
    shades = ("calm", "late", "bad")
    return f" {min(count, 99):>2}", shades[height(count, most, len(shades))]
