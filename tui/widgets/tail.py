"""A run's log: a ring of lines that follows the end, with search and levels."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import ClassVar

from rich.segment import Segment
from rich.style import Style
from textual.binding import Binding, BindingType
from textual.geometry import Size
from textual.message import Message
from textual.scroll_view import ScrollView
from textual.strip import Strip

from engine.views import LogLineView
from tui.look.words import clean, clock, look, plural
from tui.widgets.grid import fit

#: Lines kept; a longer log loses its oldest lines on the screen, not in the database.
RING_LINES = 10_000

LEVELS = ("debug", "info", "warn", "error")
SHIFT_COLUMNS = 10


@dataclass(frozen=True, slots=True)
class _Shown:
    """One line of the screen: a line of the log, or what follows a newline in it."""

    lead: str
    text: str
    level: str


class Tail(ScrollView, can_focus=True):
    """Lines of a log. It follows the end until one scrolls up, and again from the end on."""

    COMPONENT_CLASSES: ClassVar[set[str]] = {
        "text--ok",
        "text--bad",
        "text--late",
        "text--busy",
        "text--calm",
        "text--faint",
        "tail--found",
    }
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up,k", "move(-1)", "Up", show=False),
        Binding("down,j", "move(1)", "Down", show=False),
        Binding("pageup", "page(-1)", "A page up", show=False),
        Binding("pagedown", "page(1)", "A page down", show=False),
        Binding("home,g", "top", "First line", show=False),
        Binding("end,G", "follow", "Last line, and follow", show=False),
        Binding("left", "shift(-1)", "To the left", show=False),
        Binding("right", "shift(1)", "To the right", show=False),
    ]

    class Changed(Message):
        """What the tail shows, or whether it follows, changed."""

    def __init__(self, *, empty: str = "", id: str | None = None) -> None:
        super().__init__(id=id)
        self._all: deque[LogLineView] = deque(maxlen=RING_LINES)
        self._shown: list[_Shown] = []
        self._empty = empty
        self._shift = 0
        self.least_level = LEVELS[0]
        self.sought = ""
        #: The line of the screen at which the search stands.
        self._at: int | None = None
        self.following = True

    # Lines

    @property
    def last_number(self) -> int:
        """The number of the last line taken, 0 without one."""
        return self._all[-1].number if self._all else 0

    @property
    def text(self) -> str:
        """The lines shown, as text."""
        return "\n".join(line.lead + line.text for line in self._shown)

    def add(self, lines: Sequence[LogLineView]) -> None:
        """Take further lines, all at once."""
        if not lines:
            return
        full = len(self._all) + len(lines) > RING_LINES
        self._all.extend(lines)
        if full:
            self._show_anew()
        else:
            self._shown += self._wanted(lines)
            self._resized()

    def clear(self) -> None:
        """Forget all lines, and follow the end again."""
        self._all.clear()
        self.following = True
        self._show_anew()

    def say_empty(self, text: str) -> None:
        """Set what stands there without lines."""
        if text != self._empty:
            self._empty = text
            self.refresh()

    def show_level(self, level: str) -> None:
        """Show only lines of this level and above."""
        self.least_level = level
        self._show_anew()

    def _wanted(self, lines: Iterable[LogLineView]) -> list[_Shown]:
        least = LEVELS.index(self.least_level)
        return [part for line in lines if _rank(line.level) >= least for part in _parts(line)]

    def _show_anew(self) -> None:
        self._at = None
        self._shown = self._wanted(self._all)
        self._resized()

    def _resized(self) -> None:
        self.virtual_size = Size(self.size.width, max(1, len(self._shown)))
        if self.following:
            self.scroll_end(animate=False, immediate=True, force=True)
        self.refresh()

    # Moving

    def action_move(self, step: int) -> None:
        """Scroll by lines."""
        self._scroll_by(step)

    def action_page(self, step: int) -> None:
        """Scroll by pages."""
        self._scroll_by(step * max(1, self.size.height - 1))

    def action_top(self) -> None:
        """Go to the first line."""
        self._scroll_by(-len(self._shown))

    def action_follow(self) -> None:
        """Go to the end and stay there."""
        self.following = True
        self._resized()
        self.post_message(self.Changed())

    def action_shift(self, step: int) -> None:
        """Show what is further right, or left."""
        self._shift = max(0, self._shift + step * SHIFT_COLUMNS)
        self.refresh()

    def _scroll_by(self, lines: int) -> None:
        last = max(0, len(self._shown) - self.size.height)
        wanted = max(0, min(last, self.scroll_offset.y + lines))
        self.following = wanted == last
        self.scroll_to(y=wanted, animate=False, immediate=True, force=True)
        self.post_message(self.Changed())

    # Search

    def seek(self, text: str) -> int:
        """Look for text, mark it where it stands, and return how many lines hold it."""
        self.sought, self._at = text.lower(), None
        self.refresh()
        return len(self._found())

    def place(self) -> str:
        """Say at which of the lines that hold what is sought the search stands."""
        found = self._found()
        if not found:
            return "not found"
        count = plural(len(found), "line")
        return f"{found.index(self._at) + 1} of {count}" if self._at in found else count

    def seek_next(self, step: int) -> bool:
        """Go to the next line (or the one before, step -1) that holds what is sought."""
        found = self._found()
        if not found:
            return False
        top = self.scroll_offset.y
        # What stands in the first line on the screen is the first place too.
        here = top - step if self._at is None else self._at
        further = [place for place in found if (place - here) * step > 0]
        self._at = (further or found)[0 if step > 0 else -1]
        if not top <= self._at < top + self.size.height:
            self._scroll_by(self._at - top)
        self.following = False
        self.refresh()
        self.post_message(self.Changed())
        return True

    def _found(self) -> list[int]:
        if not self.sought:
            return []
        return [place for place, line in enumerate(self._shown) if self.sought in line.text.lower()]

    # Drawing

    def on_resize(self) -> None:
        """Stay at the end where it is followed."""
        self._resized()

    def render_line(self, y: int) -> Strip:
        """Draw one line of the screen."""
        place = y + self.scroll_offset.y
        width, base = self.size.width, self.rich_style
        if place < len(self._shown):
            segments = self._segments(place, base)
        else:
            segments = [Segment(f"  {self._empty}" if place == 1 and not self._shown else "", base)]
        strip = Strip(segments)
        if strip.cell_length > width:
            return Strip([*strip.crop(0, width - 1), Segment("…", base + self._of("text--faint"))])
        return strip.adjust_cell_length(width, base)

    def _segments(self, place: int, base: Style) -> list[Segment]:
        line = self._shown[place]
        shade = "calm" if line.level == "info" else look(line.level).shade
        style = base + self._of("text--" + shade)
        pointer = Segment("▶" if place == self._at else " ", base + self._of("text--late"))
        lead = Segment(line.lead, base + self._of("text--faint"))
        text = line.text[self._shift :]
        return [pointer, lead, *self._marked(text, style)]

    def _marked(self, text: str, style: Style) -> list[Segment]:
        """Return the text with what is sought in it standing out."""
        place = text.lower().find(self.sought) if self.sought else -1
        if place < 0:
            return [Segment(text, style)]
        end = place + len(self.sought)
        found = Segment(text[place:end], style + self._of("tail--found"))
        return [Segment(text[:place], style), found, *self._marked(text[end:], style)]

    def _of(self, name: str) -> Style:
        return self.get_component_rich_style(name, partial=True)


def _rank(level: str) -> int:
    return LEVELS.index(level) if level in LEVELS else LEVELS.index("info")


def _parts(line: LogLineView) -> list[_Shown]:
    word = look(line.level)
    lead = f"{clock(line.at)} {word.icon} {fit(line.level, 5)} "
    first, *rest = clean(line.text).expandtabs(4).split("\n")
    return [_Shown(lead, first, line.level), *(_Shown(" " * len(lead), text, line.level) for text in rest)]
