"""The list of jobs: home."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime
from typing import Any, ClassVar

from textual import on, work
from textual.binding import Binding, BindingType
from textual.containers import Horizontal
from textual.widget import Widget
from textual.widgets import Input

from engine.permissions import permission_words
from engine.states import Activity
from engine.views import JobView
from tui import deeds, holddeeds, words
from tui.bars import Hint, Prose, ProseLine
from tui.board import Board, Reach
from tui.dialogs import Ask
from tui.filters import job_fits, parse
from tui.grid import Cell, Column, Grid
from tui.jobfacts import held_lines
from tui.page import Context, FilterLine, Page
from tui.plots import ends_line, percent_complete

FAR = datetime.max.replace(tzinfo=UTC)
LONG_AGO = datetime.min.replace(tzinfo=UTC)

#: The ways to sort, in the order in which `s` goes through them.
SORTS: dict[str, Callable[[JobView, datetime], Any]] = {
    "attention": lambda job, now: (not words.needs_attention(job), not words.is_late(job, now), job.name),
    "name": lambda job, now: job.name,
    "next": lambda job, now: (job.next_run or FAR, job.name),
    "last": lambda job, now: (-(job.last_run or LONG_AGO).timestamp() if job.last_run else 0.0, job.name),
    "status": lambda job, now: (job.status, job.name),
}

EMPTY = (
    "No jobs yet.\n\nPress n to write the first one, or put a file such as report.lua into the jobs folder."
)
NO_ENGINE = "No engine answers.\n\nStart one with `moontide up`; this screen fills by itself."
CONNECTING = "Connecting to the engine …"
NO_MATCH = "No job matches “{}”.\n\nEsc clears the filter."


def status_cell(job: JobView, now: datetime) -> Cell:
    """Return a job's status as the list shows it: what it does now, or else how it stands."""
    if job.activity != Activity.IDLE:
        return _looked(job.activity.upper())
    if job.paused and job.status not in ("INACTIVE", "INVALID"):
        return _looked("PAUSED")
    if words.is_late(job, now):
        return "! late", "late"
    if job.status == "INACTIVE" and job.error is not None:
        return f"{words.look(job.status).icon} inactive", "bad"
    return _looked(job.status)


def _looked(status: str) -> Cell:
    look = words.look(status)
    return f"{look.icon} {status.lower()}", look.shade


def name_cell(job: JobView) -> Cell:
    """Return a job's name, with a sign where an alert goes on that nobody acknowledged."""
    name = words.clean(job.name)
    return (f"! {name}", "late") if words.is_alarming(job) else (name, "")


def ended_cell(job: JobView) -> Cell:
    """Return how a job's last run ended."""
    return ("—", "faint") if job.last_status is None else _looked(job.last_status)


def job_columns(board: Board) -> tuple[Column[JobView], ...]:
    """Return the columns of the list; the ones with a high rank go first when there is no room."""

    def ends(job: JobView) -> Cell:
        return ends_line(board.ends.get(job.name, ()), 10), "calm"

    def share(job: JobView) -> Cell:
        return percent_complete(tuple(board.ends.get(job.name, ()))), "calm"

    return (
        Column("STATUS", 11, 1, lambda job: status_cell(job, board.now())),
        Column("JOB", 16, 0, name_cell),
        Column("SCHEDULE", 15, 5, lambda job: (words.first_line(job.schedule), "calm")),
        Column("NEXT", 8, 3, lambda job: (words.until(job.next_run, board.now()), "calm"), right=True),
        Column("LAST", 8, 4, lambda job: (words.ago(job.last_run, board.now()), "faint"), right=True),
        Column("ENDED", 11, 2, ended_cell),
        Column("TOOK", 6, 6, lambda job: (words.duration(board.last_duration(job.name)), "calm"), right=True),
        Column("OK", 4, 7, share, right=True),
        Column("LAST RUNS", 10, 8, ends),
        Column("GROUPS", 12, 10, lambda job: (words.clean(", ".join(job.groups)), "faint")),
        Column("TAGS", 14, 9, lambda job: (words.tags(job.tags), "faint")),
    )


class JobsScreen(Page):
    """All jobs, live."""

    HINTS: ClassVar[tuple[Hint, ...]] = (
        ("⏎", "Open", "screen.open"),
        ("r", "Run", "screen.run"),
        ("p", "On/off", "screen.switch"),
        ("e", "Edit", "screen.edit"),
        ("n", "New", "screen.new"),
        ("h", "Runs", "app.runs"),
        ("/", "Filter", "screen.filter"),
        ("^r", "Reload", "app.reload"),
    )
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding(
            "slash",
            "filter",
            "Filter: words, tag:shop, status:inactive, group:night, alert:late, !not",
            key_display="/",
        ),
        Binding("r", "run", "Run now"),
        Binding("R", "run_with", "Run with data"),
        Binding("p", "switch", "Deactivate, or activate again"),
        Binding("z", "pause", "Pause with a note and an end, or resume"),
        Binding("x", "acknowledge", "Acknowledge its alerts, with a note"),
        Binding("K", "cancel", "Cancel the run under way"),
        Binding("e", "edit", "Edit the file"),
        Binding("o", "form", "Options: the settings as a form"),
        Binding("n", "new", "New job"),
        Binding("d", "delete", "Delete the file (type the name)"),
        Binding("l", "log", "Log of the last run"),
        Binding("space", "mark", "Mark; actions then go to all marked"),
        Binding("s", "sort", "Sort by the next column"),
        Binding("S", "reverse", "Sort the other way round"),
        Binding("y", "copy", "Copy the name"),
        Binding("escape", "clear", "Clear filter and marks"),
    ]

    def __init__(self, context: Context) -> None:
        super().__init__(context)
        sort = context.kept.get("jobs.sort")
        self._sort = sort if sort in SORTS else "attention"
        self._reversed = bool(context.kept.get("jobs.reversed"))
        self._drawn = -1

    def body(self) -> Iterable[Widget]:
        """Hold the filter, the list, and beside it the job under the cursor."""
        yield FilterLine("words, tag:shop, status:inactive, group:night, alert:late, !not")
        with Horizontal():
            yield Grid(job_columns(self.board), lambda job: job.name, empty=CONNECTING, id="jobs")
            yield Prose(id="side")

    def on_mount(self) -> None:
        """Take up the filter of the last time."""
        if text := self.context.kept.get("jobs.filter"):
            self.filter_by(text)

    @property
    def grid(self) -> Grid[JobView]:
        """The list."""
        return self.query_one("#jobs", Grid)

    @property
    def job(self) -> JobView | None:
        """The job under the cursor as it stands now, which may be later than what was drawn."""
        row = self.grid.cursor_row
        return None if row is None else self.board.jobs.get(row.name)

    def chosen(self) -> list[JobView]:
        """Return the marked jobs, or else the one under the cursor, as they stand now."""
        names = [row.name for row in self.grid.chosen()]
        return [self.board.jobs[name] for name in names if name in self.board.jobs]

    # Following the model

    def tick(self) -> None:
        """Show what changed since the last tick."""
        self._say_empty()
        if self._drawn != self.board.edition:
            self._list_anew()
        else:
            self.grid.redraw_changes()
        self._show_side()

    def _list_anew(self) -> None:
        self._drawn = self.board.edition
        now, terms = self.board.now(), parse(self.filter)
        fitting = [job for job in self.board.jobs.values() if job_fits(job, terms)]
        by = SORTS[self._sort]
        self.grid.show_rows(sorted(fitting, key=lambda job: by(job, now), reverse=self._reversed))

    @property
    def filter(self) -> str:
        """What is typed into the filter."""
        return self.query_one(FilterLine).value

    def _say_empty(self) -> None:
        if self.board.jobs:
            self.grid.say_empty(NO_MATCH.format(words.clean(self.filter)))
        elif self.board.reach is Reach.LIVE:
            self.grid.say_empty(EMPTY)
        else:
            self.grid.say_empty(CONNECTING if self.board.reach is Reach.CONNECTING else NO_ENGINE)

    def _show_side(self) -> None:
        side = self.query_one("#side", Prose)
        if side.display:
            job = self.grid.cursor_row
            side.show(() if job is None else job_summary(job, self.board))

    @on(Grid.Moved)
    def _moved(self) -> None:
        self._show_side()

    @on(Grid.Opened)
    def _opened(self) -> None:
        self.action_open()

    # Filter and sort

    def action_filter(self) -> None:
        """Type a filter."""
        self.query_one(FilterLine).open()

    def action_leave_filter(self) -> None:
        """Go from the filter to the list."""
        self.set_focus(self.grid)

    def filter_by(self, text: str) -> None:
        """Show the jobs that a filter fits."""
        line = self.query_one(FilterLine)
        line.display = True
        line.value = text

    @on(Input.Changed)
    def _filter_typed(self) -> None:
        self.context.kept.put("jobs.filter", self.filter)
        self._drawn = -1
        self.tick()

    @on(Input.Submitted)
    def _filter_kept(self) -> None:
        self.set_focus(self.grid)

    def action_clear(self) -> None:
        """Take filter and marks away."""
        self.query_one(FilterLine).action_drop()
        self.grid.unmark_all()

    def action_sort(self) -> None:
        """Sort by the next of the ways to sort."""
        ways = list(SORTS)
        self._sort = ways[(ways.index(self._sort) + 1) % len(ways)]
        self.context.kept.put("jobs.sort", self._sort)
        self._drawn = -1
        self.say(f"sorted by {self._sort}")
        self.tick()

    def action_reverse(self) -> None:
        """Sort the other way round."""
        self._reversed = not self._reversed
        self.context.kept.put("jobs.reversed", "yes" if self._reversed else "")
        self._drawn = -1
        self.tick()

    # Actions

    def action_mark(self) -> None:
        """Mark the job under the cursor, or take its mark away."""
        self.grid.mark()

    def action_open(self) -> None:
        """Open the page of the job under the cursor."""
        if (job := self.job) is not None:
            from tui.job import JobScreen

            self.app.push_screen(JobScreen(self.context, job.name))

    def action_log(self) -> None:
        """Open the last run of the job under the cursor."""
        job = self.job
        if job is None or job.last_run_id is None:
            self.warn("it has not run yet; r runs it")
            return
        from tui.run import RunScreen

        self.app.push_screen(RunScreen(self.context, job.last_run_id))

    def action_edit(self) -> None:
        """Edit the file of the job under the cursor."""
        if (job := self.job) is not None:
            self.edit(job.name)

    def action_form(self) -> None:
        """Change the settings of the job under the cursor."""
        if (job := self.job) is not None:
            self.form(job.name)

    @work
    async def action_new(self) -> None:
        """Ask for a name, and then for the settings of the new job."""
        message = "Small letters, digits and _, with / for folders: report, admin/cleanup"
        ask = Ask("New job", message, label="Settings", check=self._is_taken)
        if name := await self.app.push_screen_wait(ask):
            self.form(name.removesuffix(".lua"), new=True)

    def _is_taken(self, name: str) -> str | None:
        return f"{name} exists already" if name.removesuffix(".lua") in self.board.jobs else None

    @work
    async def action_run(self) -> None:
        """Run the chosen jobs."""
        await deeds.run_jobs(self, self.chosen())

    @work
    async def action_run_with(self) -> None:
        """Run the job under the cursor with data."""
        if (job := self.job) is not None:
            await deeds.run_with_data(self, job)

    @work
    async def action_switch(self) -> None:
        """Deactivate or activate the chosen jobs."""
        await deeds.switch_jobs(self, self.chosen())

    @work
    async def action_pause(self) -> None:
        """Pause or resume the chosen jobs."""
        await holddeeds.pause_jobs(self, self.chosen())

    @work
    async def action_acknowledge(self) -> None:
        """Acknowledge the alerts of the chosen jobs."""
        await holddeeds.acknowledge(self, [alert for job in self.chosen() for alert in job.alerts])

    @work
    async def action_cancel(self) -> None:
        """Cancel what the chosen jobs run."""
        await deeds.cancel_jobs(self, self.chosen())

    @work
    async def action_delete(self) -> None:
        """Delete the job under the cursor."""
        if (job := self.job) is not None:
            await deeds.delete_job(self, job)

    def action_copy(self) -> None:
        """Copy the name of the job under the cursor."""
        if (job := self.job) is not None:
            self.app.copy_to_clipboard(job.name)
            self.say(f"copied: {job.name}")


def job_summary(job: JobView, board: Board) -> Sequence[ProseLine]:
    """Return what the side panel says of a job."""
    now = board.now()
    ends = tuple(board.ends.get(job.name, ()))
    lines: list[ProseLine] = [
        [(words.clean(job.name), "head")],
        [status_cell(job, now), ("  " + words.first_line(job.reason), "faint")],
        [(words.clean(job.description), "")],
        *held_lines(job),
        [],
        _pair("schedule", job.schedule),
        _pair("next", f"{words.until(job.next_run, now)}  {words.near_moment(job.next_run, now)}"),
        [*_pair("last", f"{words.ago(job.last_run, now)}  "), ended_cell(job)],
        _pair("runs", f"{ends_line(ends, 20)}  {percent_complete(ends)} complete"),
        _pair("tags", words.tags(job.tags) or "—"),
        _pair("groups", ", ".join(job.groups) or "—"),
        _pair("file", job.path),
        _pair("may use", permission_words(job.permissions, job.allow)),
    ]
    return [*lines, *error_lines(job.error)]


def _pair(name: str, value: str) -> list[tuple[str, str]]:
    return [(f"{name:<10}", "faint"), (words.clean(value), "")]


def error_lines(error: str | None) -> list[ProseLine]:
    """Return an error with its Lua traceback, the first line in the shade of failures."""
    if not error:
        return []
    first, *rest = words.clean(error.strip()).splitlines()
    return [[], [("last error", "faint")], [(f"✗ {first}", "bad")], *([(line, "calm")] for line in rest)]
