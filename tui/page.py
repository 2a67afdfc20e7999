"""What all screens share: the bars, the tick that redraws what changed, and how errors are shown."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, ClassVar

from textual import on
from textual.app import ComposeResult
from textual.await_remove import AwaitRemove
from textual.binding import Binding, BindingType
from textual.screen import Screen
from textual.widget import Widget
from textual.worker import active_worker

from engine.errors import MoontideError
from engine.views import BulkView
from tui.look.words import clean, plural
from tui.model.added import AddedScreen
from tui.model.board import Board
from tui.model.kept import Kept
from tui.model.owneditor import OwnEditor
from tui.model.places import EditorPlace, FormPlace, Guide, JobPlace, Place, RunPlace
from tui.widgets.bars import Hint, Hints, StatusBar
from tui.widgets.grid import Grid

if TYPE_CHECKING:
    from engine.api.client import AsyncClient
    from tui.lua.vocabulary import Vocabulary

#: The screen follows the model so often; a followed log twice as often.
TICK_SECONDS = 0.5

GOOD_SECONDS = 3.0
WARNING_SECONDS = 8.0
ERROR_SECONDS = 30.0

#: What an empty list says while there is no connection.
NO_ENGINE = "No engine answers.\n\nThis list fills by itself when one does."

#: Terminals refuse more than this in one copy.
COPIED_BYTES = 74_994

#: Failures of many that are shown one by one.
FAILURES_SHOWN = 3


@dataclass(slots=True)
class Context:
    """What every screen works with.

    Attributes:
        guide: leads to other screens.
        kept: filter, sort and theme, for when a list or the dashboard is opened again.
        added: the screens that plugins of the engine add.
        own_editor: the person's own, where it may be opened.
        vocabularies: what job files may name, by the engine's session: a restart may bring other plugins.
    """

    board: Board
    client: AsyncClient
    guide: Guide
    kept: Kept = field(default_factory=Kept)
    added: list[AddedScreen] = field(default_factory=list)
    own_editor: OwnEditor = field(default_factory=OwnEditor)
    vocabularies: dict[int, Vocabulary] = field(default_factory=dict)


class Page(Screen[None]):
    """A screen between the two bars."""

    AUTO_FOCUS = "Grid, Prose"
    HINTS: ClassVar[tuple[Hint, ...]] = ()
    #: Further keys that stand at the bottom where there is room.
    MORE_HINTS: ClassVar[tuple[Hint, ...]] = ()
    HELP_KEY: ClassVar[str] = "?"
    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape", "back", "Back", show=False)]

    def __init__(self, context: Context) -> None:
        super().__init__()
        self.context = context

    @property
    def board(self) -> Board:
        """What is known of the engine."""
        return self.context.board

    @property
    def client(self) -> AsyncClient:
        """The way to ask the engine."""
        return self.context.client

    def compose(self) -> ComposeResult:
        """Hold the bars, and between them what the screen is about."""
        yield StatusBar(self.board)
        yield from self.body()
        yield Hints(self.hints(), self.board, help_key=self.HELP_KEY)

    def hints(self) -> tuple[Hint, ...]:
        """Return the keys that stand at the bottom, as many as fit."""
        return (*self.HINTS, *self.MORE_HINTS)

    def body(self) -> Iterable[Widget]:
        """Make what stands between the bars."""
        return ()

    def on_mount(self) -> None:
        """Begin to follow the model. Textual calls this besides the `on_mount` of a screen itself."""
        self.set_interval(TICK_SECONDS, self._tick)
        self.tick()

    def on_screen_resume(self) -> None:
        """Catch up with what happened while another screen was on top."""
        self._tick()

    def _tick(self) -> None:
        # A dashboard that ends takes its screens down part by part: nothing may begin for them any more.
        if self.is_current and self.app.is_running:
            self.query_one(StatusBar).tick()
            self.query_one(Hints).tick()
            self.tick()

    @on(Grid.Marked)
    def _show_marked(self, message: Grid.Marked) -> None:
        self.query_one(Hints).tell_marked(message.count)

    def tick(self) -> None:
        """Bring the screen up to date; called twice a second while it is on top."""

    def remove(self) -> AwaitRemove:
        """Leave the app. What works for the screen ends before its parts go, as it may ask for them."""
        for worker in list(self.workers):
            if worker is not active_worker.get(None) and self in worker.node.ancestors_with_self:
                worker.cancel()
        return super().remove()

    def action_back(self) -> None:
        """Go back one screen; the first one stays."""
        if len(self.app.screen_stack) > 2:
            self.dismiss()

    def go(self, place: Place) -> None:
        """Open what stands at a place."""
        self.context.guide.go(place)

    def open_job(self, name: str) -> None:
        """Open the page of a job."""
        if name in self.board.jobs:
            self.go(JobPlace(name))
        else:
            self.warn(f"there is no job {name} any more")

    def open_run(self, run_id: int) -> None:
        """Open the page of a run."""
        self.go(RunPlace(run_id))

    def edit(self, name: str, *, new: bool = False) -> None:
        """Open a job's file in the editor."""
        if self.can_act():
            self.go(EditorPlace(name, new))

    def form(self, name: str, *, new: bool = False) -> None:
        """Open a job's settings as a form."""
        if self.can_act():
            self.go(FormPlace(name, new))

    def say(self, text: str) -> None:
        """Tell of a success."""
        self.notify(clean(text), timeout=GOOD_SECONDS, markup=False)

    def warn(self, text: str) -> None:
        """Tell of something that did not work out."""
        self.notify(clean(text), severity="warning", timeout=WARNING_SECONDS, markup=False)

    def complain(self, error: object) -> None:
        """Tell of an error."""
        self.notify(clean(str(error)), severity="error", timeout=ERROR_SECONDS, markup=False)

    def copy(self, text: str, what: str) -> None:
        """Put a text into the clipboard of the person's terminal, and say what was copied.

        Terminals take it by OSC 52, also over SSH; of a longer one than they take, only the beginning.

        Args:
            what: what was copied, such as "the last error".
        """
        data = text.encode("utf-8", "replace")
        self.app.copy_to_clipboard(data[:COPIED_BYTES].decode("utf-8", "ignore"))
        if len(data) > COPIED_BYTES:
            self.warn(f"copied the first {COPIED_BYTES // 1000} kB of {what}: terminals take no more at once")
        else:
            self.say(f"copied: {what}")

    def tell_results(self, results: Sequence[BulkView], done: str) -> None:
        """Say what became of each of many: one message for all that worked, and the failures by name.

        Args:
            done: what was done, such as "paused".
        """
        good = [view for view in results if view.ok]
        failed = [view for view in results if not view.ok]
        if good:
            self.say(f"{good[0].target if len(good) == 1 else plural(len(good), 'job')} {done}")
        for view in failed[:FAILURES_SHOWN]:
            self.complain(f"{view.target}: {view.message}" if len(results) > 1 else view.message)
        if len(failed) > FAILURES_SHOWN:
            self.complain(f"{len(failed) - FAILURES_SHOWN} more failed")

    @asynccontextmanager
    async def telling(self) -> AsyncIterator[None]:
        """Show an error of what is done inside, instead of letting it travel."""
        try:
            yield
        except MoontideError as error:
            self.complain(error)

    def can_act(self) -> bool:
        """Return whether the engine can be asked for something, and say so if it cannot."""
        if not self.board.is_live:
            self.warn("no engine answers; that works again when the connection is back")
        return self.board.is_live
