"""Every key of the screen where one is, in words."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from textwrap import wrap
from typing import Any, ClassVar

from textual.app import App
from textual.binding import Binding, BindingType
from textual.dom import DOMNode
from textual.screen import Screen
from textual.widget import Widget

from engine.roles import Role
from tui.model.rights import why_closed
from tui.page import Context, Page
from tui.widgets.bars import Hint, Prose, ProseLine, TitleBar
from tui.widgets.grid import Grid
from tui.widgets.tail import Tail

#: How keys are written for people.
NAMES = {
    "question_mark": "?",
    "slash": "/",
    "colon": ":",
    "comma": ",",
    "minus": "-",
    "plus": "+",
    "escape": "Esc",
    "enter": "Enter",
    "space": "Space",
    "pageup": "PgUp",
    "pagedown": "PgDn",
    "underscore": "_",
    "left_square_bracket": "[",
    "right_square_bracket": "]",
    "at": "Space",
}


#: What a key does is written in so many columns, behind the keys; terminals of 80 have room for both.
TEXT_COLUMNS = 60
KEY_COLUMNS = 15


def key_name(key: str) -> str:
    """Return a key as people write it: "ctrl+r" is "Ctrl+R"."""
    if key in NAMES:
        return NAMES[key]
    *modifiers, last = key.split("+")
    if last in NAMES or len(last) > 1:
        last = NAMES.get(last, last.capitalize())
    elif modifiers:
        last = last.upper()
    return "+".join([*(modifier.capitalize() for modifier in modifiers), last])


def bindings_of(owner: type[DOMNode]) -> list[Binding]:
    """Return the keys of a screen or of the app, with those that it has from our own kinds of screens."""
    own: dict[str, Binding] = {}
    for kind in owner.__mro__:
        if kind.__module__.startswith("textual."):
            break
        for binding in kind.__dict__.get("BINDINGS", ()):
            if isinstance(binding, Binding):
                own.setdefault(binding.key, binding)
    return list(own.values())


def bindings_here(screen: Screen[Any]) -> list[tuple[DOMNode, Binding]]:
    """Return the keys of a screen, and those of its parts that do more than move about in them.

    Returns:
        each with the screen or the part that carries it out.
    """
    parts = [part for part in screen.query("*") if part.display and type(part).__module__.startswith("tui.")]
    of_parts = [(part, binding) for part in parts for binding in own_bindings(type(part)) if binding.show]
    return [*((screen, binding) for binding in bindings_of(type(screen))), *of_parts]


def keys_of(owner: type[DOMNode]) -> list[tuple[str, str]]:
    """Return the keys that a screen or widget adds itself, each with what it does."""
    return _named(own_bindings(owner))


def own_bindings(owner: type[DOMNode]) -> list[Binding]:
    """Return the keys that a screen or widget adds itself."""
    return [binding for binding in owner.__dict__.get("BINDINGS", ()) if isinstance(binding, Binding)]


def _named(bindings: Iterable[Binding]) -> list[tuple[str, str]]:
    return [
        (" ".join(key_name(key.strip()) for key in binding.key.split(",")), binding.description)
        for binding in bindings
        if binding.description
    ]


def _allowed(bindings: Iterable[Binding], role: Role) -> list[tuple[str, str]]:
    """Return keys in words; of those that a role does not allow, with the reason."""
    shown = []
    for binding in bindings:
        reason = why_closed(binding.action, role)
        text = f"{binding.description} ({reason})" if reason else binding.description
        shown += _named([replace(binding, description=text)] if binding.description else [])
    return shown


class HelpScreen(Page):
    """The keys of the screen that was on top."""

    AUTO_FOCUS = "Prose"
    HINTS: ClassVar[tuple[Hint, ...]] = (("esc", "Back", "screen.back"),)
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("question_mark,q", "back", "Back", show=False),
    ]

    def __init__(self, context: Context, about: Screen[object], app: App[int]) -> None:
        """Prepare the page.

        Args:
            about: the screen whose keys are shown.
            app: the application, for the keys that hold everywhere.
        """
        super().__init__(context)
        role = context.board.role
        self._lines = [*_section("Here", _allowed((binding for _, binding in bindings_here(about)), role))]
        if _in_sight(about, Grid):
            self._lines += _section("Moving", keys_of(Grid))
        if _in_sight(about, Tail):
            self._lines += _section("Moving in the log", keys_of(Tail))
        everywhere = own_bindings(type(app))
        if getattr(about, "HELP_KEY", "?") != "?":
            everywhere = [left for binding in everywhere if (left := _beside_text(binding)) is not None]
        self._lines += _section("Everywhere", _allowed(everywhere, role))
        added = [
            (key_name(one.key), f"{one.title} (plugin {one.plugin})") for one in context.added if one.key
        ]
        if added:
            self._lines += _section("Added by plugins", added)

    def body(self) -> Iterable[Widget]:
        """Hold the text."""
        yield TitleBar(
            lambda: [(" keys", "name"), ("   the mouse works too; hold Shift to select text", "faint")]
        )
        yield Prose(id="help-box")

    def on_mount(self) -> None:
        """Show the text."""
        self.query_one(Prose).show(self._lines)


def _beside_text(binding: Binding) -> Binding | None:
    """Return what is left of a binding where letters and signs are typed as text."""
    keys = [key for key in binding.key.split(",") if len(NAMES.get(key, key)) > 1]
    return replace(binding, key=",".join(keys)) if keys else None


def _in_sight(about: Screen[object], kind: type[Widget]) -> bool:
    """Return whether a part of this kind is shown: of one that is hidden no key counts."""
    return any(
        all(node.display for node in part.ancestors_with_self if isinstance(node, Widget))
        for part in about.query(kind)
    )


def _section(title: str, keys: list[tuple[str, str]]) -> list[ProseLine]:
    lines = [line for key, text in keys for line in _key_lines(key, text)]
    return [[(title, "busy")], *lines, []]


def _key_lines(key: str, text: str) -> Iterator[ProseLine]:
    """Write a key and what it does; what takes more than one line goes on below its beginning."""
    first, *rest = wrap(text, TEXT_COLUMNS)
    yield [(f"  {key:<{KEY_COLUMNS}}", "head"), (first, "")]
    for part in rest:
        yield [(" " * (2 + KEY_COLUMNS), ""), (part, "")]
