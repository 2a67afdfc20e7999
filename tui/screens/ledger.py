"""The slot ledger of all jobs: what became of each planned time, and why."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Sequence
from datetime import timedelta
from typing import ClassVar

from textual import on
from textual.binding import Binding, BindingType

from engine.events import JobsReloaded, RunFinished, RunsMissed, RunsSkipped, RunStarted
from engine.views import SlotView
from tui.facts.slotlists import fate_cell, slot_columns
from tui.look import words
from tui.page import Context
from tui.screens.listpage import PAGE_ROWS, ListPage, pair
from tui.widgets.bars import Hint, Part, ProseLine
from tui.widgets.grid import Column, Grid

#: The end of a span is not in it; rows of the very time of the last one are.
_TICK = timedelta(microseconds=1)

#: To find what did not go as planned, so many are looked through at once, so often at most.
LOOKED_THROUGH = 1000
PAGES_IN_A_ROW = 10
#: The engine answers with no more.
MOST_AT_ONCE = 10_000

#: What went as planned.
_GOOD = ("ran", "planned")


class LedgerScreen(ListPage[SlotView]):
    """Planned times of all jobs, the latest first."""

    HEEDS = (JobsReloaded, RunFinished, RunsMissed, RunsSkipped, RunStarted)
    EMPTY = "No time was planned for any job so far.\n\nIn the list of jobs, o gives one a schedule."
    HINTS: ClassVar[tuple[Hint, ...]] = (
        ("⏎", "Open run", "screen.open"),
        ("o", "Job", "screen.job"),
        ("v", "Not as planned", "screen.odd"),
        ("esc", "Back", "screen.back"),
    )
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("l", "open", "Open the run that was made for it"),
        Binding("o", "job", "Open the job"),
        Binding("v", "odd", "Show only what did not go as planned, or all"),
    ]

    def __init__(self, context: Context) -> None:
        super().__init__(context)
        self._only_odd = False

    def headline(self) -> Sequence[Part]:
        """Say what is listed."""
        listed = "only what was late, skipped or missed" if self._only_odd else "what became of planned times"
        return [(" why", "name"), (f"   {listed}", "faint")]

    def nothing(self) -> str:
        """Tell an empty ledger from one where all went as planned."""
        return "All went as planned, as far as is listed.\n\nv shows all." if self._only_odd else self.EMPTY

    def columns(self) -> Sequence[Column[SlotView]]:
        """Return the columns."""
        return slot_columns(with_job=True)

    def key(self, row: SlotView) -> Hashable:
        """Know slots by job and time."""
        return row.job, row.due, row.run

    async def fetch(self, before: SlotView | None) -> list[SlotView]:
        """Ask the engine, the latest first."""
        return await (self._fetch_odd(before) if self._only_odd else self._page(before, PAGE_ROWS))

    async def _page(self, before: SlotView | None, size: int) -> list[SlotView]:
        """Ask for a page, larger than usual where more times than fill one are of the same moment."""
        until = None if before is None else before.due + _TICK
        page = await self.client.ledger.slots(None, until=until, limit=size)
        while before is not None and len(page) == size < MOST_AT_ONCE and page[-1].due == before.due:
            size = min(MOST_AT_ONCE, 4 * size)
            page = await self.client.ledger.slots(None, until=until, limit=size)
        return page

    async def _fetch_odd(self, before: SlotView | None) -> list[SlotView]:
        """Go through the ledger until there is a page of what did not go as planned."""
        odd: list[SlotView] = []
        for _ in range(PAGES_IN_A_ROW):
            page = await self._page(before, LOOKED_THROUGH)
            odd += [slot for slot in page if slot.fate not in _GOOD and slot not in odd]
            if len(page) < LOOKED_THROUGH or len(odd) >= PAGE_ROWS:
                break
            before = page[-1]
        return odd

    def about(self, row: SlotView) -> Iterable[ProseLine]:
        """Say all of a planned time."""
        yield [(words.clean(row.job), "head"), ("  ", ""), fate_cell(row)]
        yield pair("planned", words.moment(row.due))
        if row.count != 1:
            times = "all until the job was due again" if row.count is None else str(row.count)
            yield pair("times", f"{times}, the last {words.moment(row.last_due)}")
        yield pair("why", row.reason or row.cause or (row.status or "").lower() or "—")
        yield pair("run", str(row.run or "none"))
        yield pair("late", words.duration(row.late_ms))

    @on(Grid.Opened)
    def action_open(self) -> None:
        """Open the run that was made for the time under the cursor."""
        slot = self.grid.cursor_row
        if slot is not None and slot.run is not None:
            self.open_run(slot.run)
        elif slot is not None:
            self.warn("no run was made for it")

    def action_job(self) -> None:
        """Open the job of the time under the cursor."""
        if (slot := self.grid.cursor_row) is not None:
            self.open_job(slot.job)

    def action_odd(self) -> None:
        """Show only what did not go as planned, or all."""
        self._only_odd = not self._only_odd
        self.start_over()
