"""The page of one run: its log as it grows, its values, its calls, and the code that it ran."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterable
from typing import ClassVar

from textual import on, work
from textual.binding import Binding, BindingType
from textual.containers import Horizontal
from textual.widget import Widget
from textual.widgets import ContentSwitcher, Input

from engine.errors import EngineUnreachable, MoontideError
from engine.events import Event, HoldChanged, RunFinished, RunQueued, RunStarted
from engine.states import FINAL, RunStatus
from engine.views import RunView
from tui.deeds import jobdeeds
from tui.facts.runcalls import call_lines
from tui.facts.runlists import facts, status_of, values
from tui.facts.runpast import diff_lines, retry_of, source_lines
from tui.look import words
from tui.lua.tokens import error_line
from tui.model.places import RunPlace
from tui.page import Context, Page
from tui.widgets.bars import Hint, Hints, Part, Prose, ProseLine, TitleBar
from tui.widgets.filterline import FilterLine
from tui.widgets.tail import LEVELS, Tail

#: A followed log is redrawn so often.
FOLLOW_SECONDS = 0.25
#: Nothing tells of a call; the page asks so often while the calls of a run that goes on are shown.
CALLS_SECONDS = 1.0
LINES_FETCHED = 5000
TABS = ("log", "values", "code", "diff", "calls")


TABS_HINT: Hint = ("1-5", "Tabs", "screen.next_tab")
LOG_HINTS: tuple[Hint, ...] = (
    ("/", "Find", "screen.find"),
    ("v", "Level", "screen.level"),
    ("f", "Follow", "screen.follow"),
)


class RunScreen(Page):
    """One run."""

    AUTO_FOCUS = "Tail"
    HINTS: ClassVar[tuple[Hint, ...]] = (
        ("K", "Cancel", "screen.cancel"),
        ("x", "Run again", "screen.again"),
        ("esc", "Back", "screen.back"),
    )
    MORE_HINTS: ClassVar[tuple[Hint, ...]] = (
        ("o", "Job", "screen.job"),
        ("X", "Run with other data", "screen.again_with"),
        ("y", "Copy", "screen.copy"),
    )
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("1", "tab('log')", "Log"),
        Binding("2", "tab('values')", "Data, result, info and error"),
        Binding("3", "tab('code')", "Code"),
        Binding("4", "tab('diff')", "What changed in the code since then"),
        Binding("5", "tab('calls')", "Core calls, and what each took"),
        Binding("tab", "next_tab", "Next tab"),
        Binding("slash", "find", "Find in the log", key_display="/"),
        Binding("n", "find_next(1)", "Next place"),
        Binding("N", "find_next(-1)", "Place before"),
        Binding("v", "level", "Show only warnings, errors, all again"),
        Binding("f", "follow", "Follow the end of the log"),
        Binding("K", "cancel", "Cancel the run"),
        Binding("x", "again", "Run again with the same data"),
        Binding("X", "again_with", "Run again with edited data"),
        Binding("left_square_bracket", "attempt(-1)", "The attempt before, of which this is a retry"),
        Binding("right_square_bracket", "attempt(1)", "The attempt after"),
        Binding("O", "caller", "Open the run that asked for this one"),
        Binding("o", "job", "Open the job"),
        Binding("y", "copy", "Copy what the tab shows"),
    ]

    def __init__(self, context: Context, run_id: int) -> None:
        """Prepare the page of the run with this number."""
        super().__init__(context)
        self.run_id = run_id
        self._run: RunView | None = None
        self._code: list[ProseLine] = []
        self._source = ""
        self._diff: list[ProseLine] = []
        self._tab = TABS[0]
        self._stale = True
        self._fetching = False
        self._came = asyncio.Event()

    def body(self) -> Iterable[Widget]:
        """Hold the title, the tabs, and beside them the facts."""
        yield TitleBar(self._title)
        yield TitleBar(self._tabs)
        yield FilterLine("what to find in the log; Enter keeps it, n and N go on", label="find")
        with Horizontal():
            with ContentSwitcher(initial="log"):
                yield Tail(empty="Fetching the log …", id="log")
                yield Prose(id="values")
                yield Prose(id="code")
                yield Prose(id="diff")
                yield Prose(id="calls")
            yield Prose(id="side")

    def hints(self) -> tuple[Hint, ...]:
        """Return the keys of the tab."""
        return (TABS_HINT, *(LOG_HINTS if self._tab == TABS[0] else ()), *super().hints())

    @property
    def tail(self) -> Tail:
        """The log."""
        return self.query_one(Tail)

    def on_mount(self) -> None:
        """Fetch the run, and more whenever it wrote something or ended."""
        self._unlisten = self.board.listen(self._heard)
        self.set_interval(FOLLOW_SECONDS, self._fetch_if_stale)
        self.set_interval(CALLS_SECONDS, self._look_at_calls)

    def on_unmount(self) -> None:
        """Listen no more."""
        self._unlisten()

    def on_screen_resume(self) -> None:
        """Look again: what happened while there was no connection was not heard."""
        self._stale = True
        super().on_screen_resume()
        self._fetch_if_stale()

    def _heard(self, event: Event) -> None:
        if getattr(event, "run", None) == self.run_id or self._moves_line(event):
            self._stale = True

    def _moves_line(self, event: Event) -> bool:
        """Return whether an event may have changed the run's place among those that wait."""
        waits = self._run is not None and self._run.position is not None
        return waits and isinstance(event, RunQueued | RunStarted | RunFinished | HoldChanged)

    def _look_at_calls(self) -> None:
        going = self._run is not None and self._run.status == RunStatus.RUNNING
        if going and self._tab == "calls":
            self._stale = True

    def _fetch_if_stale(self) -> None:
        # One fetch at a time: begun anew by each line of the log, none would come to its end on a slow way.
        wanted = self._stale and not self._fetching and self.board.is_live
        if wanted and self.is_current and self.app.is_running:
            self._stale, self._fetching = False, True
            self._fetch()

    # In a group of its own: the actions of the page are workers too, and go on.
    @work(exclusive=True, group="fetch")
    async def _fetch(self) -> None:
        try:
            self._run = await self.client.run(self.run_id)
            await self._fetch_log()
            if not self._code:
                self._code, self._diff = await self._code_lines(self._run), await self._diff_lines(self._run)
        except EngineUnreachable as error:
            # The line on top says so, and the page is fetched anew once there is a connection.
            self.log.info(str(error))
            self._stale = True
        except MoontideError as error:
            self.complain(error)
        finally:
            self._fetching = False
            self._came.set()
        if self.is_attached and self.app.is_running:
            self.tail.say_empty("" if self._run is None else "The run wrote nothing to its log.")
            self.tick()

    async def _fetch_log(self) -> None:
        # A dashboard that ends takes its pages down part by part, also while an answer is waited for.
        while self.app.is_running:
            lines = await self.client.log(self.run_id, after=self.tail.last_number, limit=LINES_FETCHED)
            if self.app.is_running:
                self.tail.add(lines)
            if len(lines) < LINES_FETCHED:
                return

    async def _code_lines(self, run: RunView) -> list[ProseLine]:
        try:
            source = await self.client.history.source(run.id)
        except MoontideError as error:
            return [[(words.clean(str(error)), "late")]]
        self._source = source.text or ""
        return source_lines(source, marked=error_line(run.error))

    async def _diff_lines(self, run: RunView) -> list[ProseLine]:
        try:
            return diff_lines(await self.client.history.diff(run.id))
        except MoontideError as error:
            return [[(words.clean(str(error)), "late")]]

    # Following the run

    def tick(self) -> None:
        """Show what changed since the last tick."""
        for bar in self.query(TitleBar):
            bar.tick()
        if self._run is None:
            return
        self._tell_place()
        self.query_one("#side", Prose).show([*facts(self._run, self.board), [], *values(self._run)])
        self.query_one("#values", Prose).show([*facts(self._run, self.board), [], *values(self._run)])
        self.query_one("#code", Prose).show(self._code)
        self.query_one("#diff", Prose).show(self._diff)
        self.query_one("#calls", Prose).show(call_lines(self._run, self.board))

    def _title(self) -> list[Part]:
        lead: list[Part] = [(" runs › ", "faint"), (str(self.run_id), "name")]
        if (run := self._run) is None:
            failed = self._came.is_set()
            return [*lead, ("  could not be fetched", "bad") if failed else ("  fetching …", "faint")]
        error = f"  {words.first_line(run.error)}" if run.error else ""
        return [*lead, (f"  {words.clean(run.job)}  ", ""), status_of(run), (error, "bad")]

    def _tabs(self) -> list[Part]:
        named = [
            (f" {at} {tab.title()} ", "name" if tab == self._tab else "faint")
            for at, tab in enumerate(TABS, 1)
        ]
        return [*named, *(self._tail_parts() if self._tab == TABS[0] else ())]

    def _tail_parts(self) -> list[Part]:
        if not self.is_mounted:
            return []
        tail = self.tail
        going = self._run is not None and self._run.status not in FINAL
        parts: list[Part] = [("   following", "busy")] if tail.following and going else []
        if tail.least_level != LEVELS[0]:
            parts.append((f"   only {tail.least_level} and above", "late"))
        return parts

    @on(Tail.Changed)
    def _tail_changed(self) -> None:
        self.tick()

    # Search and levels

    def _tell_place(self) -> None:
        self.query_one(FilterLine).tell(self.tail.place())

    def action_find(self) -> None:
        """Type what to look for."""
        self.action_tab("log")
        self.query_one(FilterLine).open()

    @on(Input.Changed)
    def _find_typed(self, message: Input.Changed) -> None:
        self.tail.seek(message.value)
        self._tell_place()

    @on(Input.Submitted)
    def action_leave_filter(self) -> None:
        """Go to the first place found."""
        self.set_focus(self.tail)
        self.action_find_next(1)

    def action_find_next(self, step: int) -> None:
        """Go to the next place found, or to the one before."""
        if not self.tail.seek_next(step):
            self.warn("not found in the log" if self.tail.sought else "press / and type what to find")

    def action_level(self) -> None:
        """Hide the least of the levels shown; after the last, show all again."""
        at = LEVELS.index(self.tail.least_level)
        self.tail.show_level(LEVELS[(at + 1) % len(LEVELS)])
        self.tick()

    def action_follow(self) -> None:
        """Go to the end of the log and stay there."""
        self.tail.action_follow()

    # Actions

    def action_tab(self, name: str) -> None:
        """Show a tab."""
        self.query_one(ContentSwitcher).current = self._tab = name
        # What stands at the side is on this tab already.
        self.set_class(name == "values", "-alone")
        self.query_one(Hints).show(self.hints())
        self.set_focus(self.query_one(f"#{name}"))
        self.tick()

    def action_next_tab(self) -> None:
        """Show the next tab."""
        self.action_tab(TABS[(TABS.index(self._tab) + 1) % len(TABS)])

    async def _here(self) -> RunView | None:
        """Return the run; a key that came before it waits for it."""
        if self._run is None and self.can_act():
            await self._came.wait()
            if self._run is None:
                self.warn("nothing was done: the run could not be fetched")
        return self._run

    @work
    async def action_cancel(self) -> None:
        """Cancel the run."""
        if (run := await self._here()) is not None:
            await jobdeeds.cancel_runs(self, [run])

    @work
    async def action_again(self) -> None:
        """Run the job again with the same data, and follow the new run."""
        run = await self._here()
        if run is not None and (new := await jobdeeds.run_again(self, run)):
            self.open_run(new.id)

    @work
    async def action_again_with(self) -> None:
        """Run the job again with data that is edited first, and follow the new run."""
        run = await self._here()
        job = None if run is None else self.board.jobs.get(run.job)
        if run is None or job is None:
            return
        data = json.dumps({} if run.data is None else run.data)
        if new := await jobdeeds.run_with_data(self, job, data):
            self.open_run(new.id)

    @work
    async def action_attempt(self, step: int) -> None:
        """Go to the attempt before or after this one."""
        run = await self._here()
        if run is None or not self.can_act():
            return
        async with self.telling():
            other = run.rescheduled_from if step < 0 else await retry_of(self.client, run)
            if other is None:
                self.warn("this is the first attempt" if step < 0 else "no further attempt followed so far")
            else:
                self.context.guide.go_instead(RunPlace(other))

    @work
    async def action_caller(self) -> None:
        """Open the run that asked for this one."""
        run = await self._here()
        if run is not None and run.called_by is not None:
            self.open_run(run.called_by)
        elif run is not None:
            self.warn("no run asked for this one")

    @work
    async def action_job(self) -> None:
        """Open the page of the job."""
        if (run := await self._here()) is not None:
            self.open_job(run.job)

    @work
    async def action_copy(self) -> None:
        """Copy what the tab shows, the code without the numbers of its lines."""
        tab = self._tab
        if await self._here() is None:
            return
        if tab == "log":
            text = self.tail.text
            self.copy(text, f"{words.plural(len(text.splitlines()), 'line')} of the log")
        elif tab == "code":
            self.copy(self._source, "the code of this run")
        else:
            self.copy(self.query_one(f"#{tab}", Prose).plain, "this page")
