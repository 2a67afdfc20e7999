"""New data moves no cursor: in each list, a row that comes above leaves the cursor on its own."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from tests.engine.conftest import until
from tests.tui.showcase import Showcase, showcase, visit
from tui.screens.listpage import ListPage
from tui.widgets.grid import Grid


def new_alert(engine: Showcase) -> None:
    engine.alerts.add(9, "till")


def new_group(engine: Showcase) -> None:
    engine.holds.rows.insert(0, replace(engine.holds.rows[0], name="day"))


def new_schedule(engine: Showcase) -> None:
    engine.schedules.rows.insert(0, replace(engine.schedules.rows[0], id=3, tag="books"))


def new_action(engine: Showcase) -> None:
    engine.audit.rows.insert(0, replace(engine.audit.rows[0], id=3, target="till"))


def new_plugin(engine: Showcase) -> None:
    engine.plugin_views.insert(0, replace(engine.plugin_views[0], name="beeper"))


LISTS: dict[str, Callable[[Showcase], None]] = {
    "alerts": new_alert,
    "groups": new_group,
    "schedules": new_schedule,
    "audit": new_action,
    "plugins": new_plugin,
}


@pytest.mark.parametrize("name", LISTS)
async def test_a_row_that_comes_above_leaves_the_cursor_on_its_own(name: str, tmp_path: Path) -> None:
    async with showcase(tmp_path) as engine, visit(tmp_path, name, (80, 24)) as seat:
        page = seat.app.screen
        assert isinstance(page, ListPage)
        grid = page.query_one("#rows", Grid)
        await until(lambda: len(grid.rows) > 1, 30)
        count = len(grid.rows)
        await seat.press("down")
        under = page.key(grid.cursor_row)
        LISTS[name](engine)
        await seat.press("r")
        await until(lambda: len(grid.rows) == count + 1, 30)
        assert page.key(grid.cursor_row) == under
        assert grid.rows[2] is grid.cursor_row
