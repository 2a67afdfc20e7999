"""The dashboard: modes and keys that hold everywhere, and how it is started."""

from __future__ import annotations

import asyncio
import gc
import os
import signal
import sys
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from textual import work
from textual.binding import Binding, BindingType

from engine.errors import MoontideError
from tui.deeds.reload import reload_jobs
from tui.guide import Guided
from tui.look.plain import PlainSigns
from tui.look.themes import TERMINAL, THEMES, fitting_theme, speaks_unicode
from tui.model.added import AddedScreen, added_screens
from tui.model.board import Board, utc_now
from tui.model.kept import Kept, kept_path
from tui.model.link import Link
from tui.model.owneditor import OwnEditor, own_editor
from tui.model.rights import why_closed
from tui.page import WARNING_SECONDS, Context, Page
from tui.screens.jobs import JobsScreen
from tui.screens.loading import load_screen
from tui.widgets.dialogs import YES, Confirm

if TYPE_CHECKING:
    from textual.actions import ActionParseResult
    from textual.command import Provider
    from textual.dom import DOMNode
    from textual.filter import LineFilter
    from textual.timer import Timer

    from engine.api.client import AsyncClient
    from engine.roles import Role

#: At the latest then Python's collector works; before, when the first list of jobs is there.
COLLECTOR_SECONDS = 10.0

#: What the person likes is written when it rests for so long: each letter of a filter changes it.
REST_SECONDS = 1.0

#: What terminals too poor to draw on are told; `moontide jobs` and the others work everywhere.
NO_TERMINAL = "the dashboard needs a terminal; `moontide jobs`, `runs` and `log` work without one"


def _actions() -> type[Provider]:
    from tui.screens.palette import Actions

    return Actions


def _added() -> type[Provider]:
    from tui.screens.palette import Added

    return Added


def _jobs() -> type[Provider]:
    from tui.screens.palette import Jobs

    return Jobs


class Dashboard(Guided):
    """A client of one engine. Closing it stops nothing, unless it owns the engine."""

    TITLE = "Moontide"
    CSS_PATH = "moontide.tcss"
    #: With so many columns, a list has a panel at its side.
    HORIZONTAL_BREAKPOINTS = [(0, "-narrow"), (110, "-wide")]  # noqa: RUF012
    ENABLE_COMMAND_PALETTE = True
    COMMANDS = {_actions, _added, _jobs}  # noqa: RUF012
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("question_mark,f1", "help", "Keys of this screen", key_display="?", show=False),
        Binding("h", "place('runs')", "History: the runs of all jobs", show=False),
        Binding("u", "place('coming')", "Upcoming: what runs next", show=False),
        Binding("A", "place('alerts')", "Alerts: what is wrong with jobs", show=False),
        Binding("b", "place('groups')", "Groups of jobs", show=False),
        Binding("c", "place('schedules')", "Schedules given at run time", show=False),
        Binding("a", "place('audit')", "Audit: what operators did", show=False),
        Binding("C", "place('charts')", "Charts: a timeline of runs, and failures by the hour", show=False),
        Binding("w", "place('why')", "Why: what became of the planned times of all jobs", show=False),
        Binding("L", "place('library')", "Library: the modules that jobs share", show=False),
        Binding("P", "place('plugins')", "Plugins", show=False),
        Binding("comma", "place('settings')", "Settings of the engine", key_display=",", show=False),
        Binding("i", "place('engine')", "Information about the engine", show=False),
        Binding("W", "place('nodes')", "Workers and engines of this database", show=False),
        Binding("Z", "pause_engine", "Pause the whole engine, or resume it", show=False),
        Binding("q", "leave", "Quit", show=False),
        Binding("ctrl+q", "leave", "Quit", show=False, priority=True),
        Binding("ctrl+c", "interrupt", "Stop the engine under `moontide up`, after asking", show=False),
        Binding("ctrl+r", "reload", "Read the jobs folder again", show=False),
        Binding("t", "theme", "Next theme", show=False),
        Binding("ctrl+p,colon", "command_palette", "Every action by name", show=False),
        Binding("ctrl+l", "redraw", "Draw the screen again", show=False),
    ]

    def __init__(
        self,
        client: AsyncClient,
        *,
        owns_engine: bool = False,
        kept: Kept | None = None,
        editor: OwnEditor | None = None,
        clock: Callable[[], datetime] = utc_now,
    ) -> None:
        """Prepare the dashboard.

        Args:
            client: the way to the engine; closed at the end.
            owns_engine: quitting stops the engine, and asks first.
            kept: what is remembered from one time to the next; nothing by default.
            editor: the person's own editor, where it may be opened; by default it may not.
            clock: tells the time here, aware.
        """
        super().__init__()
        self.board = Board(clock)
        self.context = Context(self.board, client, self, kept or Kept(), own_editor=editor or OwnEditor())
        self._link = Link(client, self.board, on_live=self._show_at_once, on_restart=self._tell_of_restart)
        self._owns_engine = owns_engine
        self._added_keys: set[str] = set()
        self._saving: Timer | None = None
        #: Animations would send many screens where one says all, which a slow line cannot carry.
        self.animation_level = "none"
        self._signs = [] if speaks_unicode() else [PlainSigns()]
        for theme in THEMES:
            self.register_theme(theme)
        self.theme = fitting_theme(self.console.color_system, liked=self.context.kept.get("theme"))

    def get_theme_variable_defaults(self) -> dict[str, str]:
        """Give Textual's own themes the shades that they do not know."""
        return TERMINAL.variables

    def refresh_css(self, animate: bool = True) -> None:
        """Bring all screens to the colours of the theme; the first one finds them when it is made."""
        if self.screen_stack:
            super().refresh_css(animate)
        else:
            # Textual would read all style sheets once more.
            self.stylesheet.set_variables(self.get_css_variables())

    def get_line_filters(self) -> Sequence[LineFilter]:
        """Draw plain signs where the terminal has no others."""
        return [*super().get_line_filters(), *self._signs]

    def on_mount(self) -> None:
        """Open the list of jobs and connect."""
        self.context.kept.when_changed = self._save_at_rest
        self.push_screen(JobsScreen(self.context))
        if self.context.kept.trouble:
            self.notify(self.context.kept.trouble, severity="warning", timeout=WARNING_SECONDS, markup=False)
        if not self.is_headless:
            # So that the terminal is put back in order when `kill` or a leaving `moontide up` ends this.
            asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, self.exit, 0)
            asyncio.get_running_loop().add_signal_handler(signal.SIGHUP, self._hang_up)
            self.set_timer(COLLECTOR_SECONDS, self._let_collector_work)
        self.run_worker(self._link.keep(), group="link", exit_on_error=True)

    async def on_unmount(self) -> None:
        """Let go of the engine."""
        self.context.kept.save()
        self.workers.cancel_group(self, "link")
        await self.context.client.close()

    def _save_at_rest(self) -> None:
        if self._saving is not None:
            self._saving.stop()
        self._saving = self.set_timer(REST_SECONDS, self.context.kept.save)

    def _hang_up(self) -> None:
        """End at once, as the terminal is closed, but with what the person likes written."""
        self.context.kept.save()
        asyncio.get_running_loop().remove_signal_handler(signal.SIGHUP)
        os.kill(os.getpid(), signal.SIGHUP)

    def _show_at_once(self) -> None:
        self._let_collector_work()
        self._fetch_added()
        if self.page is not None and self.page.is_mounted:
            self.page.on_screen_resume()

    def _let_collector_work(self) -> None:
        """End the rest that Python's collector has while the dashboard starts; what is there by now stays."""
        if not gc.isenabled():
            gc.freeze()
            gc.enable()

    def _tell_of_restart(self) -> None:
        self.notify("the engine was restarted; this is its new session", markup=False)

    # What the person's role allows

    async def run_action(
        self,
        action: str | ActionParseResult,
        default_namespace: DOMNode | None = None,
        namespaces: Mapping[str, DOMNode] | None = None,
    ) -> bool:
        """Carry out an action, or say why the person's role does not allow it."""
        name = action if isinstance(action, str) else action[1]
        reason = why_closed(name, self.board.role)
        if reason and isinstance(self.screen, Page):
            self.screen.warn(f"not for you: that {reason}, and you are {self.board.role}")
            return False
        return await super().run_action(action, default_namespace, namespaces)

    # Screens of plugins

    @work(exclusive=True, group="added")
    async def _fetch_added(self) -> None:
        """Learn which screens the engine's plugins add, and take their keys."""
        try:
            plugins = await self.context.client.plugins()
        except MoontideError:
            # The link tells what is wrong with the connection, and calls again once it is back.
            return
        self.context.added[:] = added_screens(plugins)
        for added in self.context.added:
            if added.key and added.key not in self._added_keys:
                self._added_keys.add(added.key)
                self.bind(added.key, f"added({added.key!r})", description=added.title, show=False)

    def action_added(self, key: str) -> None:
        """Open the screen that a plugin has put on a key."""
        for added in self.context.added:
            if added.key == key:
                self.open_added(added)

    @work
    async def open_added(self, added: AddedScreen) -> None:
        """Load a plugin's screen and open it."""
        page = self.page
        if page is None:
            return
        async with page.telling():
            kind = await asyncio.to_thread(load_screen, added)
            self.push_screen(kind(self.context, added.title))

    # Keys that hold everywhere

    def action_help(self) -> None:
        """Show the keys of the screen on top."""
        from tui.screens.help import HelpScreen

        if self.page is not None and not isinstance(self.page, HelpScreen):
            self.push_screen(HelpScreen(self.context, self.screen, self))

    @work
    async def action_reload(self) -> None:
        """Read the jobs folder again, after asking."""
        if self.page is not None:
            await reload_jobs(self.page)

    def action_redraw(self) -> None:
        """Draw everything again, after something else wrote on the terminal."""
        self.refresh(layout=True)
        self.screen.refresh()

    def action_theme(self) -> None:
        """Take the next theme."""
        names = [theme.name for theme in THEMES]
        at = names.index(self.theme) if self.theme in names else -1
        self.theme = names[(at + 1) % len(names)]
        self.context.kept.put("theme", self.theme)
        self.notify(f"theme {self.theme}", timeout=2, markup=False)

    def action_leave(self) -> None:
        """Quit; ask first where that stops the engine."""
        if not self._owns_engine:
            self.exit(0)
        elif self.page is not None:
            question = Confirm(
                "Stop the engine and quit?",
                "`moontide up` started this engine for you. Runs under way are given time to end.",
                "Stop the engine",
            )
            self.push_screen(question, lambda answer: self.exit(0) if answer == YES else None)

    def action_interrupt(self) -> None:
        """Do what Ctrl-C is expected to do where it stops the engine; elsewhere say how to leave."""
        if self._owns_engine:
            self.action_leave()
        else:
            self.notify("press q to quit; the engine goes on", timeout=3, markup=False)


def why_not(environment: dict[str, str], is_terminal: Callable[[], bool]) -> str | None:
    """Say why the dashboard cannot be drawn here, or None.

    Without a terminal Textual would paint into a pipe for ever, with one core for itself.
    """
    if environment.get("TEXTUAL_DRIVER"):
        return None
    if not is_terminal():
        return NO_TERMINAL
    if environment.get("TERM", "dumb") == "dumb":
        return f"{NO_TERMINAL} (TERM is dumb)"
    return None


def _is_terminal() -> bool:
    return sys.stdin.isatty() and sys.stdout.isatty()


def prepare_process() -> None:
    """Take back what a parent process may have set, and Textual cannot live with.

    With SIGHUP ignored, the dashboard would spin for ever once its terminal is closed; with COLUMNS or
    LINES in the environment it would never see a resize. In a browser they are how it learns of its size.
    SIGPIPE must not end it: an engine that goes away in the middle of a request is an error to be shown.
    """
    for number in (signal.SIGHUP, signal.SIGTERM, signal.SIGINT, signal.SIGCHLD):
        signal.signal(number, signal.SIG_DFL)
    signal.signal(signal.SIGPIPE, signal.SIG_IGN)
    if not os.environ.get("TEXTUAL_DRIVER"):
        for name in ("COLUMNS", "LINES"):
            os.environ.pop(name, None)


def run(
    place: Path | str,
    *,
    token: str | None = None,
    ca_file: Path | None = None,
    owns_engine: bool = False,
    memory: Path | None = None,
    role: Role | None = None,
) -> int:
    """Show the dashboard of an engine until the person leaves it.

    Args:
        place: the engine's socket, or the URL of its TCP listener.
        token: what the TCP listener asks for.
        ca_file: certificates of the authorities to trust at an https URL; the machine's by default.
        owns_engine: quitting stops the engine, and asks first.
        memory: the file in which filter, sort and theme are remembered; by default in the person's own home.
        role: be no more than this to the engine.

    Returns:
        the exit code: 0 after a normal end, 2 without a terminal that can be drawn on.
    """
    if reason := why_not(dict(os.environ), _is_terminal):
        print(f"moontide: {reason}", file=sys.stderr)
        return 2
    prepare_process()
    gc.disable()
    from engine.api.client import AsyncClient

    client = AsyncClient(place, token=token, ca_file=ca_file, role=role)
    editor = own_editor(os.environ, place, token)
    kept = Kept(memory or kept_path())
    return Dashboard(client, owns_engine=owns_engine, kept=kept, editor=editor).run() or 0
