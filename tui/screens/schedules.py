"""The schedules that were given at run time, beside those of the job files."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Sequence
from typing import ClassVar

from textual import on, work
from textual.binding import Binding, BindingType

from engine.events import JobChanged, JobsReloaded, RunFinished, RunQueued
from engine.views import ScheduleView
from tui.facts.runlists import pretty_pair
from tui.look import words
from tui.page import Context
from tui.screens.listpage import PAGE_ROWS, ListPage, pair
from tui.widgets.bars import Hint, Part, ProseLine
from tui.widgets.dialogs import YES, Confirm
from tui.widgets.grid import Cell, Column, Grid


def state_of(view: ScheduleView) -> Cell:
    """Return how a schedule stands, with its icon."""
    status = view.status.lower()
    if view.ended is None:
        return f"● {status}", "ok"
    return f"† {status}", "faint"


class SchedulesScreen(ListPage[ScheduleView]):
    """Schedules given by operators and jobs, live."""

    HEEDS = (JobChanged, JobsReloaded, RunFinished, RunQueued)
    EMPTY = (
        "No schedule was given at run time.\n\n"
        "`moontide schedule add` and core.jobs give one; v shows those that ended."
    )
    HINTS: ClassVar[tuple[Hint, ...]] = (
        ("⏎", "Open job", "screen.open"),
        ("l", "Last run", "screen.log"),
        ("d", "Remove", "screen.remove"),
        ("v", "All", "screen.all"),
        ("esc", "Back", "screen.back"),
    )
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("o", "open", "Open the job"),
        Binding("l", "log", "Open the last run that it made"),
        Binding("d", "remove", "Remove the schedule"),
        Binding("v", "all", "Show also those that ended, or only those in force"),
    ]

    def __init__(self, context: Context) -> None:
        super().__init__(context)
        self._all = False

    def headline(self) -> Sequence[Part]:
        """Say what is listed."""
        listed = "those that ended too" if self._all else "given at run time and in force"
        return [(" schedules", "name"), (f"   {listed}", "faint")]

    def columns(self) -> Sequence[Column[ScheduleView]]:
        """Return the columns."""
        now = self.board.now
        return (
            Column("ID", 5, 5, lambda view: (str(view.id), "faint"), right=True),
            Column("STATE", 11, 1, state_of),
            Column("JOB", 18, 2, lambda view: (words.clean(view.job), "")),
            Column("NEXT", 8, 3, lambda view: (_next(view, self), "calm"), right=True),
            Column("SCHEDULE", 18, 0, lambda view: (words.first_line(view.schedule), "")),
            Column("TAG", 10, 6, lambda view: (words.clean(view.tag), "faint")),
            Column("GIVEN", 11, 7, lambda view: (words.near_moment(view.created, now()), "faint")),
            Column("BY", 16, 4, lambda view: (words.clean(view.created_by), "faint")),
        )

    def key(self, row: ScheduleView) -> Hashable:
        """Know schedules by their number."""
        return row.id

    async def fetch(self, before: ScheduleView | None) -> list[ScheduleView]:
        """Ask the engine, the newest first."""
        return await self.client.schedules(
            ended=self._all, before=None if before is None else before.id, limit=PAGE_ROWS
        )

    def about(self, row: ScheduleView) -> Iterable[ProseLine]:
        """Say all of a schedule."""
        yield [(words.clean(f"{row.job}: {row.schedule}"), "head")]
        yield pair("next", words.moment(row.due) if row.ended is None else "—")
        yield pair("given", f"{words.moment(row.created)} by {row.created_by}")
        if row.called_by is not None:
            yield pair("by run", str(row.called_by))
        if row.ended is not None:
            yield pair("ended", f"{words.moment(row.ended)}: {row.reason or row.status.lower()}")
        if row.tag or row.user_id:
            yield pair("tag", f"{row.tag or '—'}, user {row.user_id}")
        if row.last_run_id is not None:
            yield pair("last run", str(row.last_run_id))
        if row.skipped:
            yield pair("skipped", f"{row.skipped}×, the last: {row.note or '—'}", "late")
        if row.retries is not None:
            yield pair("retries", str(row.retries))
        if row.data is not None:
            yield from pretty_pair("data", row.data)

    @on(Grid.Opened)
    def action_open(self) -> None:
        """Open the job of the schedule under the cursor."""
        if (view := self.grid.cursor_row) is not None:
            self.open_job(view.job)

    def action_log(self) -> None:
        """Open the last run that the schedule made."""
        view = self.grid.cursor_row
        if view is not None and view.last_run_id is not None:
            self.open_run(view.last_run_id)
        elif view is not None:
            self.warn("it made no run so far")

    def action_all(self) -> None:
        """Show also the schedules that ended, or only those in force."""
        self._all = not self._all
        self.start_over()

    @work
    async def action_remove(self) -> None:
        """Remove the schedule under the cursor, after asking."""
        view = self.grid.cursor_row
        if view is None or not self.can_act():
            return
        if view.ended is not None:
            self.warn("it has ended already")
            return
        title = f"Remove schedule {view.id} of {view.job}?"
        message = f"{words.clean(view.schedule)}\n\nIts job is no longer due by it; runs under way go on."
        if await self.app.push_screen_wait(Confirm(title, message, "Remove")) == YES:
            async with self.telling():
                await self.client.remove_schedule(view.id)
                self.say(f"schedule {view.id} of {view.job} is removed")
            self.fetch_anew()


def _next(view: ScheduleView, page: SchedulesScreen) -> str:
    return words.until(view.due, page.board.now()) if view.ended is None else "—"
