"""Questions: what cannot be undone starts on Cancel, Esc always means Cancel."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Sequence
from typing import Any, ClassVar

from rich.cells import cell_len
from rich.console import RenderableType
from textual import events
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical, VerticalScroll
from textual.message import Message
from textual.renderables.background_screen import BackgroundScreen
from textual.screen import ModalScreen
from textual.widget import Widget
from textual.widgets import Input, Static


class Choice(Static, can_focus=True):
    """One answer to a question."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("enter,space", "choose", "Choose", show=False)]

    class Chosen(Message):
        """This answer was given."""

        def __init__(self, answer: str) -> None:
            super().__init__()
            self.answer = answer

    def __init__(self, answer: str, label: str) -> None:
        super().__init__(label, markup=False)
        self.answer = answer

    def action_choose(self) -> None:
        """Give this answer."""
        self.post_message(self.Chosen(self.answer))

    def on_click(self, event: events.Click) -> None:
        """Give this answer."""
        event.stop()
        self.action_choose()


CANCEL = ""
YES = "yes"

#: How wide the box of a question is at most, and what its border and the blanks inside take of that.
BOX_COLUMNS = 72
AROUND_BOX = 6
#: The blanks inside of an answer and behind it.
AROUND_CHOICE = 4

#: What a question for text says behind the answer that Enter gives from its last line.
ENTER = "⏎"


class Dialog(ModalScreen[str]):
    """A question with answers. It gives the chosen answer, "" for Cancel."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "cancel", "Cancel", show=False),
        Binding("left,h", "app.focus_previous", "Previous answer", show=False),
        Binding("right,l", "app.focus_next", "Next answer", show=False),
        Binding("up", "scroll_text(-1)", "Text up", show=False),
        Binding("down", "scroll_text(1)", "Text down", show=False),
        Binding("pageup", "scroll_text(-10)", "Text up by a page", show=False),
        Binding("pagedown", "scroll_text(10)", "Text down by a page", show=False),
    ]

    def __init__(self, title: str, message: str = "", answers: Sequence[tuple[str, str]] = ()) -> None:
        """Prepare a question.

        Args:
            answers: each answer and its label; Cancel is there by itself, and has the focus.
        """
        super().__init__()
        self.question = title
        self._message = message
        self._answers = answers

    def render(self) -> RenderableType:
        """Draw the screen below, dimmed.

        Textual forgets that one where this screen is drawn twice in one go, and leaves it black.
        """
        stack = self.app.screen_stack
        return BackgroundScreen(stack[stack.index(self) - 1], self.styles.background)

    def compose(self) -> ComposeResult:
        """Hold the question, what is asked for, and the answers."""
        with Vertical(id="box"):
            yield Static(self.question, id="title", markup=False)
            if self._message:
                with VerticalScroll(id="body", can_focus=False):
                    yield Static(self._message, id="message", markup=False)
            yield from self.fields()
            with Horizontal(id="choices"):
                yield Choice(CANCEL, "Cancel")
                for answer, label in self._answers:
                    yield Choice(answer, label)

    def fields(self) -> ComposeResult:
        """Hold what the person fills in; nothing here."""
        yield from ()

    def on_mount(self) -> None:
        """Put the focus where the question starts."""
        self.set_focus(self.start())

    def on_resize(self) -> None:
        """Let the answers stand below each other where they have no room side by side."""
        labels = [str(choice.content) for choice in self.query(Choice)]
        needed = sum(cell_len(label) + AROUND_CHOICE for label in labels)
        self.set_class(needed > min(self.size.width, BOX_COLUMNS) - AROUND_BOX, "-stacked")

    def start(self) -> Widget:
        """Return what has the focus first: Cancel."""
        return self.query(Choice).first()

    def action_scroll_text(self, lines: int) -> None:
        """Scroll what is said above the answers."""
        for body in self.query("#body"):
            body.scroll_relative(y=lines, animate=False)

    def on_choice_chosen(self, message: Choice.Chosen) -> None:
        """Take the answer."""
        self.take(message.answer)

    def take(self, answer: str) -> None:
        """End with an answer."""
        self.dismiss(answer)

    def action_cancel(self) -> None:
        """End without doing anything."""
        self.dismiss(CANCEL)


class Confirm(Dialog):
    """A question for yes or no; `y` and `n` answer it too."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("y", "yes", "Yes", show=False),
        Binding("n", "cancel", "No", show=False),
    ]

    def __init__(self, title: str, message: str, yes: str) -> None:
        """Prepare a question.

        Args:
            yes: the label of the answer that does it, such as "Deactivate".
        """
        super().__init__(title, message, [(YES, f"{yes} (y)")])

    def action_yes(self) -> None:
        """Do it."""
        self.dismiss(YES)


class Ask(Dialog):
    """A question for one line of text. It gives the text, "" for Cancel."""

    def __init__(
        self,
        title: str,
        message: str,
        *,
        label: str,
        value: str = "",
        check: Callable[[str], str | None] = lambda _: None,
    ) -> None:
        """Prepare a question.

        Args:
            label: of the answer that takes the text.
            check: says what is wrong with a text, or None.
        """
        super().__init__(title, message, [(YES, f"{label} ({ENTER})")])
        self._value = value
        self._check = check

    def fields(self) -> ComposeResult:
        """Hold the line and what is wrong with it."""
        yield Input(self._value, compact=True)
        yield Static("", id="problem", markup=False)

    def start(self) -> Widget:
        """Start in the line: nothing happens before it is filled in."""
        return self.query_one(Input)

    def on_input_submitted(self) -> None:
        """Take the text if it can be used."""
        text = self.query_one(Input).value.strip()
        problem = self._check(text) if text else "it is empty; Esc cancels"
        if problem:
            self.query_one("#problem", Static).update(problem)
        else:
            self.dismiss(text)

    def take(self, answer: str) -> None:
        """Take the text, or cancel."""
        if answer == CANCEL:
            self.dismiss(CANCEL)
        else:
            self.on_input_submitted()


def must_be(name: str) -> Callable[[str], str | None]:
    """Return a check that wants exactly this name typed."""
    return lambda text: None if text == name else f"type {name} to go on; Esc cancels"


def must_be_json(text: str) -> str | None:
    """Say why a text is no JSON, or None."""
    try:
        json.loads(text, parse_constant=_no_constant)
    except ValueError as error:
        return f'it is not JSON ({error}); write for example {{"shop": 3}}'
    return None


def _no_constant(name: str) -> Any:
    raise ValueError(f"{name} is no JSON value")


def names_in_words(names: Iterable[str], most: int = 8) -> str:
    """Return names as lines of a question, cut where they are many."""
    listed = list(names)
    more = [f"and {len(listed) - most} more"] if len(listed) > most else []
    return "\n".join([*listed[:most], *more])
