"""The question for a file that somebody else changed while it is edited."""

from __future__ import annotations

import difflib

from tui.look import words
from tui.widgets.dialogs import Dialog

MINE = "mine"
THEIRS = "theirs"


def conflict(theirs: str, mine: str) -> Dialog:
    """Return the question: the difference, and whose text it is to be."""
    lines = difflib.unified_diff(theirs.splitlines(), mine.splitlines(), "theirs", "mine", lineterm="", n=2)
    diff = words.clean("\n".join(lines)) or "Both are the same."
    return Dialog(
        "Somebody else changed this file meanwhile",
        diff,
        [(MINE, "Keep mine"), (THEIRS, "Take theirs")],
    )
