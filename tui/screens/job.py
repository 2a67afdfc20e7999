"""The page of one job: how it stands, its runs, its code and its settings, live."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Sequence
from typing import Any, ClassVar

from rich.cells import cell_len
from textual import on, work
from textual.binding import Binding, BindingType
from textual.containers import Horizontal
from textual.widget import Widget
from textual.widgets import ContentSwitcher

from engine.errors import EngineUnreachable, JobNotFound, MoontideError
from engine.events import Event, HoldChanged, JobsReloaded
from engine.views import ListedJob
from tui.charts.jobcharts import chart_lines
from tui.charts.plots import ends_line
from tui.deeds import holddeeds
from tui.facts import jobtabs
from tui.facts.joblists import status_cell
from tui.facts.jobpast import past_lines
from tui.facts.runlists import run_columns
from tui.facts.slotlists import slot_columns
from tui.look import words
from tui.model.board import Board
from tui.model.jobdata import NOTHING, JobData, fetch_job
from tui.model.jobfetch import look_at_job
from tui.page import Context
from tui.screens.jobactions import JobActions
from tui.widgets.bars import Hint, Hints, Part, Prose, ProseLine, TitleBar
from tui.widgets.grid import Grid

TABS = ("overview", "runs", "code", "settings", "why", "state", "charts")

#: The tabs that are lists; all others are text.
LISTS = ("runs", "why")

TABS_HINT: Hint = ("1-7", "Tabs", "screen.next_tab")
COPY_HINT: Hint = ("y", "Copy", "screen.copy")

#: The key that each tab is for.
HINT_OF_TAB: dict[str, Hint] = {
    "runs": ("⏎", "Open run", "screen.open"),
    "code": COPY_HINT,
    "settings": ("o", "Change", "screen.form"),
    "why": ("⏎", "Open run", "screen.open"),
    "state": ("v", "Change", "screen.state"),
    "charts": COPY_HINT,
}

TEXTS: dict[str, Callable[[ListedJob, JobData, Board], list[ProseLine]]] = {
    "overview": jobtabs.overview_lines,
    "code": jobtabs.code_lines,
    "settings": jobtabs.settings_lines,
    "state": jobtabs.lines_of_state,
}

#: What stands in front of the last ends beside the tabs, and how many of them.
ENDS_LABEL = "  last "
ENDS_SHOWN = 20

FETCHING = "Fetching …"
NO_RUNS = "This job has not run yet.\n\nPress r to run it now."
NO_SLOTS = "No time was planned for this job so far, as far as is kept.\n\no gives it a schedule."


class JobScreen(JobActions):
    """One job."""

    HINTS: ClassVar[tuple[Hint, ...]] = (
        ("r", "Run", "screen.run"),
        ("K", "Cancel run", "screen.cancel"),
        ("e", "Edit", "screen.edit"),
        ("p", "On/off", "screen.switch"),
        ("esc", "Back", "screen.back"),
        ("z", "Pause", "screen.pause"),
    )
    MORE_HINTS: ClassVar[tuple[Hint, ...]] = (
        ("l", "Last run", "screen.log"),
        ("R", "Run with data", "screen.run_with"),
        ("o", "Options", "screen.form"),
        ("x", "Acknowledge", "screen.acknowledge"),
        ("d", "Delete", "screen.delete"),
    )
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("1", "tab('overview')", "Overview"),
        Binding("2", "tab('runs')", "Runs"),
        Binding("3", "tab('code')", "Code"),
        Binding("4", "tab('settings')", "Settings"),
        Binding("5", "tab('why')", "Why: what became of planned times"),
        Binding("6", "tab('state')", "State data"),
        Binding("7", "tab('charts')", "Charts: durations and outcomes"),
        Binding("tab", "next_tab", "Next tab"),
        Binding("v", "state", "Set or clear the state data"),
        Binding("y", "copy", "Copy the name or the last error; on other tabs what they show"),
    ]

    def __init__(self, context: Context, name: str) -> None:
        """Prepare the page of the job with this name."""
        super().__init__(context)
        self.job_name = name
        self._data = NOTHING
        self._tab = TABS[0]
        self._stale = True
        self._fetching = False
        self._came = asyncio.Event()

    @property
    def job(self) -> ListedJob | None:
        """The job, None once it is off the list."""
        return self.board.jobs.get(self.job_name)

    def body(self) -> Iterable[Widget]:
        """Hold the title and the tabs."""
        yield TitleBar(self._title)
        yield TitleBar(self._tabs)
        with Horizontal():
            with ContentSwitcher(initial=self._tab):
                yield Prose(id="overview")
                yield Grid(
                    run_columns(self.board, with_job=False), lambda run: run.id, empty=FETCHING, id="runs"
                )
                yield Prose(id="code")
                yield Prose(id="settings")
                yield Grid(slot_columns(with_job=False), lambda slot: slot.due, empty=FETCHING, id="why")
                yield Prose(id="state")
                yield Prose(id="charts")
            yield Prose(id="side")

    def hints(self) -> tuple[Hint, ...]:
        """Return the keys of the tab."""
        own = (HINT_OF_TAB[self._tab],) if self._tab in HINT_OF_TAB else ()
        return (TABS_HINT, *own, *super().hints())

    def on_mount(self) -> None:
        """Fetch what the list does not know, and again whenever something happens to the job."""
        self._unlisten = self.board.listen(self._heard)

    def on_unmount(self) -> None:
        """Listen no more."""
        self._unlisten()

    def on_screen_resume(self) -> None:
        """Look again: what happened while there was no connection was not heard."""
        self._stale = True
        super().on_screen_resume()

    def _heard(self, event: Event) -> None:
        if getattr(event, "job", None) == self.job_name or isinstance(event, JobsReloaded | HoldChanged):
            self._stale = True

    # Following the model

    def tick(self) -> None:
        """Show what changed since the last tick; fetch what is stale."""
        for bar in self.query(TitleBar):
            bar.tick()
        # One fetch at a time: begun anew by each event, none would come to its end at a busy job.
        if self._stale and self.board.is_live and not self._fetching:
            self._fetch()
        self._draw()

    # In a group of its own: the actions of the page are workers too, and go on.
    @work(exclusive=True, group="fetch")
    async def _fetch(self) -> None:
        self._stale, self._fetching = False, True
        try:
            job = await look_at_job(self.client, self.board, self.job_name)
            if job is not None:
                self._data = await fetch_job(self.client, job)
        except JobNotFound as error:
            # The title says so.
            self.log.info(str(error))
        except EngineUnreachable as error:
            # The line on top says so, and the page is fetched anew once there is a connection.
            self.log.info(str(error))
            self._stale = True
        except MoontideError as error:
            self.complain(error)
        finally:
            self._fetching = False
            self._came.set()
        # Nothing is left to show it in where the answer came as the page was closed.
        for switcher in self.query(ContentSwitcher):
            self._list(switcher.query_one("#runs", Grid), self._data.runs, NO_RUNS)
            self._list(switcher.query_one("#why", Grid), self._data.slots, NO_SLOTS)
            self._draw()

    def _list(self, grid: Grid[Any], rows: Sequence[Any], nothing: str) -> None:
        if self._is_here:
            grid.say_empty(nothing)
        grid.show_rows(rows)

    @property
    def _is_here(self) -> bool:
        return self._data.view is not None

    async def _wait_for_it(self) -> None:
        """Wait until the job was fetched: for a key that came before."""
        if not self._is_here and self.can_act():
            await self._came.wait()

    def _draw(self) -> None:
        shown = self._tab
        if shown == TABS[0]:
            self._draw_side()
        if shown in LISTS:
            self.query_one(f"#{shown}", Grid).redraw_changes()
        elif shown != TABS[0] and not self._is_here:
            self.query_one(f"#{shown}", Prose).show([[(FETCHING, "faint")]])
        elif shown == "charts":
            charts = self.query_one("#charts", Prose)
            charts.show(chart_lines(self._data, self.board, self.size.width - 4))
        elif self.job is not None:
            self.query_one(f"#{shown}", Prose).show(TEXTS[shown](self.job, self._data, self.board))

    def _draw_side(self) -> None:
        side = self.query_one("#side", Prose)
        if side.display:
            side.show(past_lines(self._data, self.board, *side.size))

    # What stands above the tabs

    def _title(self) -> list[Part]:
        if self.job is None:
            return [(" jobs › ", "faint"), (words.clean(self.job_name), "name"), ("  is gone", "bad")]
        text, shade = status_cell(self.job, self.board.now())
        until = words.until_next(self.job, self.board.now())
        return [
            (" jobs › ", "faint"),
            (words.clean(self.job_name), "name"),
            (f"  {text}", shade),
            (f"  next {until}" if self.job.next_run and not self.job.paused else "", ""),
        ]

    def _tabs(self) -> list[Part]:
        named = [
            (f" {at} {tab.title()} ", "name" if tab == self._tab else "faint")
            for at, tab in enumerate(TABS, 1)
        ]
        room = self.size.width - sum(cell_len(text) for text, _ in named) - len(ENDS_LABEL) - 1
        ends = ends_line(self._data.ends, min(ENDS_SHOWN, room)) if room > 0 else ""
        return [*named, (ENDS_LABEL, "faint"), (ends, "calm")] if ends else named

    # Actions

    def action_tab(self, name: str) -> None:
        """Show a tab."""
        self.query_one(ContentSwitcher).current = self._tab = name
        # What stands at the side belongs to the overview.
        self.set_class(name != TABS[0], "-alone")
        self.query_one(Hints).show(self.hints())
        self.set_focus(self.query_one(f"#{name}"))
        self.tick()

    def action_next_tab(self) -> None:
        """Show the next tab."""
        self.action_tab(TABS[(TABS.index(self._tab) + 1) % len(TABS)])

    @on(Grid.Opened)
    @work
    async def action_open(self) -> None:
        """Open the run under the cursor, or the one that a planned time made."""
        await self._wait_for_it()
        if self._tab == "why":
            slot = self.query_one("#why", Grid).cursor_row
            if slot is not None and slot.run is not None:
                self.open_run(slot.run)
            elif slot is not None:
                self.warn("no run was made for it")
        elif (run := self.query_one("#runs", Grid).cursor_row) is not None:
            self.open_run(run.id)

    @work
    async def action_state(self) -> None:
        """Set or clear what the job keeps from run to run."""
        self.action_tab("state")
        if await holddeeds.change_state(self, self.job_name):
            self._fetch()

    def was_acknowledged(self) -> None:
        """Show at once who knows of the alerts."""
        self._fetch()

    def was_deleted(self) -> None:
        """Leave the page of a job that is gone."""
        self.action_back()

    @work
    async def action_copy(self) -> None:
        """Copy what the tab shows; of the first one and of lists the last error, or the name without one."""
        tab = self._tab
        await self._wait_for_it()
        if self.job is None:
            return
        if tab == "code":
            self.copy(self._data.source, "the code of this job")
        elif tab in LISTS or tab == TABS[0]:
            text = self.job.error or self.job.name
            self.copy(text, words.first_line(text))
        else:
            self.copy(self.query_one(f"#{tab}", Prose).plain, "this page")
