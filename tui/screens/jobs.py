"""The list of jobs: home."""

from __future__ import annotations

from collections.abc import Iterable
from typing import ClassVar

from textual import on, work
from textual.binding import Binding, BindingType
from textual.containers import Horizontal
from textual.widget import Widget
from textual.widgets import Input

from engine.errors import JobFileError
from engine.views import ListedJob
from tui.facts.joblists import job_columns
from tui.facts.jobsummary import job_summary
from tui.look import words
from tui.model.board import Reach
from tui.model.filters import parse
from tui.model.joborder import SORTS
from tui.model.jobrows import JobRows
from tui.page import Context
from tui.screens.jobactions import JobActions
from tui.widgets.bars import Hint, Prose
from tui.widgets.dialogs import Ask
from tui.widgets.filterline import FilterLine
from tui.widgets.grid import Grid

EMPTY = (
    "No jobs yet.\n\nPress n to write the first one, or put a file such as report.lua into the jobs folder."
)
REFUSED = (
    "The engine answers, but not with its jobs:\n\n{}\n\nThis screen fills by itself when that is mended."
)
NO_ENGINE = "No engine answers.\n\nStart one with `moontide up`; this screen fills by itself."
CONNECTING = "Connecting to the engine …"
NO_MATCH = "No job matches “{}”.\n\nEsc clears the filter."


#: The titles of the columns by which one can sort.
SORTED_BY = {"name": "JOB", "next": "NEXT", "last": "LAST", "status": "STATUS"}


class JobsScreen(JobActions):
    """All jobs, live."""

    HINTS: ClassVar[tuple[Hint, ...]] = (
        ("⏎", "Open", "screen.open"),
        ("r", "Run", "screen.run"),
        ("p", "On/off", "screen.switch"),
        ("e", "Edit", "screen.edit"),
        ("n", "New", "screen.new"),
        ("h", "Runs", "app.place('runs')"),
        ("/", "Filter", "screen.filter"),
        ("^r", "Reload", "app.reload"),
    )
    MORE_HINTS: ClassVar[tuple[Hint, ...]] = (
        ("space", "Mark", "screen.mark"),
        ("s", "Sort", "screen.sort"),
        ("z", "Pause", "screen.pause"),
        ("q", "Quit", "app.leave"),
        ("x", "Acknowledge", "screen.acknowledge"),
        ("u", "Upcoming", "app.place('coming')"),
        ("A", "Alerts", "app.place('alerts')"),
        ("^p", "All actions", "app.command_palette"),
    )
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding(
            "slash",
            "filter",
            "Filter: words, tag:shop, status:inactive, group:night, alert:late, !not",
            key_display="/",
        ),
        Binding("n", "new", "New job"),
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
        self._rows = JobRows(context.board)

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
    def grid(self) -> Grid[ListedJob]:
        """The list."""
        return self.query_one("#jobs", Grid)

    @property
    def job(self) -> ListedJob | None:
        """The job under the cursor as it stands now, which may be later than what was drawn."""
        row = self.grid.cursor_row
        return None if row is None else self.board.jobs.get(row.name)

    def chosen(self) -> list[ListedJob]:
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
        terms, now = parse(self.filter), self.board.now()
        self.grid.show_rows(self._rows.look(terms, self._sort, now, backwards=self._reversed))
        self.grid.say_order(SORTED_BY.get(self._sort, ""), backwards=self._reversed)
        self._tell_count()

    def _tell_count(self) -> None:
        """Say beside the filter how many jobs it leaves."""
        line = self.query_one(FilterLine)
        line.tell(f"{len(self.grid.rows)} of {words.plural(len(self.board.jobs), 'job')}")

    @property
    def filter(self) -> str:
        """What is typed into the filter."""
        return self.query_one(FilterLine).value

    def _say_empty(self) -> None:
        if self.board.jobs:
            self.grid.say_empty(NO_MATCH.format(words.clean(self.filter)))
        elif self.board.reach is Reach.LIVE:
            self.grid.say_empty(EMPTY)
        elif self.board.reach is Reach.REFUSED:
            self.grid.say_empty(REFUSED.format(words.clean(self.board.trouble)))
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
            self.open_job(job.name)

    @work
    async def action_new(self) -> None:
        """Ask for a name, and then for the settings of the new job."""
        message = "Its name: small letters, digits and _, with / for folders, such as admin/cleanup."
        ask = Ask("New job", message, label="Go on to its settings", check=self._name_problem)
        if name := await self.app.push_screen_wait(ask):
            self.form(name.removesuffix(".lua"), new=True)

    def _name_problem(self, typed: str) -> str | None:
        """Say why no new job can have a name, or None."""
        from engine.jobs.jobfolder import check_job_name

        name = typed.removesuffix(".lua")
        try:
            check_job_name(name)
        except JobFileError as error:
            return str(error)
        return f"{name} exists already" if name in self.board.jobs else None

    def action_copy(self) -> None:
        """Copy the name of the job under the cursor."""
        if (job := self.job) is not None:
            self.copy(job.name, job.name)
