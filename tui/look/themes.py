"""Colours: themes of exact xterm-256 colours, so that a terminal without true colour shows the same.

ssh does not pass COLORTERM on, so most people have 256 colours. The colours of the statuses are the ones
of the 256 that stay furthest apart for people with deuteranopia, protanopia and tritanopia.
"""

from __future__ import annotations

import os
from collections.abc import Mapping

from textual.theme import Theme

#: The variables that `moontide.tcss` uses beside Textual's own.
SHADES = ("ok", "bad", "late", "busy", "calm", "faint")


def _theme(name: str, *, dark: bool, grounds: tuple[str, str, str], text: str, shades: str) -> Theme:
    """Make a theme.

    Args:
        grounds: background, surface and panel.
        shades: the colours of ok, bad, late, busy, calm, faint and of the cursor's line.
    """
    background, surface, panel = grounds
    *status, cursor = shades.split()
    ok, bad, late, busy, calm, _ = status
    return Theme(
        name=name,
        primary=busy,
        secondary=calm,
        accent=ok,
        warning=late,
        error=bad,
        success=ok,
        foreground=text,
        background=background,
        surface=surface,
        panel=panel,
        boost=panel,
        dark=dark,
        text_alpha=1.0,
        variables={f"shade-{shade}": colour for shade, colour in zip(SHADES, status, strict=True)}
        | {"on-shade": background}
        | _of_text_areas(text, surface, cursor)
        | _of_scrollbars(background, status),
    )


def _of_text_areas(text: str, surface: str, cursor: str) -> dict[str, str]:
    return {
        "line-cursor": cursor,
        "line-cursor-text": text,
        "block-cursor-background": cursor,
        "block-cursor-foreground": text,
        "block-cursor-text-style": "bold",
        "input-selection-background": cursor,
        "border": cursor,
        "border-blurred": surface,
    }


def _of_scrollbars(ground: str, status: list[str]) -> dict[str, str]:
    _, _, _, _, calm, faint = status
    grounds = ("background", "background-hover", "background-active", "corner-color")
    return {
        "scrollbar": faint,
        "scrollbar-hover": calm,
        "scrollbar-active": calm,
        **{f"scrollbar-{part}": ground for part in grounds},
    }


DARK = _theme(
    "moon",
    dark=True,
    grounds=("#121212", "#1c1c1c", "#262626"),
    text="#d0d0d0",
    shades="#87ffff #ff8787 #ffd700 #af87ff #d0d0d0 #9e9e9e #303030",
)
LIGHT = _theme(
    "moon-light",
    dark=False,
    grounds=("#ffffff", "#eeeeee", "#e4e4e4"),
    text="#121212",
    shades="#005f5f #5f0000 #875f00 #00005f #121212 #585858 #e4e4e4",
)
CONTRAST = _theme(
    "moon-contrast",
    dark=True,
    grounds=("#000000", "#000000", "#121212"),
    text="#ffffff",
    shades="#87ffff #ff8787 #ffff00 #afafff #ffffff #c6c6c6 #3a3a3a",
)
GREY = _theme(
    "moon-grey",
    dark=True,
    grounds=("#121212", "#1c1c1c", "#262626"),
    text="#d0d0d0",
    shades="#d0d0d0 #ffffff #eeeeee #d0d0d0 #d0d0d0 #9e9e9e #303030",
)
#: For terminals of 16 colours, with whatever colours their owner gave them.
TERMINAL = Theme(
    name="moon-terminal",
    ansi=True,
    primary="ansi_blue",
    secondary="ansi_cyan",
    accent="ansi_cyan",
    warning="ansi_yellow",
    error="ansi_red",
    success="ansi_green",
    foreground="ansi_default",
    background="ansi_default",
    surface="ansi_default",
    panel="ansi_default",
    boost="ansi_default",
    variables={
        "shade-ok": "ansi_cyan",
        "shade-bad": "ansi_bright_red",
        "shade-late": "ansi_yellow",
        "shade-busy": "ansi_bright_blue",
        "shade-calm": "ansi_default",
        "shade-faint": "ansi_default",
        "on-shade": "ansi_black",
        "line-cursor": "ansi_blue",
        "line-cursor-text": "ansi_bright_white",
        "link-color": "ansi_default",
        "ansi-background": "ansi_black",
        "ansi-foreground": "ansi_white",
        # White on a white ground would be no cursor.
        "input-cursor-background": "ansi_default",
        "input-cursor-foreground": "ansi_default",
        "input-cursor-text-style": "reverse",
        "input-selection-foreground": "ansi_bright_white",
        "screen-selection-background": "ansi_blue",
        "screen-selection-foreground": "ansi_bright_white",
        "block-cursor-background": "ansi_blue",
        "block-cursor-foreground": "ansi_bright_white",
        "input-selection-background": "ansi_blue",
        "border": "ansi_blue",
        "border-blurred": "ansi_default",
        "scrollbar": "ansi_default",
        "scrollbar-hover": "ansi_default",
        "scrollbar-active": "ansi_default",
        "scrollbar-background": "ansi_default",
        "scrollbar-background-hover": "ansi_default",
        "scrollbar-background-active": "ansi_default",
    },
)

THEMES = (DARK, LIGHT, CONTRAST, GREY, TERMINAL)


def fitting_theme(
    color_system: str | None, environment: Mapping[str, str] = os.environ, *, liked: str = ""
) -> str:
    """Return the name of the theme to begin with.

    Args:
        color_system: what rich found the terminal to have: "standard", "256", "truecolor"; None in tests.
        liked: the theme that was chosen last, taken where the terminal can show it; "" for none.
    """
    if environment.get("NO_COLOR"):
        return GREY.name
    if color_system == "standard":
        return TERMINAL.name
    return liked if liked in {theme.name for theme in THEMES} else DARK.name


def speaks_unicode(environment: Mapping[str, str] = os.environ) -> bool:
    """Return whether the terminal can draw the icons; the Linux console and VT100s cannot."""
    if environment.get("TERM", "") in ("linux", "vt100", "vt220"):
        return False
    locale = next((environment[name] for name in ("LC_ALL", "LC_CTYPE", "LANG") if environment.get(name)), "")
    return not locale or "utf" in locale.lower()
