"""The line on top that tells of the engine, the one at the bottom that tells the keys, and plain text."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import ClassVar

from rich.cells import cell_len
from rich.console import Console
from rich.style import Style
from rich.text import Text
from textual.containers import VerticalScroll
from textual.geometry import Size
from textual.widget import Widget
from textual.widgets import Static

from engine.roles import Role
from engine.views import EngineView
from tui.look import words
from tui.model.board import Board, Reach
from tui.model.rights import why_closed

#: A part of a line, and the shade that it is drawn in.
Part = tuple[str, str]

BAR_CLASSES = {
    f"bar--{shade}" for shade in ("ok", "bad", "late", "busy", "calm", "faint", "name", "key", "alarm")
}


class Bar(Widget):
    """One line of text in shades."""

    COMPONENT_CLASSES: ClassVar[set[str]] = BAR_CLASSES

    def styled(self, text: str, shade: str) -> Text:
        """Return text in a shade of the theme."""
        style = self.get_component_rich_style(f"bar--{shade}", partial=True) if shade else Style()
        return Text(text, style=style, no_wrap=True, end="")

    def joined(self, parts: Iterable[Part]) -> Text:
        """Return parts one after another."""
        line = Text(no_wrap=True, overflow="ellipsis", end="")
        for text, shade in parts:
            line.append_text(self.styled(text, shade))
        return line


class StatusBar(Bar):
    """The engine at a glance; in red what is wrong with the connection."""

    def __init__(self, board: Board) -> None:
        super().__init__()
        self._board = board
        self._drawn: tuple[object, ...] = ()

    def tick(self) -> None:
        """Repaint if what should stand there changed."""
        if (content := self._content()) != self._drawn:
            self._drawn = content
            self.refresh()

    def _content(self) -> tuple[object, ...]:
        return (self._right(), *engine_parts(self._board))

    def render(self) -> Text:
        """Draw the line: what fits from the left, the clock at the right."""
        if self._board.reach in _LOST:
            return self._alarm()
        right = self._right()
        room = self.size.width - cell_len(right) - 2
        parts = engine_parts(self._board)
        if sum(cell_len(text) for text, _ in parts) > room:
            parts = brief_engine_parts(self._board)
        line = self.joined(fitting(parts, room))
        line.append(" " * max(1, self.size.width - line.cell_len - cell_len(right) - 1))
        line.append_text(self.styled(right, "faint"))
        return line

    def _alarm(self) -> Text:
        text = self.joined([(f" {_lost_words(self._board)} ", "alarm")])
        text.truncate(self.size.width, overflow="ellipsis")
        return text

    def _right(self) -> str:
        return self._board.now().astimezone().strftime("%H:%M")


_LOST = {
    Reach.STOPPED: "engine stopped",
    Reach.UNREACHABLE: "engine not reachable",
    Reach.REFUSED: "engine answers with an error",
}


def _lost_words(board: Board) -> str:
    since = f"✗ {_LOST[board.reach]} since {words.clock(board.since)}"
    return f"{since}, trying again. {words.first_line(board.trouble)}"


def engine_parts(board: Board) -> list[Part]:
    """Return what the status bar says, the most important first."""
    if board.reach in _LOST:
        return [(_lost_words(board), "alarm")]
    if (view := board.engine) is None:
        return [(" ☾ moontide ", "name"), (" … connecting to the engine", "busy")]
    jobs = (f" {words.plural(len(board.jobs), 'job')} ", "")
    nodes = [(f" {view.nodes} nodes ", "")] if view.nodes > 1 else []
    return [
        (" ☾ moontide ", "name"),
        *_state_parts(board, view, _node_troubles(view)),
        jobs,
        *nodes,
        *_load_parts(board, view),
    ]


def brief_engine_parts(board: Board) -> list[Part]:
    """Return what the status bar says where there is little room: what is wrong and what goes on, no more."""
    if board.reach in _LOST or (view := board.engine) is None:
        return engine_parts(board)
    troubled = " ✗ nodes differ " if view.node_troubles else ""
    nodes = f" {view.nodes} nodes " if view.nodes > 1 and not troubled else ""
    return [
        (" ☾ ", "name"),
        *_state_parts(board, view, troubled),
        (nodes, ""),
        *_load_parts(board, view),
    ]


def _state_parts(board: Board, view: EngineView, node_troubles: str) -> list[Part]:
    look = words.look(view.state)
    return [
        (f" {look.icon} {view.state} ", look.shade),
        *_role_parts(board),
        *_hold_parts(view),
        *_distance_parts(board),
        (node_troubles, "alarm"),
        *_trouble_parts(board, view),
    ]


def _load_parts(board: Board, view: EngineView) -> list[Part]:
    return [
        (f" pool {view.running}/{view.pool_size or '∞'} ", "busy" if view.running else ""),
        (f" queue {view.queued} ", "late" if view.queued else ""),
        (f" {board.runs_per_minute()}/min ", ""),
    ]


def _node_troubles(view: EngineView) -> str:
    """Return what is wrong with a node that runs may suffer from, and how many more there are."""
    if not view.node_troubles:
        return ""
    more = f" and {len(view.node_troubles) - 1} more" if view.node_troubles[1:] else ""
    return f" ✗ {words.clean(view.node_troubles[0])}{more} "


def _role_parts(board: Board) -> list[Part]:
    if board.role is Role.ADMIN:
        return []
    return [(" read-only " if board.role is Role.VIEWER else f" {board.role} ", "late")]


def _hold_parts(view: EngineView) -> list[Part]:
    if any(hold.startswith("the engine is ") for hold in view.holds):
        return [(f" {words.look('PAUSED').icon} engine paused ", "late")]
    return []


def _trouble_parts(board: Board, view: EngineView) -> list[Part]:
    parts = []
    if count := board.needing_attention():
        parts.append((f" ✗ {count} {'needs' if count == 1 else 'need'} attention ", "bad"))
    if view.alerts:
        parts.append((f" ! {words.plural(view.alerts, 'alert')} ", "late"))
    if view.problems:
        parts.append((f" ! {words.plural(len(view.problems), 'problem')} ", "late"))
    return parts


def _distance_parts(board: Board) -> list[Part]:
    if not board.clock_distance:
        return []
    seconds = board.clock_distance.total_seconds()
    return [(f" clock {'-' if seconds < 0 else '+'}{words.span(abs(seconds))} ", "late")]


def fitting(parts: Sequence[Part], room: int) -> list[Part]:
    """Return as many parts from the left as fit into a number of columns."""
    kept: list[Part] = []
    for text, shade in parts:
        room -= cell_len(text)
        if room < 0:
            break
        kept.append((text, shade))
    return kept


#: A key as it is shown, what it does, and the action that a click carries out.
Hint = tuple[str, str, str]


class Hints(Bar):
    """The keys that matter here, as many as fit; the last is always the way to all of them.

    What the person's role does not allow stands in brackets.
    """

    def __init__(self, hints: Sequence[Hint], board: Board, *, help_key: str = "?") -> None:
        super().__init__()
        self._hints = hints
        self._board = board
        self._drawn = board.role
        self._help: Hint = (help_key, "Help", "app.help")
        self._marked = 0

    def tell_marked(self, count: int) -> None:
        """Say how many rows are marked, as what is done goes to all of them, also out of sight."""
        if count != self._marked:
            self._marked = count
            self.refresh()

    def show(self, hints: Sequence[Hint]) -> None:
        """Show other keys, such as those of another tab."""
        if hints != self._hints:
            self._hints = hints
            self.refresh()

    def tick(self) -> None:
        """Repaint if the role is another."""
        if self._board.role is not self._drawn:
            self.refresh()

    def render(self) -> Text:
        """Draw the line."""
        self._drawn = self._board.role
        marked = f"• {self._marked} marked  " if self._marked else ""
        room = self.size.width - 1 - cell_len(marked)
        shown = fitting_hints(map(self._bracketed, self._hints), self._help, room)
        line = Text(" ", no_wrap=True, end="")
        line.append_text(self.styled(marked, "late"))
        for key, label, action in shown:
            hint = self.joined([(key, "key"), (f" {label}  ", "faint")])
            hint.apply_meta({"@click": action})
            line.append_text(hint)
        line.truncate(self.size.width)
        return line

    def _bracketed(self, hint: Hint) -> Hint:
        key, label, action = hint
        return (f"({key}", f"{label})", action) if why_closed(action, self._board.role) else hint


def fitting_hints(hints: Iterable[Hint], last: Hint, room: int) -> list[Hint]:
    """Return the hints that fit into a number of columns, the last always among them."""
    room -= _hint_width(last)
    kept: list[Hint] = []
    for hint in hints:
        room -= _hint_width(hint)
        if room < 0:
            break
        kept.append(hint)
    return [*kept, last]


def _hint_width(hint: Hint) -> int:
    return cell_len(hint[0]) + cell_len(hint[1]) + 3


class TitleBar(Bar):
    """Where one is: "jobs › report", and how it stands."""

    def __init__(self, parts: Callable[[], Sequence[Part]]) -> None:
        super().__init__()
        self._parts = parts
        self._drawn: Sequence[Part] = ()

    def tick(self) -> None:
        """Repaint if what should stand there changed."""
        if (parts := self._parts()) != self._drawn:
            self._drawn = parts
            self.refresh()

    def render(self) -> Text:
        """Draw the line."""
        self._drawn = self._parts()
        return self.joined(self._drawn)


#: A paragraph line: its parts.
ProseLine = Sequence[Part]


class _ProseText(Static):
    COMPONENT_CLASSES: ClassVar[set[str]] = {
        f"text--{shade}" for shade in ("ok", "bad", "late", "busy", "calm", "faint", "head", "found")
    }

    def __init__(self) -> None:
        super().__init__(markup=False)
        self._lines: Sequence[ProseLine] = ()

    def show(self, lines: Sequence[ProseLine]) -> None:
        self._lines = lines
        self.refresh(layout=True)

    def get_content_height(self, container: Size, viewport: Size, width: int) -> int:
        return len(self._broken(width))

    def on_resize(self) -> None:
        self.refresh(layout=True)

    def render(self) -> Text:
        return Text("\n").join(self._broken(self.size.width))

    def _broken(self, width: int) -> list[Text]:
        console = self.app.console
        return [
            part
            for line in self._lines
            for part in hanging(self._shaded(line), width, indent_of(line), console)
        ]

    def _shaded(self, line: ProseLine) -> Text:
        text = Text()
        for part, shade in line:
            style = self.get_component_rich_style(f"text--{shade}", partial=True) if shade else Style()
            text.append(part, style)
        return text


#: What leads a line of its own may be so long: a label, a number, a sign.
LONGEST_LEAD = 16


def indent_of(line: ProseLine) -> int:
    """Return below which column a line goes on that is too long: behind its label, number, blanks or sign."""
    lead = ""
    for text, _ in line[:-1]:
        is_lead = text.endswith(" ") and (not lead or not text.strip() or text.strip().isdigit())
        if not is_lead or len(lead) + len(text) > LONGEST_LEAD:
            break
        lead += text
    if lead or not line:
        return len(lead)
    text = line[0][0]
    blanks = len(text) - len(text.lstrip(" "))
    is_sign = text[blanks + 1 : blanks + 2] == " " and not text[blanks].isalnum()
    return blanks + 2 * is_sign


def hanging(line: Text, width: int, indent: int, console: Console) -> list[Text]:
    """Return a line in as many as it takes, the further ones below a column of the first."""
    if cell_len(line.plain) <= width:
        return [line]
    if indent >= width // 2:
        return list(line.wrap(console, max(1, width)))
    lead, rest = line.divide([indent])
    first, *further = rest.wrap(console, width - indent)
    return [lead + first, *(Text(" " * indent) + part for part in further)]


class Prose(VerticalScroll, can_focus=True):
    """Text in shades that scrolls; it is repainted only when it became another."""

    def __init__(self, id: str | None = None) -> None:
        super().__init__(id=id)
        self._text = _ProseText()
        self._shown: list[ProseLine] = []

    def compose(self) -> Iterable[Widget]:
        """Hold the text."""
        yield self._text

    def show(self, lines: Iterable[ProseLine]) -> None:
        """Show these lines."""
        if (wanted := [list(line) for line in lines]) != self._shown:
            self._shown = list(wanted)
            self._text.show(wanted)

    @property
    def plain(self) -> str:
        """The text without its shades."""
        return "\n".join("".join(part for part, _ in line) for line in self._shown)
