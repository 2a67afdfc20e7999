"""A question with several lines to fill in, each with a label; and how people write the end of a pause."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, time, timedelta

from textual import on
from textual.app import ComposeResult
from textual.widget import Widget
from textual.widgets import Input, Static

from engine.times.quantities import parse_duration
from tui.widgets.dialogs import CANCEL, ENTER, YES, Dialog

_OF_TODAY = re.compile(r"\d\d:\d\d(:\d\d)?")

END_HELP = "write 2h, 18:00 or 2026-12-24T18:00, or nothing"


@dataclass(frozen=True, slots=True)
class Blank:
    """One line to fill in.

    Attributes:
        check: says what is wrong with a text, or None.
    """

    name: str
    label: str
    check: Callable[[str], str | None] = lambda _: None
    value: str = ""


class FillIn(Dialog):
    """A question for several lines of text, which may stay empty; `texts` holds them after YES."""

    def __init__(self, title: str, message: str, blanks: tuple[Blank, ...], *, label: str) -> None:
        """Prepare a question.

        Args:
            label: of the answer that takes the texts.
        """
        super().__init__(title, message, [(YES, f"{label} ({ENTER})")])
        self._blanks = blanks
        self.texts: dict[str, str] = {}

    def fields(self) -> ComposeResult:
        """Hold a label and a line for each, and what is wrong."""
        for blank in self._blanks:
            yield Static(blank.label, classes="label", markup=False)
            yield Input(blank.value, id=f"blank-{blank.name}", classes="under", compact=True)
        yield Static("", id="problem", markup=False)

    def start(self) -> Widget:
        """Start in the first line: nothing happens before the last one is left with Enter."""
        return self.query(Input).first()

    @on(Input.Submitted)
    def _next_or_take(self, message: Input.Submitted) -> None:
        inputs = list(self.query(Input))
        if message.input is inputs[-1]:
            self.take(YES)
        else:
            self.set_focus(inputs[inputs.index(message.input) + 1])

    def take(self, answer: str) -> None:
        """Take the texts if they can be used, or cancel."""
        if answer == CANCEL:
            self.dismiss(CANCEL)
            return
        for blank in self._blanks:
            line = self.query_one(f"#blank-{blank.name}", Input)
            text = line.value.strip()
            if problem := blank.check(text):
                self.query_one("#problem", Static).update(problem)
                self.set_focus(line)
                return
            self.texts[blank.name] = text
        self.dismiss(YES)


def read_end(text: str, now: datetime) -> datetime | None:
    """Return when a pause ends: after a duration, at a time of today, or at a date; None for no end.

    Args:
        now: aware; its zone does not matter, times without an offset are the reader's own.

    Raises:
        ValueError: the text is none of these, or the time has passed.
    """
    if not text:
        return None
    moment = _moment(text, now)
    if moment <= now:
        raise ValueError(f"{text} has passed; {END_HELP}")
    return moment


def _moment(text: str, now: datetime) -> datetime:
    try:
        if _OF_TODAY.fullmatch(text):
            return datetime.combine(now.astimezone().date(), time.fromisoformat(text)).astimezone()
        if text[:4].isdigit() and "-" in text:
            return datetime.fromisoformat(text).astimezone()
        return now + timedelta(seconds=parse_duration(text))
    except (ValueError, OverflowError) as error:
        raise ValueError(f"{text!r} is no time; {END_HELP}") from error


def end_problem(now: Callable[[], datetime]) -> Callable[[str], str | None]:
    """Return a check for what `read_end` reads."""

    def check(text: str) -> str | None:
        try:
            read_end(text, now())
        except ValueError as error:
            return str(error)
        return None

    return check
