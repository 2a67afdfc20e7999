"""The editor of job files: read and written through the engine, which says what is wrong as one types."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import suppress
from typing import TYPE_CHECKING, ClassVar

from textual import on, work
from textual.binding import Binding, BindingType
from textual.containers import Container
from textual.widget import Widget
from textual.widgets import Static, TextArea

from engine.errors import EngineUnreachable, MoontideError
from engine.views import DraftView, JobView, RunView, listed
from tui.editor.codepane import CodePane
from tui.editor.luaarea import LuaArea
from tui.editor.trial import Trial
from tui.facts.problems import Problem, ProblemList, of_draft, of_job, of_run
from tui.look import words
from tui.lua.vocabulary import Vocabulary
from tui.model.draftwatch import DraftWatch
from tui.model.jobfile import STARTER, ChangedMeanwhile, JobFile
from tui.model.runfollow import follow_run
from tui.page import Context, Page
from tui.widgets.bars import Hint, Part, TitleBar
from tui.widgets.conflict import MINE, THEIRS, conflict
from tui.widgets.dialogs import YES, Ask, Confirm

if TYPE_CHECKING:
    from engine.api.answers import Source

#: Of an engine that does not watch the jobs folder, it is asked so often whether somebody changed the file.
LOOK_SECONDS = 5.0


class EditorScreen(Page):
    """One job file."""

    AUTO_FOCUS = "LuaArea"
    #: From so many columns on, the log of a run stands at the right of the code, else below.
    HORIZONTAL_BREAKPOINTS = [(0, "-narrow"), (120, "-wide")]  # noqa: RUF012
    HINTS: ClassVar[tuple[Hint, ...]] = (
        ("^s", "Save", "screen.save"),
        ("f5", "Run", "screen.save_and_run"),
        ("f8", "Problem", "screen.problem"),
        ("f2", "Complete", "screen.complete"),
        ("f3", "Doc", "screen.explain"),
        ("^f", "Find", "screen.find"),
        ("esc", "Back", "screen.step_back"),
        ("^g", "Line", "screen.line"),
    )
    #: A question mark is text here.
    HELP_KEY: ClassVar[str] = "f1"
    BINDINGS: ClassVar[list[BindingType]] = [
        # The text area takes Esc for itself; nobody would get out.
        Binding(
            "escape",
            "step_back",
            "Close what is open; else back, asking when there are changes",
            priority=True,
        ),
        Binding("ctrl+s", "save", "Save"),
        Binding("f5", "save_and_run", "Run, with the log beside the code; asks to save first"),
        Binding("f4", "cancel_run", "Cancel that run"),
        Binding("f12", "other_side", "Go to the log beside the code, or back"),
        Binding("f8", "problem", "Go to the next line with a problem"),
        Binding("f2,ctrl+at", "complete", "Complete what is typed"),
        Binding("f3", "explain", "Explain the function or setting under the cursor, or stop that"),
        Binding("ctrl+f", "find", "Find", priority=True),
        Binding("ctrl+r", "replace", "Find and replace", priority=True),
        Binding("ctrl+n", "find_next(1)", "Find the next place"),
        Binding("alt+n", "find_next(-1)", "Find the place before"),
        Binding("ctrl+g", "line", "Go to a line"),
        Binding("ctrl+t", "theirs", "See what somebody else changed meanwhile"),
    ]

    def __init__(self, context: Context, name: str, *, new: bool = False) -> None:
        """Prepare the editor.

        Args:
            name: the job's name.
            new: the file does not exist yet.
        """
        super().__init__(context)
        self.job_name = name
        self._file = JobFile(context.client, name, new=new)
        self._problems = ProblemList()
        self._watch = DraftWatch(self._ask, self._take_draft)
        self._problems_of_text: list[Problem] = []
        self._run_problems: list[Problem] = []
        self._theirs: Source | None = None
        self._hash_looked_at: str | None = None

    def body(self) -> Iterable[Widget]:
        """Hold the title, the text, and what is wrong with it."""
        yield TitleBar(self._title)
        with Container(id="work"):
            yield CodePane(STARTER if self._file.is_new else "", self._vocabulary)
            yield Trial(self.board)
        yield Static("", id="problems", markup=False)

    @property
    def area(self) -> LuaArea:
        """The text area."""
        return self.pane.area

    @property
    def pane(self) -> CodePane:
        """The text with what helps to write it."""
        return self.query_one(CodePane)

    @property
    def trial(self) -> Trial:
        """The run beside the code."""
        return self.query_one(Trial)

    @property
    def _is_here(self) -> bool:
        return self._file.is_new or self._file.hash is not None

    @property
    def is_changed(self) -> bool:
        """Whether there is something to save."""
        return self.area.text != self._file.saved

    def on_mount(self) -> None:
        """Fetch the file, and begin to ask what is wrong with it."""
        self.run_worker(self._watch.keep(), group="draft")
        self._learn()
        self.set_interval(LOOK_SECONDS, self._look_where_nobody_watches)
        if self._file.is_new:
            self._watch.changed()
        else:
            # What was typed now would be lost when the text comes.
            self.area.read_only = True
            self._load()

    @work(exclusive=True, group="load")
    async def _load(self) -> None:
        async with self.telling():
            self.area.load_text(await self._file.read())
            self.area.read_only = False

    def _title(self) -> list[Part]:
        if not self.is_mounted:
            return []
        row, column = self.area.cursor_location
        place = f"   Ln {row + 1}, Col {column + 1}"
        return [
            (" jobs › ", "faint"),
            (words.clean(self.job_name), "name"),
            (" › edit", "faint"),
            self._standing(),
            *([("  ! changed by somebody else", "late")] if self._theirs else []),
            *self._problems.count(),
            (place, ""),
        ]

    def _standing(self) -> Part:
        """Return how the text stands to the file."""
        if not self._is_here:
            return "  fetching …", "faint"
        return ("  ● modified", "late") if self.is_changed else ("  saved", "faint")

    def tick(self) -> None:
        """Bring the title up to date, and ask again about what could not be answered."""
        self.query_one(TitleBar).tick()
        self.trial.tick()
        job = self.board.jobs.get(self.job_name)
        if job is not None and job.source_hash != self._hash_looked_at:
            self._hash_looked_at = job.source_hash
            self._look_for_theirs()

    @on(TextArea.Changed)
    def _typed(self) -> None:
        self._watch.changed()

    @on(CodePane.Moved)
    def _moved(self) -> None:
        self.tick()
        self._show_problem()

    # Completion and help

    @work(group="learn")
    async def _learn(self) -> None:
        """Fetch what job files may name, unless that is known already of this session of the engine."""
        if self._vocabulary() is not None or self.board.engine is None:
            return
        session, drafts = self.board.engine.session, self.client.drafts
        async with self.telling():
            classes, settings = await drafts.classes(), await drafts.settings()
            self.context.vocabularies[session] = Vocabulary(classes, settings, lambda: self.board.jobs)

    def _vocabulary(self) -> Vocabulary | None:
        engine = self.board.engine
        return self.context.vocabularies.get(engine.session) if engine is not None else None

    def action_complete(self) -> None:
        """Show what can stand at the cursor."""
        if self._vocabulary() is None:
            self._learn()
            self.say("what job files may name is being fetched; press it again")
        elif not self.pane.complete():
            self.say("nothing is known that could stand here")

    def action_explain(self) -> None:
        """Show what is known of the name under the cursor, or close that."""
        self.pane.toggle_help()

    # Problems as one types

    async def _ask(self) -> DraftView | MoontideError:
        """Ask the engine what the text would be as the job's file."""
        try:
            return await self.client.drafts.draft(self.job_name, self.area.text)
        except MoontideError as error:
            return error

    def _take_draft(self, draft: DraftView | MoontideError) -> None:
        if isinstance(draft, EngineUnreachable):
            # The bar on top tells of that; what is known of the text may be out of date.
            self._problems_of_text = []
        elif isinstance(draft, MoontideError):
            self._problems_of_text = [Problem(None, str(draft))]
        else:
            self._problems_of_text = of_draft(draft) or self._problems_of_file()
        self._show_problems()

    def _problems_of_file(self) -> list[Problem]:
        """Return what is wrong with the file beside its text, such as another file of the same name."""
        return [] if self.is_changed else of_job(self.board.jobs.get(self.job_name))

    def _show_problems(self) -> None:
        self._problems = ProblemList([*self._problems_of_text, *self._run_problems])
        self.area.mark(dict.fromkeys(self._problems.lines, "bad"))
        self._show_problem()
        self.tick()

    def _show_problem(self) -> None:
        text = self._problems.words_at(self.area.cursor_location[0] + 1)
        shown = self.query_one("#problems", Static)
        if text != shown.content:
            shown.update(text)
            shown.display = bool(text)

    def action_problem(self) -> None:
        """Go to the next line that has a problem."""
        if line := self._problems.after(self.area.cursor_location[0] + 1):
            self.area.go_to(line)
        elif self._problems:
            self.say("this problem is about no line")
        else:
            self.say("no problem is known")

    # Saving

    @work
    async def action_save(self) -> None:
        """Save the file; the engine reloads the job."""
        await self._save()

    async def _save(self) -> JobView | None:
        """Write the file, and return the job if that was done; a conflict is asked about."""
        if not self.can_act():
            return None
        if not self._is_here:
            self.warn("nothing was saved: the file could not be fetched so far")
            return None
        try:
            job = await self._file.write(self.area.text)
        except ChangedMeanwhile as changed:
            return await self._resolve(changed.theirs)
        except MoontideError as error:
            self.complain(error)
            return None
        self._was_saved(job)
        return job

    def _was_saved(self, job: JobView) -> None:
        self.board.take_written(listed(job))
        self._theirs = None
        self._run_problems, self._problems_of_text = [], of_job(job)
        self._show_problems()
        if not of_job(job):
            self.say(f"{job.name} is saved and reloaded")
        self._watch.changed()
        self.tick()

    async def _resolve(self, theirs: Source) -> JobView | None:
        """Show what the other version holds, and let the person choose; return the job if mine was saved."""
        answer = await self.app.push_screen_wait(conflict(theirs.text, self.area.text))
        if answer == THEIRS:
            self._take(theirs)
        elif answer == MINE:
            self._file.build_on(theirs)
            return await self._save()
        return None

    # What others do to the file meanwhile

    def _look_where_nobody_watches(self) -> None:
        """Look for what no event will tell of; where the engine watches, `tick` sees the file's new hash."""
        if self.board.engine is not None and not self.board.engine.watches:
            self._look_for_theirs()

    @work(exclusive=True, group="theirs")
    async def _look_for_theirs(self) -> None:
        """Ask whether the file is another one by now than was read or written here."""
        if self._file.hash is None or not self.board.is_live or not self.is_current:
            return
        # Without an engine the bar on top says so, and the next look comes soon.
        with suppress(MoontideError):
            self._met(await self._file.theirs())

    def _met(self, theirs: Source | None) -> None:
        """Take their text where nothing was changed here; else say that there is another one."""
        known, self._theirs = self._theirs, theirs
        if theirs is None or not self.query(LuaArea):
            return
        if not self.is_changed:
            self._take(theirs)
            self.say(f"somebody else changed {self.job_name}; this is their version")
        elif known is None or known.hash != theirs.hash:
            self.warn("somebody else changed this file meanwhile; Ctrl+T shows the difference")

    def _take(self, theirs: Source) -> None:
        """Go on from another version, with the cursor where it was."""
        place = self.area.cursor_location
        self._file.take(theirs)
        self.area.load_text(theirs.text)
        self.area.move_cursor(place)
        self._theirs = None
        self.tick()

    @work
    async def action_theirs(self) -> None:
        """Show what somebody else changed, and let the person choose whose text to go on with."""
        theirs = self._theirs
        if theirs is None:
            self.say("nobody else changed the file")
            return
        answer = await self.app.push_screen_wait(conflict(theirs.text, self.area.text))
        if answer == THEIRS:
            self._take(theirs)
        elif answer == MINE:
            self._file.build_on(theirs)
            self._theirs = None
            self.say("yours is kept; Ctrl+S writes it in the place of theirs")

    # Running

    @work(exclusive=True, group="trial")
    async def action_save_and_run(self) -> None:
        """Save the file after asking, run the job, and follow its log beside the code."""
        if self._problems_of_text:
            self.warn(f"not run: {self._problems_of_text[0].words()}")
        elif self.can_act() and await self._is_ready_to_run():
            async with self.telling():
                await self._run(await self.client.run_job(self.job_name))

    async def _is_ready_to_run(self) -> bool:
        """Save what was changed, if the person says so; return whether the job can be run as it is shown."""
        if not self.is_changed and not self._file.is_new:
            return True
        question = Confirm(
            "Save and run?",
            "The file is written and the job reloaded; then it runs once, now.",
            "Save and run",
        )
        if await self.app.push_screen_wait(question) != YES:
            return False
        job = await self._save()
        return job is not None and not of_job(job)

    async def _run(self, run: RunView) -> None:
        self._run_problems = []
        self.trial.begin(run)
        self._show_problems()
        ended = await follow_run(self.client, self.board, run.id, self.trial.take)
        self._run_problems = of_run(ended)
        self._show_problems()

    @work
    async def action_cancel_run(self) -> None:
        """Cancel the run beside the code."""
        if self.trial.run_id is None:
            self.say("no run goes on here; F5 starts one")
            return
        async with self.telling():
            await self.client.cancel(self.trial.run_id)

    def action_other_side(self) -> None:
        """Go to the log beside the code, or back to the code."""
        if not self.trial.display:
            self.say("no run is shown here; F5 starts one")
        elif self.trial.tail.has_focus:
            self.set_focus(self.area)
        else:
            self.set_focus(self.trial.tail)

    # Finding, leaving

    def action_find(self) -> None:
        """Type what to find."""
        self.pane.open_find()

    def action_replace(self) -> None:
        """Type what to find, and what is to take its place."""
        self.pane.open_replace()

    @on(CodePane.Replaced)
    def _tell_replaced(self, message: CodePane.Replaced) -> None:
        places = words.plural(message.count, "place")
        self.say(f"replaced {places}; Ctrl+Z takes that back" if message.count else "nothing was found")

    def action_find_next(self, step: int) -> None:
        """Go to the next place, or to the one before."""
        if trouble := self.pane.find_next(step):
            self.warn(trouble)

    @work
    async def action_line(self) -> None:
        """Ask for a line and go there."""
        ask = Ask("Go to line", "", label="Go", check=_must_be_number)
        if text := await self.app.push_screen_wait(ask):
            self.area.go_to(int(text))

    def action_step_back(self) -> None:
        """Close what is open over or beside the text, the nearest first; without anything, leave."""
        if self.trial.tail.has_focus:
            self.set_focus(self.area)
        elif self.pane.close_one():
            return
        elif self.trial.display:
            self.trial.display = False
        else:
            self.action_leave()

    @work
    async def action_leave(self) -> None:
        """Go back; ask first when there is something to save."""
        if self.is_changed and not await self._may_be_lost():
            return
        self.action_back()

    async def _may_be_lost(self) -> bool:
        question = Confirm("Leave without saving?", "What was changed is lost. Ctrl+S saves it.", "Leave")
        return await self.app.push_screen_wait(question) == YES


def _must_be_number(text: str) -> str | None:
    return None if text.isascii() and text.isdigit() else "write the number of a line"
