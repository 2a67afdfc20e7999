"""Signs for terminals without Unicode, such as the Linux console: one ASCII character for each."""

from __future__ import annotations

from rich.segment import Segment
from textual.color import Color
from textual.filter import LineFilter

from tui.look.words import LOOKS

_OTHERS = {
    "☾": "(",
    "✗": "x",
    "•": "*",
    "—": "-",
    "…": "~",
    "›": ">",
    "→": ">",
    "←": "<",
    "⏎": "E",
    "∞": "-",
    "▲": "^",
    "▼": "v",
    "“": '"',
    "”": '"',
    "·": ".",
    "│": "|",
    "─": "-",
} | dict(zip("▁▂▃▄▅▆▇█", "_.-=+oO#", strict=True))

_BORDERS = (
    dict.fromkeys("╭╮╰╯┌┐└┘├┤┬┴┼", "+") | dict.fromkeys("▏▎▍▌▋▊▉▐▕┃║", "|") | dict.fromkeys("▔▀━═", "-")
)

SIGNS = str.maketrans({look.icon: look.plain for look in LOOKS.values()} | _OTHERS | _BORDERS)


class PlainSigns(LineFilter):
    """Draws every sign of the dashboard as one of ASCII; what jobs write stays as it is."""

    def apply(self, segments: list[Segment], background: Color) -> list[Segment]:
        """Return the segments with their signs replaced."""
        return [
            Segment(segment.text.translate(SIGNS), segment.style, segment.control) for segment in segments
        ]
