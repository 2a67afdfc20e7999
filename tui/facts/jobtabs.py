"""What the tabs on the page of a job say, in lines."""

from __future__ import annotations

from engine.times.quantities import compact_duration, format_size
from engine.views import JobView, ListedJob
from tui.charts.plots import percentile
from tui.facts.jobfacts import schedule_lines, state_lines
from tui.facts.jobsummary import error_lines, job_summary
from tui.facts.runlists import around, numbered, pretty
from tui.look import words
from tui.lua.tokens import error_line
from tui.model.board import Board
from tui.model.jobdata import JobData
from tui.widgets.bars import ProseLine


def overview_lines(job: ListedJob, data: JobData, board: Board) -> list[ProseLine]:
    """Say how a job stands; why it failed comes first, so that a small screen holds it."""
    error = error_lines(job.error)
    summary = list(job_summary(job, board)[1:])
    summary = summary[: len(summary) - len(error)]
    parting = summary.index([])
    given = schedule_lines(data.given, board)
    return [
        *summary[:parting],
        *error,
        *_broken_code(job, data),
        *summary[parting:],
        *given,
        *_durations(data),
        *_next_lines(data, board),
    ]


def _durations(data: JobData) -> list[ProseLine]:
    took = [run.duration_ms for run in data.runs if run.duration_ms is not None]
    if not took:
        return []
    shares = (("min", 0.0), ("p50", 0.5), ("p95", 0.95), ("max", 1.0))
    figures = [f"{name} {words.duration(percentile(took, share))}" for name, share in shares]
    return [[("took      ", "faint"), ("  ".join(figures), "")]]


def _next_lines(data: JobData, board: Board) -> list[ProseLine]:
    if not data.coming:
        return []
    lines: list[ProseLine] = [[], [("next runs", "faint")]]
    for view in data.coming:
        notes = words.clean(", ".join(view.notes))
        until = words.until(view.due, board.now())
        lines.append([(f"  {words.moment(view.due)}", ""), (f"  {until:<10}", "faint"), (notes, "late")])
    return lines


def _broken_code(job: ListedJob, data: JobData) -> list[ProseLine]:
    line = error_line(job.error)
    if line is None or not data.source:
        return []
    return [[], *numbered(data.source, marked=line, only=around(line))]


def code_lines(job: ListedJob, data: JobData, board: Board) -> list[ProseLine]:
    """Show the text of the file, with the line of the last error marked."""
    if not data.source:
        return [[("the file cannot be read; it may be gone", "late")]]
    return numbered(data.source, marked=error_line(job.error))


def settings_lines(job: ListedJob, data: JobData, board: Board) -> list[ProseLine]:
    """List the settings that count with where each comes from, what somebody gave first."""
    view = data.view
    if view is None:
        return []
    if not view.settings:
        return [[("the file does not load, so that its settings are not known", "late")]]
    names = sorted(view.settings, key=lambda name: _ORIGINS.index(view.origins.get(name, "default")))
    width = max(map(len, view.settings)) + 2
    return [*(_setting_line(view, name, width) for name in names), [], [_ORIGIN_HELP]]


#: Settings whose numbers are seconds, and those whose numbers are bytes.
SECONDS = frozenset({"every", "jitter", "timeout", "retry_delay", "retry_max_delay", "remove_after"})
BYTES = frozenset({"memory"})

_ORIGINS = ("operator", "file", "default")
_ORIGIN_SHADES = {"operator": "late", "file": "", "default": "faint"}
_ORIGIN_HELP = ("o changes what the file says; `moontide set` and `unset` what an operator says", "faint")


def _setting_line(job: JobView, name: str, width: int) -> ProseLine:
    origin = job.origins.get(name, "default")
    lead = [(f"{name:<{width}}", "faint"), (f"{origin:<10}", _ORIGIN_SHADES[origin])]
    value = (_value(name, job.settings[name]), "faint" if origin == "default" else "")
    if name not in job.replaced:
        return [*lead, value]
    return [*lead, value, (f"   the file says {_value(name, job.replaced[name])}", "faint")]


def _value(name: str, value: object) -> str:
    if isinstance(value, int | float) and not isinstance(value, bool):
        if name in SECONDS:
            return compact_duration(value)
        if name in BYTES:
            return format_size(int(value))
    return value if isinstance(value, str) and value.isprintable() and value else shown(value)


def lines_of_state(job: ListedJob, data: JobData, board: Board) -> list[ProseLine]:
    """Show what the job keeps from one run to the next."""
    return [*state_lines(data.states), [("v sets or clears it", "faint")]]


def shown(value: object) -> str:
    """Return the value of a setting on one line, a dash for none."""
    if value in (None, "", [], {}):
        return "—"
    return " ".join("".join(part for part, _ in line).strip() for line in pretty(value))
