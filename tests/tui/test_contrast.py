"""Every pair of colours that a screen really draws can be told apart, as WCAG 2.2 asks (1.4.3, 1.4.11)."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator
from pathlib import Path

import pytest
from rich.color import Color
from rich.segment import Segment
from rich.style import Style
from textual.theme import Theme

from tests.engine.conftest import until
from tests.tui.conftest import Seat
from tests.tui.showcase import TOUR, showcase, visit
from tui.look.themes import TERMINAL, THEMES

pytestmark = pytest.mark.long

#: Of text, and of signs that tell something.
TEXT_RATIO, SIGN_RATIO = 4.5, 3.0
#: Lines between parts, which tell nothing that their places do not tell: box drawings and thin edges.
DECORATION = {chr(code) for code in range(0x2500, 0x2580)} | set("▁▔▏▕▎▊")
SIZE = (120, 40)
#: What is not in the colours of a theme by then never is, also on a busy machine.
DRAWN_SECONDS = 30


def segments(seat: Seat) -> Iterator[Segment]:
    """Yield what is drawn; of a screen below a question only that, as what is below takes no keys."""
    screen = seat.app.screen
    strips = screen._compositor.render_strips()
    regions = (
        [part.region for part in screen.children if part.display] if screen.is_modal else [screen.region]
    )
    for region in regions:
        for strip in strips[region.y : region.bottom]:
            cut = strip.crop(region.x, region.right)
            yield from (segment for segment in cut if segment.text and not segment.control)


def colours(style: Style | None) -> tuple[Color | None, Color | None]:
    if style is None:
        return None, None
    front, back = style.color, style.bgcolor
    return (back, front) if style.reverse else (front, back)


def luminance(colour: Color) -> float:
    def linear(part: float) -> float:
        return part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4

    red, green, blue = (linear(part / 255) for part in colour.get_truecolor())
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def ratio(one: Color, other: Color) -> float:
    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)


def wanted(text: str) -> float:
    """Return the contrast that a text needs: of letters, of signs, or none of what only decorates."""
    if any(unicodedata.category(char)[0] in "LN" for char in text):
        return TEXT_RATIO
    return 1.0 if set(text) <= DECORATION | {" "} else SIGN_RATIO


def too_weak(segment: Segment) -> str | None:
    """Say what is wrong with the colours of a part of the screen, or None."""
    front, back = colours(segment.style)
    if back is None or back.is_default:
        return f"{segment.text!r} has whatever ground the terminal has"
    if not segment.text.strip():
        return None
    if front is None or front.is_default:
        return f"{segment.text!r} has whatever colour the terminal has"
    if (found := ratio(front, back)) < wanted(segment.text):
        return f"{segment.text.strip()!r}: {front.name} on {back.name} is {found:.2f}"
    return None


def unsure(segment: Segment) -> bool:
    """Return whether some terminals show a text so that it cannot be read.

    Their own letters may be black or white, so that none of these may stand on a colour; their blue may be as
    dark as the ground; and bold black is grey in many of them.
    """
    front, back = colours(segment.style)
    if not segment.text.strip() or set(segment.text) <= DECORATION | {" "}:
        return False
    own_front, own_back = front is None or front.is_default, back is None or back.is_default
    dark_blue = front is not None and front.number == 4
    grey = segment.style is not None and segment.style.bold and front is not None and front.number == 0
    return (
        (own_front and not own_back)
        or (own_back and dark_blue)
        or (not own_front and front == back)
        or bool(grey and not own_back)
    )


def grounds(seat: Seat) -> set[str]:
    return {str(back) for segment in segments(seat) if (back := colours(segment.style)[1])}


def weak_parts(seat: Seat, theme: Theme) -> set[str]:
    """Return what is wrong with the colours on the screen; with a terminal's own only what cannot be seen."""
    if theme is TERMINAL:
        return {segment.text.strip() for segment in segments(seat) if unsure(segment)}
    return {words for segment in segments(seat) if (words := too_weak(segment))}


def behind(seat: Seat) -> Iterator[Segment]:
    """Yield what is drawn of the screen below a question: all that lies beside its parts."""
    screen = seat.app.screen
    parts = [part.region for part in screen.children if part.display]
    for number, strip in enumerate(screen._compositor.render_strips()):
        edges = sorted((region.x, region.right) for region in parts if region.y <= number < region.bottom)
        at = 0
        for left, right in [*edges, (strip.cell_length, strip.cell_length)]:
            if at < left:
                yield from (one for one in strip.crop(at, left) if one.text.strip() and not one.control)
            at = max(at, right)


def too_dim(segment: Segment) -> str | None:
    """Say what is wrong with a part that is only to be recognised, or None."""
    front, back = colours(segment.style)
    if front is None or back is None or front.is_default or back.is_default:
        return f"{segment.text!r} has whatever colours the terminal has"
    found, least = ratio(front, back), min(wanted(segment.text), SIGN_RATIO)
    return f"{segment.text.strip()!r}: {front.name} on {back.name} is {found:.2f}" if found < least else None


@pytest.mark.parametrize("name", ["delete", "new", "reload", "palette"])
async def test_what_lies_behind_a_question_can_still_be_made_out(name: str, tmp_path: Path) -> None:
    async with showcase(tmp_path), visit(tmp_path, name, SIZE) as seat:
        assert any("waiting" in segment.text or "report" in segment.text for segment in behind(seat))
        for theme in THEMES:
            if theme is TERMINAL:
                continue
            seat.app.theme = theme.name
            await seat.pilot.pause()

            def weak() -> set[str]:
                return {words for segment in behind(seat) if (words := too_dim(segment))}

            try:
                await until(lambda weak=weak: not weak(), DRAWN_SECONDS)
            except TimeoutError:
                pytest.fail(f"{theme.name}: {sorted(weak())}")


@pytest.mark.parametrize("name", TOUR)
async def test_all_that_is_drawn_can_be_read_in_every_theme(name: str, tmp_path: Path) -> None:
    async with showcase(tmp_path), visit(tmp_path, name, SIZE) as seat:
        for theme in THEMES:
            seat.app.theme = theme.name
            await seat.pilot.pause()
            try:
                # While a theme is taken, some parts are drawn in the colours of the one before.
                await until(lambda theme=theme: not weak_parts(seat, theme), DRAWN_SECONDS)
            except TimeoutError:
                pytest.fail(f"{theme.name}: {sorted(weak_parts(seat, theme))}")
