"""The engine on one page: what it is, what is wrong with it, and what keeps jobs from running."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import ClassVar

from textual.binding import Binding, BindingType
from textual.widget import Widget

from engine.views import EngineView
from tui.look import words
from tui.page import Page
from tui.screens.listpage import pair
from tui.widgets.bars import Hint, Prose, ProseLine, TitleBar


class EngineScreen(Page):
    """The engine, live."""

    AUTO_FOCUS = "Prose"
    HINTS: ClassVar[tuple[Hint, ...]] = (
        ("Z", "Pause all", "app.pause_engine"),
        ("^r", "Reload", "app.reload"),
        ("P", "Plugins", "app.place('plugins')"),
        ("esc", "Back", "screen.back"),
    )
    BINDINGS: ClassVar[list[BindingType]] = [Binding("y", "copy", "Copy the page")]

    def body(self) -> Iterable[Widget]:
        """Hold the text."""
        yield TitleBar(lambda: [(" engine", "name"), ("   as it stands now", "faint")])
        yield Prose(id="help-box")

    def tick(self) -> None:
        """Show what the model knows."""
        view = self.board.engine
        lines = [[("no engine answered so far", "faint")]] if view is None else engine_lines(view, self)
        self.query_one(Prose).show(lines)

    def action_copy(self) -> None:
        """Copy the page."""
        self.copy(self.query_one(Prose).plain, "this page")


def engine_lines(view: EngineView, page: Page) -> Iterator[ProseLine]:
    """Say all of an engine."""
    look = words.look(view.state)
    yield [(f"{'state':<10}", "faint"), (f"{look.icon} {view.state}", look.shade)]
    for hold in view.holds:
        yield pair("held", hold, "late")
    for problem in view.problems:
        yield pair("problem", problem, "bad")
    yield pair("alerts", str(view.alerts), "late" if view.alerts else "")
    yield []
    yield pair("version", view.version)
    yield pair("process", f"{view.pid}, session {view.session}")
    yield pair("started", f"{words.moment(view.started)}, {words.ago(view.started, page.board.now())}")
    yield pair("home", view.home)
    yield pair("jobs in", view.jobs_folder)
    yield pair("database", view.database)
    yield pair("journal", view.journal)
    yield []
    counts = ", ".join(f"{count} {status.lower()}" for status, count in sorted(view.jobs_by_status.items()))
    yield pair("jobs", f"{view.jobs}: {counts}" if counts else str(view.jobs))
    yield pair("pool", f"{view.running} of {view.pool_size or '∞'} running, {view.queued} waiting")
    yield pair("workers", str(view.workers))
    yield pair("runs", f"{view.runs_total} on record")
    yield []
    yield [("walls around jobs", "head")]
    width = max(map(len, view.walls), default=0) + 2
    for name, state in view.walls.items():
        yield [(f"  {words.clean(name):<{width}}", "faint"), (words.clean(state), "")]
