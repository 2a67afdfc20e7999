"""Help for the name under the cursor, below the text: how it is called, what it does, each argument."""

from __future__ import annotations

from collections.abc import Iterator

from tui.look.words import clean
from tui.lua.vocabulary import Described
from tui.widgets.bars import Prose, ProseLine

NOTHING = "Nothing is known of what is under the cursor; F3 closes this."


class Explained(Prose):
    """The help."""

    can_focus = False

    def tell(self, described: Described | None) -> None:
        """Show what is known, if anything."""
        self.show(explained_lines(described))


def explained_lines(described: Described | None) -> list[ProseLine]:
    """Return the help in lines."""
    if described is None:
        return [[(NOTHING, "faint")]]
    doc = clean(" ".join(described.doc.split()))
    return [[(clean(described.title), "head")], [(doc, "")], *_arguments(described)]


def _arguments(described: Described) -> Iterator[ProseLine]:
    width = max((len(one.name) for one in described.arguments), default=0)
    for one in described.arguments:
        optional = " (may be left out)" if one.optional else ""
        words = f"  {clean(one.type)}{optional}  {clean(one.doc)}".rstrip()
        yield [(f"  {clean(one.name):<{width}}", "head"), (words, "")]
