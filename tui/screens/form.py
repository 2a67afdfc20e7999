"""The settings of a job as a form: judged while they are typed, before anything is written."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import ClassVar

from textual import events, on, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, VerticalScroll
from textual.timer import Timer
from textual.widget import Widget
from textual.widgets import Input, Static

from engine.errors import MoontideError, Refused
from engine.views import ComingView, DraftView, SettingView, listed
from tui.look import words
from tui.look.schedulewords import said_schedule
from tui.model.jobfile import STARTER
from tui.page import Context, Page
from tui.widgets.bars import Hint, Part, Prose, ProseLine, TitleBar
from tui.widgets.dialogs import YES, Confirm

#: So long after the last key the engine is asked what the settings mean.
JUDGE_SECONDS = 0.15


class Field(Horizontal):
    """One setting: its name, and the line in which it is typed."""

    def __init__(self, setting: SettingView) -> None:
        super().__init__()
        self.setting = setting
        self.fixed = ""

    def compose(self) -> ComposeResult:
        """Hold the name and the line."""
        yield Static(self.setting.name, markup=False)
        yield Input(placeholder=_default_words(self.setting.default), compact=True, select_on_focus=False)

    @property
    def line(self) -> Input:
        """The line in which the value is typed."""
        return self.query_one(Input)

    def show(self, typed: str, *, computed: bool) -> None:
        """Show the value that the file has."""
        self.line.value = typed.replace("\n", " ")
        if computed or "\n" in typed:
            self.fixed = "its value is computed in the file" if computed else "its value has several lines"
        else:
            self.fixed = ""
        self.line.disabled = bool(self.fixed)


class FormScreen(Page):
    """The settings of one job."""

    AUTO_FOCUS = ""
    HINTS: ClassVar[tuple[Hint, ...]] = (
        ("^s", "Save", "screen.save"),
        ("↑↓", "Field", "screen.next"),
        ("^e", "Editor", "screen.editor"),
        ("esc", "Back", "screen.leave"),
    )
    #: A question mark is text here.
    HELP_KEY: ClassVar[str] = "f1"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("ctrl+s", "save", "Save; a new job then opens in the editor", priority=True),
        Binding("down,enter,tab", "next", "Next setting", priority=True),
        Binding("up,shift+tab", "previous", "Setting before", priority=True),
        Binding("pagedown", "skip(8)", "Eight settings on", priority=True),
        Binding("pageup", "skip(-8)", "Eight settings back", priority=True),
        Binding("ctrl+e", "editor", "Edit the file as text instead", priority=True),
        Binding("escape", "leave", "Back; asks when there are changes", priority=True),
    ]

    def __init__(self, context: Context, name: str, *, new: bool = False) -> None:
        """Prepare the form.

        Args:
            name: the job's name.
            new: the file does not exist yet.
        """
        super().__init__(context)
        self.job_name = name
        self._new = new
        self._text = STARTER if new else ""
        self._hash: str | None = None
        self._shown: dict[str, str] = {}
        self._draft: DraftView | None = None
        self._judging: Timer | None = None

    def body(self) -> Iterable[Widget]:
        """Hold the fields, and below them what the one under the cursor is about."""
        yield TitleBar(self._title)
        yield VerticalScroll(id="fields", can_focus=False)
        yield Prose(id="about")

    def on_mount(self) -> None:
        """Fetch the file and what may be set."""
        self.query_one("#about").can_focus = False
        self._load()

    @work(exclusive=True, group="load")
    async def _load(self) -> None:
        async with self.telling():
            settings = await self.client.drafts.settings()
            if not self._new:
                source = await self.client.job_source(self.job_name)
                self._text, self._hash = source.text, source.hash
            draft = await self.client.drafts.draft(self.job_name, self._text)
            await self._show_fields(settings, draft)
            self._take(draft)
        if self._draft is None:
            # There is nothing to fill in; what went wrong is told on the screen below.
            self.action_back()

    async def _show_fields(self, settings: Iterable[SettingView], draft: DraftView) -> None:
        holder = self.query_one("#fields", VerticalScroll)
        await holder.remove_children()
        if draft.fixed:
            return
        fields = [Field(setting) for setting in settings]
        await holder.mount_all(fields)
        entries = {entry.name: entry for entry in draft.entries}
        for field in fields:
            if (entry := entries.get(field.setting.name)) is not None:
                field.show(entry.typed, computed=entry.computed)
        self._shown = self._typed()
        self.set_focus(next(field.line for field in fields if not field.fixed))

    # What is typed

    @property
    def fields(self) -> list[Field]:
        """All settings, in the order of the form."""
        return list(self.query(Field))

    @property
    def field(self) -> Field | None:
        """The setting under the cursor."""
        return next((field for field in self.fields if field.line.has_focus), None)

    def _typed(self) -> dict[str, str]:
        return {field.setting.name: field.line.value for field in self.fields}

    @property
    def changes(self) -> dict[str, str]:
        """What was typed anew, by setting."""
        return {name: typed for name, typed in self._typed().items() if typed != self._shown.get(name, "")}

    @on(Input.Changed)
    def _judge_soon(self) -> None:
        if self._judging is not None:
            self._judging.stop()
        self._judging = self.set_timer(JUDGE_SECONDS, self._judge)
        self.tick()

    @work(exclusive=True, group="judge")
    async def _judge(self) -> None:
        if not self.board.is_live:
            return
        try:
            draft = await self.client.drafts.draft(self.job_name, self._text, typed=self.changes)
        except MoontideError as error:
            self.log.warning(str(error))
        else:
            self._take(draft)

    def _take(self, draft: DraftView) -> None:
        if self.is_attached:
            self._draft = draft
            self.tick()

    def on_descendant_focus(self, event: events.DescendantFocus) -> None:
        """Tell about the setting that has the cursor now."""
        self.tick()

    # What is shown

    def tick(self) -> None:
        """Bring title and help up to date."""
        # Of a form that is being left they may be gone already.
        for title in self.query(TitleBar):
            title.tick()
        for about in self.query("#about").results(Prose):
            about.show(self._about())

    def _title(self) -> list[Part]:
        changed = ("  ● modified", "late") if self.is_mounted and self.changes else ("", "")
        return [
            (" jobs › ", "faint"),
            (words.clean(self.job_name), "name"),
            (" › new" if self._new else " › settings", "faint"),
            changed,
        ]

    def _about(self) -> list[ProseLine]:
        draft = self._draft
        if draft is None:
            return [[("reading the file …", "faint")]]
        if draft.fixed:
            return [
                [("The settings of this file cannot be changed one by one:", "late")],
                [(words.clean(draft.fixed), "")],
                [],
                [("Ctrl+E opens the file in the editor.", "faint")],
            ]
        return [*self._about_field(), *_verdict(draft, self.board.now())]

    def _about_field(self) -> list[ProseLine]:
        if (field := self.field) is None:
            return []
        setting = field.setting
        default = _default_words(setting.default)
        example = f"such as {setting.example.strip(chr(34))}"
        return [
            [(setting.name, "head"), (f"  {words.clean(setting.help)}", "")],
            [(example + (f"; {default} where the file says nothing" if default else ""), "faint")],
        ]

    # Actions

    def action_next(self) -> None:
        """Go to the next setting."""
        self.action_skip(1)

    def action_previous(self) -> None:
        """Go to the setting before."""
        self.action_skip(-1)

    def action_skip(self, step: int) -> None:
        """Go some settings on or back; the ends are ends."""
        lines = [field.line for field in self.fields if not field.fixed]
        if not lines:
            return
        at = next((place for place, line in enumerate(lines) if line.has_focus), 0)
        self.set_focus(lines[max(0, min(len(lines) - 1, at + step))])

    @work
    async def action_save(self) -> None:
        """Write the file with the changed settings, all else of it as it was."""
        if not self.can_act():
            return
        if not self.changes and not self._new:
            self.say("nothing was changed")
            return
        async with self.telling():
            await self._save(self.changes)

    async def _save(self, changes: Mapping[str, str]) -> None:
        draft = await self.client.drafts.draft(self.job_name, self._text, typed=changes)
        self._take(draft)
        if draft.error is not None:
            self.warn(f"not saved: {words.first_line(draft.error)}")
            return
        try:
            job = await self.client.write_job(
                self.job_name, draft.text, expected_hash=None if self._new else self._hash, create=self._new
            )
        except Refused as refusal:
            await self._onto_theirs(changes, refusal)
            return
        self.board.take_written(listed(job))
        self.say(f"{job.name} is saved and reloaded")
        self.dismiss()
        if self._new:
            self.edit(self.job_name)

    async def _onto_theirs(self, changes: Mapping[str, str], refusal: Refused) -> None:
        """Ask whether to change the same settings in the version that somebody else wrote meanwhile."""
        theirs = await self.client.job_source(self.job_name)
        if theirs.hash == self._hash:
            raise refusal
        listed = words.clean(", ".join(changes)) or "no setting"
        question = Confirm(
            "Somebody else changed this file meanwhile",
            f"Your changes ({listed}) can be made to the new version; nothing else of it changes.",
            "Change the new version",
        )
        if await self.app.push_screen_wait(question) == YES:
            self._new, self._text, self._hash = False, theirs.text, theirs.hash
            await self._save(changes)

    @work
    async def action_editor(self) -> None:
        """Open the file as text."""
        if self._new:
            self.warn("save the new job first; it then opens in the editor")
        elif await self._may_leave():
            self.dismiss()
            self.edit(self.job_name)

    @work
    async def action_leave(self) -> None:
        """Go back; ask first when something was changed."""
        if await self._may_leave():
            self.dismiss()

    async def _may_leave(self) -> bool:
        if not self.changes:
            return True
        question = Confirm("Leave without saving?", "What was changed is lost. Ctrl+S saves it.", "Leave")
        return await self.app.push_screen_wait(question) == YES


def _default_words(default: object) -> str:
    if default in (None, "", [], {}, ()):
        return ""
    if isinstance(default, bool):
        return "true" if default else "false"
    return f"{default:g}" if isinstance(default, float) else str(default)


def _verdict(draft: DraftView, now: datetime) -> list[ProseLine]:
    """Return what is wrong with the settings, or when the job would be due."""
    if draft.error is not None:
        return [[], [(f"✗ {words.clean(draft.error.strip())}", "bad")]]
    lines: list[ProseLine] = [[], [("✓ ", "ok"), (words.clean(said_schedule(draft.schedule)), "")]]
    return lines + [_coming_line(view, now) for view in draft.coming]


def _coming_line(view: ComingView, now: datetime) -> ProseLine:
    notes = words.clean(", ".join(view.notes))
    return [
        (f"  {words.moment(view.due)}", ""),
        (f"  {words.until(view.due, now):<10}", "faint"),
        (notes, "late"),
    ]
