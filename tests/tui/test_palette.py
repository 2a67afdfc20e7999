"""The palette has every action of every screen, and carries out those of a screen's parts."""

from __future__ import annotations

import importlib
import pkgutil
import re
from pathlib import Path

import pytest
from textual.screen import Screen

import tui
from tests.engine.conftest import until
from tests.tui.showcase import showcase, visit
from tests.tui.test_docs import SECTIONS
from tui.page import Page
from tui.screens.help import own_bindings
from tui.screens.palette import Actions

#: Where in the tour the keys that the page about the dashboard lists are those of a screen.
SCREENS = {
    "JobsScreen": "jobs",
    "JobScreen": "job-overview",
    "RunsScreen": "runs",
    "RunScreen": "run-log",
    "ComingScreen": "coming",
    "AlertsScreen": "alerts",
    "GroupsScreen": "groups",
    "SchedulesScreen": "schedules",
    "AuditScreen": "audit",
    "ChartsScreen": "charts-timeline",
    "LedgerScreen": "why",
    "LibraryScreen": "library",
    "SettingsScreen": "settings",
    "EngineScreen": "engine",
    "NodesScreen": "nodes",
    "FormScreen": "form",
    "EditorScreen": "editor-find",
    "Dashboard": "jobs",
    "ListPage": "groups",
}
#: Keys that move about in a list; the palette itself.
NOT_ACTIONS = {"Grid"}
ITSELF = "Every action by name"

TABLES = {
    owners.split()[0 if "editor" in owners else -1].rpartition(":")[2]: rows for owners, rows in SECTIONS
}


async def listed(screen: Screen[object]) -> set[str]:
    return {str(hit.display) async for hit in Actions(screen).discover()}


@pytest.mark.parametrize("owner", SCREENS)
async def test_what_the_page_about_the_dashboard_lists_stands_in_the_palette(
    owner: str, tmp_path: Path
) -> None:
    described = re.findall(r"\| `.+?` \| (.+?) \|\n", TABLES[owner])
    assert described
    async with showcase(tmp_path), visit(tmp_path, SCREENS[owner], (80, 24)) as seat:
        assert set(described) - {ITSELF} - await listed(seat.app.screen) == set()


def test_each_screen_with_keys_is_one_of_these() -> None:
    for module in pkgutil.walk_packages(tui.__path__, "tui."):
        importlib.import_module(module.name)
    with_keys = {kind.__name__ for kind in kinds(Page) if any(one.show for one in own_bindings(kind))}
    bases, without_tables = {"JobActions"}, {"ModuleScreen", "ReportScreen"}
    assert with_keys - set(SCREENS) == bases | without_tables
    assert set(TABLES) - set(SCREENS) == NOT_ACTIONS


def kinds(kind: type) -> set[type]:
    return {kind} | {below for child in kind.__subclasses__() for below in kinds(child)}


async def test_an_action_of_the_text_is_carried_out_from_the_palette_and_named_by_help(
    tmp_path: Path,
) -> None:
    async with showcase(tmp_path), visit(tmp_path, "editor", (80, 24)) as seat:
        await seat.press("ctrl+p")
        await seat.type("comment")
        await seat.reads("Comment the line", "key Ctrl+_")
        await seat.press("enter")
        await until(lambda: "-- -- Marks toys" in seat.text or " Marks toys" in seat.text, 30)
        await seat.reads("● modified")
        await seat.press("f1")
        await seat.reads("Ctrl+_")
