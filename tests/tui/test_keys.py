"""Every key that a screen, a dialog or a part of one declares is pressed, and has an effect that is seen.

A new key fails here until the walk of its screen (`tests/tui/walks`) presses it.
"""

from __future__ import annotations

from pathlib import Path

import pytest
from textual.dom import DOMNode

from tests.tui.showcase import showcase, visit
from tests.tui.walks import lists, pages, parts, writing
from tests.tui.walks.hand import Hand, NotingDashboard, Walk, kinds_with_keys
from tui.app import Dashboard
from tui.page import Page
from tui.screens.help import own_bindings

pytestmark = pytest.mark.long

WALKS: dict[type[DOMNode], Walk] = {**lists.WALKS, **pages.WALKS, **parts.WALKS, **writing.WALKS}


def test_there_is_a_walk_for_everything_that_declares_keys() -> None:
    declaring = [kind for kind in kinds_with_keys() if not kind.__module__.startswith("tests.")]
    assert [kind.__name__ for kind in declaring if kind not in WALKS] == []
    assert [kind.__name__ for kind in WALKS if not own_bindings(kind)] == []


@pytest.mark.parametrize("kind", WALKS, ids=lambda kind: kind.__name__)
async def test_every_key_does_something_that_is_seen(kind: type[DOMNode], tmp_path: Path) -> None:
    walk = WALKS[kind]
    async with (
        showcase(tmp_path) as engine,
        visit(tmp_path, walk.tour, walk.size, made=NotingDashboard, **walk.options) as seat,
    ):
        hand = Hand(kind, seat, engine)
        await walk.take(hand)
    assert [(key.key, key.action) for key in hand.left] == [], "these keys were not pressed"


@pytest.mark.parametrize("kind", [kind for kind in WALKS if getattr(kind, "HINTS", ())])
def test_what_stands_at_the_bottom_can_be_done(kind: type[Page]) -> None:
    for _, label, action in kind.HINTS:
        where, _, name = action.partition("(")[0].partition(".")
        assert hasattr({"screen": kind, "app": Dashboard}[where], f"action_{name}"), label
