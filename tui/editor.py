"""The editor of job files: read and written through the engine, with the hash of what was read."""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from typing import ClassVar

from textual import on, work
from textual.binding import Binding, BindingType
from textual.widget import Widget
from textual.widgets import Static, TextArea

from engine.errors import JobNotFound, MoontideError, Refused
from engine.views import JobView
from tui import words
from tui.bars import Hint, Part, TitleBar
from tui.dialogs import YES, Ask, Confirm, Dialog
from tui.lua import error_line
from tui.luaarea import LuaArea
from tui.page import Context, Page

#: What a new job begins with.
STARTER = """\
local job = core.job {
  every = "1h",
  description = "",
}

function job.run(run)
  core.log("hello")
  return job.OK
end

return job
"""

MINE = "mine"
THEIRS = "theirs"


class EditorScreen(Page):
    """One job file."""

    AUTO_FOCUS = "LuaArea"
    HINTS: ClassVar[tuple[Hint, ...]] = (
        ("^s", "Save", "screen.save"),
        ("f5", "Save, run", "screen.save_and_run"),
        ("f8", "Problem", "screen.problem"),
        ("^f", "Find", "screen.find"),
        ("^g", "Line", "screen.line"),
        ("esc", "Back", "screen.leave"),
    )
    #: A question mark is text here.
    HELP_KEY: ClassVar[str] = "f1"
    BINDINGS: ClassVar[list[BindingType]] = [
        # The text area takes Esc for itself; nobody would get out.
        Binding("escape", "leave", "Back; asks when there are changes", priority=True),
        Binding("ctrl+s", "save", "Save"),
        Binding("f5", "save_and_run", "Save and run"),
        Binding("f8", "problem", "Go to the line with the problem"),
        Binding("ctrl+f", "find", "Find", priority=True),
        Binding("ctrl+n", "find_next", "Find the next place"),
        Binding("ctrl+g", "line", "Go to a line"),
    ]

    def __init__(self, context: Context, name: str, *, new: bool = False) -> None:
        """Prepare the editor.

        Args:
            name: the job's name.
            new: the file does not exist yet.
        """
        super().__init__(context)
        self.job_name = name
        self._new = new
        self._hash: str | None = None
        self._saved = ""
        self._problem = ""
        self._sought = ""

    def body(self) -> Iterable[Widget]:
        """Hold the title, the text, and what is wrong with it."""
        yield TitleBar(self._title)
        yield LuaArea(STARTER if self._new else "")
        yield Static("", id="problems", markup=False)

    @property
    def area(self) -> LuaArea:
        """The text area."""
        return self.query_one(LuaArea)

    @property
    def is_changed(self) -> bool:
        """Whether there is something to save."""
        return self.area.text != self._saved

    def on_mount(self) -> None:
        """Fetch the file."""
        if not self._new:
            self._load()

    @work(exclusive=True)
    async def _load(self) -> None:
        async with self.telling():
            source = await self.client.job_source(self.job_name)
            self._take(source.text, source.hash)
            job = self.board.jobs.get(self.job_name)
            self._show_problem(job)

    def _take(self, text: str, source_hash: str) -> None:
        self._saved, self._hash = text, source_hash
        self.area.load_text(text)

    def _title(self) -> list[Part]:
        if not self.is_mounted:
            return []
        row, column = self.area.cursor_location
        changed = ("  ● modified", "late") if self.is_changed else ("  saved", "faint")
        place = f"   Ln {row + 1}, Col {column + 1}"
        return [
            (" jobs › ", "faint"),
            (words.clean(self.job_name), "name"),
            (" › edit", "faint"),
            changed,
            (place, ""),
        ]

    def tick(self) -> None:
        """Bring the title up to date."""
        self.query_one(TitleBar).tick()

    @on(TextArea.SelectionChanged)
    @on(TextArea.Changed)
    def _typed(self) -> None:
        self.tick()

    # Saving

    @work
    async def action_save(self) -> None:
        """Save the file; the engine reloads the job."""
        await self._save()

    @work
    async def action_save_and_run(self) -> None:
        """Save the file, and run the job if it can be used."""
        if not await self._save() or self._problem:
            return
        async with self.telling():
            run = await self.client.run_job(self.job_name)
            from tui.run import RunScreen

            self.app.push_screen(RunScreen(self.context, run.id))

    async def _save(self) -> bool:
        """Write the file; ask what to do if somebody else changed it meanwhile."""
        if not self.can_act():
            return False
        text = self.area.text
        try:
            job = await self._write(text)
        except Refused as error:
            return await self._resolve(text, error)
        except JobNotFound:
            # Somebody deleted the file: it is made anew.
            self._new = True
            return await self._save()
        except MoontideError as error:
            self.complain(error)
            return False
        self._was_saved(text, job)
        return True

    async def _write(self, text: str) -> JobView:
        return await self.client.write_job(
            self.job_name, text, expected_hash=None if self._new else self._hash, create=self._new
        )

    def _was_saved(self, text: str, job: JobView) -> None:
        self._saved, self._hash, self._new = text, job.source_hash, False
        self.board.take_job(job)
        self._show_problem(job)
        if not self._problem:
            self.say(f"{job.name} is saved and reloaded")
        self.tick()

    def _show_problem(self, job: JobView | None) -> None:
        broken = job is not None and job.status == "INVALID"
        self._problem = (job.error or job.reason) if job is not None and broken else ""
        shown = self.query_one("#problems", Static)
        shown.update(f"✗ {words.clean(self._problem.strip())}" if self._problem else "")
        shown.display = bool(self._problem)

    async def _resolve(self, text: str, refusal: Refused) -> bool:
        """Show what the other version holds, and let the person choose."""
        async with self.telling():
            theirs = await self.client.job_source(self.job_name)
            if theirs.hash == self._hash and not self._new:
                self.complain(refusal)
                return False
            answer = await self.app.push_screen_wait(conflict(theirs.text, text))
            if answer == THEIRS:
                self._new = False
                self._take(theirs.text, theirs.hash)
                self._show_problem(self.board.jobs.get(self.job_name))
            elif answer == MINE:
                self._new, self._hash = False, theirs.hash
                return await self._save()
        return False

    # Problems, finding, leaving

    def action_problem(self) -> None:
        """Go to the line that the problem names."""
        if line := error_line(self._problem):
            self.area.go_to(line)
        else:
            self.say("no problem is known; saving checks the file")

    @work
    async def action_find(self) -> None:
        """Ask what to find, and go there."""
        ask = Ask("Find", "", label="Find", value=self.area.selected_text or self._sought)
        if text := await self.app.push_screen_wait(ask):
            self._sought = text
            self.action_find_next()

    def action_find_next(self) -> None:
        """Go to the next place."""
        if not self.area.find(self._sought):
            self.warn(f"“{self._sought}” is not in the file" if self._sought else "Ctrl+F asks what to find")

    @work
    async def action_line(self) -> None:
        """Ask for a line and go there."""
        ask = Ask("Go to line", "", label="Go", check=_must_be_number)
        if text := await self.app.push_screen_wait(ask):
            self.area.go_to(int(text))

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


def conflict(theirs: str, mine: str) -> Dialog:
    """Return the question for a file that somebody else changed meanwhile."""
    lines = difflib.unified_diff(theirs.splitlines(), mine.splitlines(), "theirs", "mine", lineterm="", n=2)
    diff = words.clean("\n".join(lines)) or "Both are the same."
    return Dialog(
        "Somebody else changed this file meanwhile",
        diff,
        [(MINE, "Keep mine"), (THEIRS, "Take theirs")],
    )
