"""What the dashboard shows somebody whose role is less than admin."""

from __future__ import annotations

import importlib
import pkgutil
import re
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path

import pytest
from textual.binding import Binding

import tui
from engine.api.address import socket_in
from engine.api.callers import Caller, Callers, Way
from engine.api.client import AsyncClient
from engine.api.server import ApiServer
from engine.roles import Role
from tests.engine.api.memory_engine import MemoryEngine
from tests.engine.conftest import until
from tests.tui.conftest import Seat, seated
from tui.app import Dashboard
from tui.model.rights import ACTIONS, role_for, why_closed
from tui.page import Page
from tui.screens.help import bindings_of

SitAs = Callable[[Role], AbstractAsyncContextManager[Seat]]


@pytest.fixture
def callers() -> Callers:
    return Callers()


@pytest.fixture
async def server(engine: MemoryEngine, callers: Callers) -> AsyncIterator[ApiServer]:
    server = ApiServer(engine, socket_path=socket_in(engine.home), callers=callers)
    await server.start()
    yield server
    await server.stop()


@pytest.fixture
def sit_as(tmp_path: Path, server: ApiServer, callers: Callers) -> SitAs:
    @asynccontextmanager
    async def sit_down(role: Role) -> AsyncIterator[Seat]:
        token = callers.issue(Caller(role, Way.SSH, "anna"))
        app = Dashboard(AsyncClient(socket_in(tmp_path), token=token))
        async with seated(app) as seat:
            await seat.reads("report", "Running")
            yield seat

    return sit_down


async def test_a_viewer_reads_that_nothing_can_be_changed(sit_as: SitAs) -> None:
    async with sit_as(Role.VIEWER) as seat:
        await seat.reads("read-only", "(r Run)", "(e Edit)", "⏎ Open", "/ Filter")


async def test_what_a_viewer_cannot_do_is_told_with_the_role_it_takes(
    sit_as: SitAs, engine: MemoryEngine
) -> None:
    async with sit_as(Role.VIEWER) as seat:
        await seat.press("r")
        await seat.reads("not for you", "operator, and you are viewer")
        await seat.press("e")
        await seat.reads("admin, and you are viewer")
        assert "Ln 1" not in seat.text
    assert engine.actors == []


async def test_the_keys_of_the_app_are_closed_to_a_viewer_too(sit_as: SitAs, engine: MemoryEngine) -> None:
    async with sit_as(Role.VIEWER) as seat:
        await seat.press("ctrl+r")
        await seat.reads("operator, and you are viewer")
        assert "Read the jobs folder again?" not in seat.text
    assert engine.actors == []


async def test_help_and_palette_say_which_role_an_action_takes(sit_as: SitAs) -> None:
    async with sit_as(Role.OPERATOR) as seat:
        await seat.press("question_mark")
        await seat.reads("Edit the file (needs the role admin)")
        assert "Run now (needs" not in seat.text
        await seat.press("escape", "ctrl+p")
        await seat.type("edit the")
        await seat.reads("key e, needs the role admin")


async def test_an_operator_runs_jobs_and_leaves_their_files_alone(
    sit_as: SitAs, engine: MemoryEngine
) -> None:
    async with sit_as(Role.OPERATOR) as seat:
        await seat.reads(" operator ", "(e Edit)", " r Run")
        await seat.press("slash")
        await seat.type("report")
        await seat.press("enter", "r")
        await until(lambda: engine.actors == ["anna via ssh"])
        await seat.press("n")
        await seat.reads("and you are operator")


async def test_to_an_admin_nothing_is_closed(sit_as: SitAs) -> None:
    async with sit_as(Role.ADMIN) as seat:
        assert "(" not in seat.lines[-1]
        assert "read-only" not in seat.lines[0]
        assert "admin" not in seat.lines[0]


#: How the descriptions of actions begin that change something.
ACTS = re.compile(
    r"(Run|Cancel|Delete|Remove|Edit|Pause|Set|Acknowledge|Deactivate|Disable|New|Save|Read the)\b"
)


def bindings() -> list[Binding]:
    for module in pkgutil.walk_packages(tui.__path__, "tui."):
        importlib.import_module(module.name)
    return [binding for kind in pages() for binding in bindings_of(kind)]


def test_each_action_that_changes_something_takes_a_role() -> None:
    acting = {binding.action for binding in bindings() if ACTS.match(binding.description)}
    assert {"run", "again_with", "remove", "delete", "reload", "pause_engine"} <= acting
    assert {action for action in acting if role_for(action) is Role.VIEWER} == set(), (
        "see tui/model/rights.py"
    )


def test_each_action_that_takes_a_role_is_one_of_a_screen() -> None:
    names = {binding.action.partition("(")[0] for binding in bindings()}
    assert ACTIONS - names == set()


def pages(kind: type = Page) -> set[type]:
    below = {one for child in kind.__subclasses__() for one in pages(child)}
    return {kind, *below, Dashboard}


def test_a_role_is_found_behind_the_names_of_places_and_arguments() -> None:
    assert role_for("screen.run") is Role.OPERATOR
    assert role_for("app.reload") is Role.OPERATOR
    assert role_for("tab('log')") is Role.VIEWER
    assert why_closed("screen.edit", Role.OPERATOR) == "needs the role admin"
    assert why_closed("screen.edit", Role.ADMIN) == ""
