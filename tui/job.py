"""The page of one job: how it stands, its runs, its code and its settings, live."""

from __future__ import annotations

from collections.abc import Iterable
from typing import ClassVar

from textual import on, work
from textual.binding import Binding, BindingType
from textual.widget import Widget
from textual.widgets import ContentSwitcher

from engine.errors import MoontideError
from engine.events import Event, HoldChanged, JobsReloaded
from engine.states import FINAL
from engine.views import ComingView, JobView, RunView, ScheduleView, SlotView, StateView
from tui import deeds, holddeeds, words
from tui.bars import Hint, Part, Prose, ProseLine, TitleBar
from tui.board import End
from tui.grid import Grid
from tui.jobfacts import schedule_lines, slot_columns, state_lines
from tui.jobs import error_lines, job_summary, status_cell
from tui.lua import error_line
from tui.page import Context, Page
from tui.plots import ends_line, percentile
from tui.runlists import around, numbered, pretty, run_columns

RUNS_SHOWN = 200
COMING_SHOWN = 5
TABS = ("overview", "runs", "code", "settings", "why", "state")
SLOTS_SHOWN = 200

NO_RUNS = "This job has not run yet.\n\nPress r to run it now."


class JobScreen(Page):
    """One job."""

    HINTS: ClassVar[tuple[Hint, ...]] = (
        ("1-6", "Tabs", "screen.next_tab"),
        ("r", "Run", "screen.run"),
        ("p", "On/off", "screen.switch"),
        ("K", "Cancel run", "screen.cancel"),
        ("e", "Edit", "screen.edit"),
        ("z", "Pause", "screen.pause"),
        ("⏎", "Open run", "screen.open"),
        ("esc", "Back", "screen.back"),
    )
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("1", "tab('overview')", "Overview"),
        Binding("2", "tab('runs')", "Runs"),
        Binding("3", "tab('code')", "Code"),
        Binding("4", "tab('settings')", "Settings"),
        Binding("5", "tab('why')", "Why: what became of planned times"),
        Binding("6", "tab('state')", "State data"),
        Binding("tab", "next_tab", "Next tab"),
        Binding("r", "run", "Run now"),
        Binding("R", "run_with", "Run with data"),
        Binding("p", "switch", "Deactivate, or activate again"),
        Binding("z", "pause", "Pause with a note and an end, or resume"),
        Binding("x", "acknowledge", "Acknowledge its alerts, with a note"),
        Binding("v", "state", "Set or clear the state data"),
        Binding("K", "cancel", "Cancel the run under way"),
        Binding("e", "edit", "Edit the file"),
        Binding("o", "form", "Options: the settings as a form"),
        Binding("d", "delete", "Delete the file (type the name)"),
        Binding("l", "log", "Log of the last run"),
        Binding("y", "copy", "Copy the name, or the last error"),
    ]

    def __init__(self, context: Context, name: str) -> None:
        """Prepare the page of the job with this name."""
        super().__init__(context)
        self.job_name = name
        self._runs: list[RunView] = []
        self._coming: list[ComingView] = []
        self._given: list[ScheduleView] = []
        self._slots: list[SlotView] = []
        self._states: list[StateView] = []
        self._source = ""
        self._stale = True

    @property
    def job(self) -> JobView | None:
        """The job, None once it is off the list."""
        return self.board.jobs.get(self.job_name)

    def body(self) -> Iterable[Widget]:
        """Hold the title and the tabs."""
        yield TitleBar(self._title)
        yield TitleBar(self._tabs)
        with ContentSwitcher(initial="overview"):
            yield Prose(id="overview")
            columns = run_columns(self.board, with_job=False)
            yield Grid(columns, lambda run: run.id, empty=NO_RUNS, id="runs")
            yield Prose(id="code")
            yield Prose(id="settings")
            empty = "No time was planned for this job so far, as far as is kept."
            yield Grid(slot_columns(), lambda slot: slot.due, empty=empty, id="why")
            yield Prose(id="state")

    def on_mount(self) -> None:
        """Fetch what the list does not know, and again whenever something happens to the job."""
        self._unlisten = self.board.listen(self._heard)

    def on_unmount(self) -> None:
        """Listen no more."""
        self._unlisten()

    def _heard(self, event: Event) -> None:
        if getattr(event, "job", None) == self.job_name or isinstance(event, JobsReloaded | HoldChanged):
            self._stale = True

    # Following the model

    def tick(self) -> None:
        """Show what changed since the last tick; fetch what is stale."""
        for bar in self.query(TitleBar):
            bar.tick()
        if self._stale and self.board.is_live:
            self._stale = False
            self._fetch()
        self._draw()

    @work(exclusive=True)
    async def _fetch(self) -> None:
        try:
            self.board.take_job(await self.client.job(self.job_name))
            self._runs = await self.client.runs(job=self.job_name, limit=RUNS_SHOWN)
            self._coming = await self.client.coming(job=self.job_name, count=COMING_SHOWN)
            self._given = (
                await self.client.schedules(job=self.job_name) if self.job and self.job.given else []
            )
            self._slots = await self.client.ledger.slots(self.job_name, limit=SLOTS_SHOWN)
            self._states = [
                await self.client.states.show(self.job_name, lasting=lasting) for lasting in (False, True)
            ]
            self._source = (await self.client.job_source(self.job_name)).text
        except MoontideError as error:
            self.log.warning(str(error))
        if self.is_attached:
            self.query_one("#runs", Grid).show_rows(self._runs)
            self.query_one("#why", Grid).show_rows(self._slots)
            self._draw()

    def _draw(self) -> None:
        shown = self.query_one(ContentSwitcher).current
        if shown in ("runs", "why"):
            self.query_one(f"#{shown}", Grid).redraw_changes()
        elif shown and self.job is not None:
            lines = {
                "overview": self._overview,
                "code": self._code,
                "settings": self._settings,
                "state": self._state,
            }[shown]
            self.query_one(f"#{shown}", Prose).show(lines(self.job))

    # What the tabs say

    def _title(self) -> list[Part]:
        if self.job is None:
            return [(" jobs › ", "faint"), (words.clean(self.job_name), "name"), ("  is gone", "bad")]
        text, shade = status_cell(self.job, self.board.now())
        until = words.until(self.job.next_run, self.board.now())
        return [
            (" jobs › ", "faint"),
            (words.clean(self.job_name), "name"),
            (f"  {text}", shade),
            (f"  next {until}" if self.job.next_run else "", ""),
        ]

    def _tabs(self) -> list[Part]:
        current = self.query_one(ContentSwitcher).current if self.is_mounted else "overview"
        named = [
            (f" {at} {tab.title()} ", "name" if tab == current else "faint") for at, tab in enumerate(TABS, 1)
        ]
        return [*named, (f"   {ends_line(self._ends(), 20)}", "calm")]

    def _ends(self) -> list[End]:
        finished = [run for run in reversed(self._runs) if run.status in FINAL]
        return [End(run.id, run.status, run.duration_ms) for run in finished]

    def _overview(self, job: JobView) -> list[ProseLine]:
        summary = list(job_summary(job, self.board)[1:])
        known = len(error_lines(job.error))
        top, error = (summary[:-known], summary[-known:]) if known else (summary, [])
        given = schedule_lines(self._given, self.board)
        return [*top, *given, *self._durations(), *self._next_lines(), *error, *self._broken_code(job)]

    def _durations(self) -> list[ProseLine]:
        took = [run.duration_ms for run in self._runs if run.duration_ms is not None]
        if not took:
            return []
        shares = (("min", 0.0), ("p50", 0.5), ("p95", 0.95), ("max", 1.0))
        figures = [f"{name} {words.duration(percentile(took, share))}" for name, share in shares]
        return [[("took      ", "faint"), ("  ".join(figures), "")]]

    def _broken_code(self, job: JobView) -> list[ProseLine]:
        line = error_line(job.error)
        if line is None or not self._source:
            return []
        return [[], *numbered(self._source, marked=line, only=around(line))]

    def _next_lines(self) -> list[ProseLine]:
        if not self._coming:
            return []
        now = self.board.now()
        lines: list[ProseLine] = [[], [("next runs", "faint")]]
        for view in self._coming:
            notes = words.clean(", ".join(view.notes))
            until = words.until(view.due, now)
            lines.append([(f"  {words.moment(view.due)}", ""), (f"  {until:<10}", "faint"), (notes, "late")])
        return lines

    def _code(self, job: JobView) -> list[ProseLine]:
        if not self._source:
            return [[("the file cannot be read; it may be gone", "late")]]
        return numbered(self._source, marked=error_line(job.error))

    def _settings(self, job: JobView) -> list[ProseLine]:
        if not job.settings:
            return [[("the file does not load, so that its settings are not known", "late")]]
        width = max(map(len, job.settings)) + 2
        return [[(f"{name:<{width}}", "faint"), (_shown(value), "")] for name, value in job.settings.items()]

    def _state(self, job: JobView) -> list[ProseLine]:
        return [*state_lines(self._states), [("v sets or clears it", "faint")]]

    # Actions

    def action_tab(self, name: str) -> None:
        """Show a tab."""
        self.query_one(ContentSwitcher).current = name
        self.set_focus(self.query_one(f"#{name}"))
        self.tick()

    def action_next_tab(self) -> None:
        """Show the next tab."""
        current = self.query_one(ContentSwitcher).current or TABS[-1]
        self.action_tab(TABS[(TABS.index(current) + 1) % len(TABS)])

    @on(Grid.Opened)
    def action_open(self) -> None:
        """Open the run under the cursor, or the one that a planned time made."""
        if self.query_one(ContentSwitcher).current == "why":
            slot = self.query_one("#why", Grid).cursor_row
            if slot is not None and slot.run is not None:
                self._open_run(slot.run)
            elif slot is not None:
                self.warn("no run was made for it")
        elif (run := self.query_one("#runs", Grid).cursor_row) is not None:
            self._open_run(run.id)

    def action_log(self) -> None:
        """Open the last run."""
        if self.job is not None and self.job.last_run_id is not None:
            self._open_run(self.job.last_run_id)

    def _open_run(self, run_id: int) -> None:
        from tui.run import RunScreen

        self.app.push_screen(RunScreen(self.context, run_id))

    def action_edit(self) -> None:
        """Edit the job's file."""
        self.edit(self.job_name)

    def action_form(self) -> None:
        """Change the job's settings."""
        self.form(self.job_name)

    @work
    async def action_run(self) -> None:
        """Run the job."""
        if self.job is not None:
            await deeds.run_jobs(self, [self.job])

    @work
    async def action_run_with(self) -> None:
        """Run the job with data."""
        if self.job is not None:
            await deeds.run_with_data(self, self.job)

    @work
    async def action_switch(self) -> None:
        """Deactivate or activate the job."""
        if self.job is not None:
            await deeds.switch_jobs(self, [self.job])

    @work
    async def action_pause(self) -> None:
        """Pause or resume the job."""
        if self.job is not None:
            await holddeeds.pause_jobs(self, [self.job])

    @work
    async def action_acknowledge(self) -> None:
        """Acknowledge the alerts of the job."""
        if self.job is not None:
            await holddeeds.acknowledge(self, self.job.alerts)
            self._fetch()

    @work
    async def action_state(self) -> None:
        """Set or clear what the job keeps from run to run."""
        self.action_tab("state")
        if await holddeeds.change_state(self, self.job_name):
            self._fetch()

    @work
    async def action_cancel(self) -> None:
        """Cancel what the job runs."""
        if self.job is not None:
            await deeds.cancel_jobs(self, [self.job])

    @work
    async def action_delete(self) -> None:
        """Delete the job's file."""
        if self.job is not None and await deeds.delete_job(self, self.job):
            self.action_back()

    def action_copy(self) -> None:
        """Copy the last error, or the name without one."""
        if self.job is not None:
            text = self.job.error or self.job.name
            self.app.copy_to_clipboard(text)
            self.say(f"copied: {words.first_line(text)}")


def _shown(value: object) -> str:
    if value in (None, "", [], {}):
        return "—"
    return " ".join("".join(part for part, _ in line).strip() for line in pretty(value))
