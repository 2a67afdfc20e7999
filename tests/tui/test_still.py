"""New data moves nothing: in each list, a row that comes above leaves the cursor on its own."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from engine.views import ComingView
from tests.engine.api.memory_engine import START
from tests.engine.conftest import until
from tests.tui.conftest import Seat
from tests.tui.showcase import Showcase, showcase, visit
from tui.screens.listpage import ListPage
from tui.widgets.bars import Prose
from tui.widgets.grid import Grid


def new_alert(engine: Showcase) -> None:
    engine.alerts.add(max(engine.alerts.views) + 1, "till")


def new_group(engine: Showcase) -> None:
    engine.holds.rows.insert(0, replace(engine.holds.rows[0], name=f"day{len(engine.holds.rows)}"))


def new_schedule(engine: Showcase) -> None:
    engine.schedules.rows.insert(
        0, replace(engine.schedules.rows[0], id=len(engine.schedules.rows) + 1, tag="books")
    )


def new_action(engine: Showcase) -> None:
    engine.audit.rows.insert(0, replace(engine.audit.rows[0], id=len(engine.audit.rows) + 1, target="till"))


def new_plugin(engine: Showcase) -> None:
    engine.plugin_views.insert(0, replace(engine.plugin_views[0], name=f"beeper{len(engine.plugin_views)}"))


def new_setting(engine: Showcase) -> None:
    engine.overview.rows.insert(0, replace(engine.overview.rows[0], key=f"log.{len(engine.overview.rows)}"))


def new_module(engine: Showcase) -> None:
    engine.overview.modules.insert(
        0, replace(engine.overview.modules[0], name=f"lib.dates{len(engine.overview.modules)}")
    )


def new_slot(engine: Showcase) -> None:
    engine.ledger.more += 1


def new_node(engine: Showcase) -> None:
    engine.nodes.rows.insert(0, replace(engine.nodes.rows[0], name=f"cpu{len(engine.nodes.rows)}"))


LISTS: dict[str, Callable[[Showcase], None]] = {
    "nodes": new_node,
    "alerts": new_alert,
    "groups": new_group,
    "schedules": new_schedule,
    "audit": new_action,
    "plugins": new_plugin,
    "settings": new_setting,
    "library": new_module,
    "why": new_slot,
}


@pytest.mark.parametrize("name", LISTS)
async def test_a_row_that_comes_above_leaves_the_cursor_on_its_own(name: str, tmp_path: Path) -> None:
    async with showcase(tmp_path) as engine:
        LISTS[name](engine)
        async with visit(tmp_path, name, (80, 24)) as seat:
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


async def test_a_job_that_comes_sooner_leaves_the_cursor_and_the_lines_of_what_comes(tmp_path: Path) -> None:
    async with showcase(tmp_path) as engine:
        for number in range(40):
            engine.add(f"zz/{number:02}", "", next_run=START + timedelta(days=1, minutes=number))
        async with visit(tmp_path, "coming", (80, 24)) as seat:
            grid = seat.app.screen.query_one("#coming", Grid)
            await until(lambda: len(grid.rows) > 40, 30)
            await seat.press(*["pagedown"] * 2)
            await until(lambda: grid.scroll_offset.y > 0, 30)
            under, line, count = (
                grid.cursor_row.job,
                seat.lines.index(cursor_line(seat, grid)),
                len(grid.rows),
            )
            engine.add("soonest", "", next_run=START + timedelta(seconds=1))
            seat.app.board.take_jobs(engine.listed_jobs())
            await until(lambda: len(grid.rows) == count + 1, 30)
            await seat.pilot.pause()
            assert grid.cursor_row.job == under
            assert seat.lines.index(cursor_line(seat, grid)) == line


def cursor_line(seat: Seat, grid: Grid[ComingView]) -> str:
    assert grid.cursor_row is not None
    return seat.line_with(grid.cursor_row.job)


async def test_news_change_neither_filter_marks_nor_scroll_of_the_jobs(tmp_path: Path) -> None:
    async with showcase(tmp_path) as engine:
        for number in range(40):
            engine.add(f"zz/{number:02}", "")
        async with visit(tmp_path, "jobs", (80, 24)) as seat:
            await seat.press("slash", *"zz", "enter", "pagedown", "space", "space", "pagedown")
            grid = seat.app.screen.query_one("#jobs", Grid)
            before = (grid.cursor_row.name, grid.scroll_offset.y, set(grid.marked), len(grid.marked))
            assert before[1] > 0
            assert before[3] == 2
            engine.add("another", "")
            for name, status in (("zz/00", "INACTIVE"), ("zz/39", "STOPPED"), ("till", "EXPIRED")):
                engine.add(name, "", status=status)
            seat.app.board.take_jobs(engine.listed_jobs())
            seat.app.screen.tick()
            await seat.pilot.pause()
            assert (grid.cursor_row.name, grid.scroll_offset.y, set(grid.marked), len(grid.marked)) == before
            assert "another" not in seat.text
            assert seat.lines[1].split()[:2] == ["filter", "zz"]


async def test_scrolling_is_one_step(tmp_path: Path) -> None:
    async with showcase(tmp_path), visit(tmp_path, "jobs", (80, 24)) as seat:
        await seat.press("question_mark")
        page = seat.app.screen.query_one(Prose)
        seen: list[float] = []
        seat.app.watch(page, "scroll_y", lambda now: seen.append(now), init=False)
        await seat.press("pagedown")
        await seat.pilot.wait_for_animation()
        assert len(seen) == 1
        assert seen[0] > 0
