"""The list of engines and workers, the node words of the top line, and what came too late of a run."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from engine.api.address import socket_in
from engine.api.callers import Caller, Callers, Way
from engine.api.client import AsyncClient
from engine.api.server import ApiServer
from engine.roles import Role
from engine.views import EngineView
from tests.engine.conftest import OpenBench, open_bench, until
from tests.tui.conftest import Seat, Sit, seated
from tests.tui.showcase import Showcase, showcase, visit
from tui.app import Dashboard

__all__ = ["open_bench"]

SIZES = [(80, 24), (120, 40), (200, 60)]


@asynccontextmanager
async def at_nodes(home: Path, size: tuple[int, int] = (80, 24)) -> AsyncIterator[tuple[Showcase, Seat]]:
    async with showcase(home) as engine, visit(home, "nodes", size) as seat:
        yield engine, seat


async def choose(seat: Seat, name: str) -> None:
    """Put the cursor on a node."""
    await seat.press("g")
    for _ in range(4):
        if seat.app.screen.query_one("#rows").cursor_row.name == name:  # type: ignore[attr-defined]
            return
        await seat.press("down")
    pytest.fail(f"no {name} among the nodes")


@pytest.mark.parametrize("size", SIZES)
async def test_an_engine_on_a_file_is_listed_alone(
    open_bench: OpenBench, sit: Sit, size: tuple[int, int]
) -> None:
    async with open_bench({}), sit(size=size) as seat:
        await seat.reads("moontide/cleanup")
        await seat.press("W")
        await seat.reads(" nodes", "● leading", str(os.getpid()), "0 of 10")
        assert " nodes " not in seat.lines[0]


async def test_what_is_wrong_with_a_node_and_what_it_runs_is_told(tmp_path: Path) -> None:
    async with at_nodes(tmp_path, (120, 40)) as (engine, seat):
        engine.all_runs[22] = replace(engine.all_runs[22], worker="gpu1")
        await seat.press("r")
        await choose(seat, "gpu1")
        await seat.reads("! gpu1", "clock is 3.4 s behind", "version 0.0.9", "1 of 8", "gpu, eu", "22 till")
        await choose(seat, "web3")
        await seat.reads("✗ silent", "not heard of any more")


@pytest.mark.parametrize("key", ["enter", "o"])
async def test_the_run_of_a_node_is_opened(tmp_path: Path, key: str) -> None:
    async with at_nodes(tmp_path) as (_, seat):
        await choose(seat, "web2")
        await seat.press(key)
        await seat.reads("web2 carries nothing out now")
        await choose(seat, "web1")
        await seat.press(key)
        await seat.reads("runs › 22")


async def test_the_name_of_a_node_is_copied(tmp_path: Path) -> None:
    async with at_nodes(tmp_path) as (_, seat):
        await choose(seat, "web1")
        await seat.press("y")
        await seat.reads("copied: web1")
        assert seat.app.clipboard == "web1"


async def test_a_node_is_drained_after_a_question_that_says_who_goes_on(tmp_path: Path) -> None:
    async with at_nodes(tmp_path) as (engine, seat):
        await choose(seat, "web1")
        await seat.press("d")
        await seat.reads("Drain web1?", "an engine that stands by takes over")
        await seat.press("enter")
        await seat.gone("Drain web1?")
        assert not any(row.drain for row in engine.nodes.rows)
        await seat.press("d")
        await seat.reads("Drain web1?")
        await seat.press("y")
        await seat.reads("▽ draining", "web1 takes nothing")
        assert [row.name for row in engine.nodes.rows if row.drain] == ["web1"]
        await seat.press("d")
        await seat.reads("web1 was asked to already")


async def test_the_last_worker_and_the_only_engine_are_told_of(tmp_path: Path) -> None:
    async with at_nodes(tmp_path) as (engine, seat):
        await choose(seat, "gpu1")
        await seat.press("d")
        await seat.reads("No other worker is there: runs wait")
        await seat.press("escape")
        engine.nodes.rows = [row for row in engine.nodes.rows if row.name != "web2"]
        await seat.press("r")
        await seat.gone("standby")
        await choose(seat, "web1")
        await seat.press("d")
        await seat.reads("No engine stands by: no job runs")


async def test_only_a_node_that_is_not_there_is_forgotten(tmp_path: Path) -> None:
    async with at_nodes(tmp_path) as (engine, seat):
        await choose(seat, "web1")
        await seat.press("f")
        await seat.reads("web1 is leading; only a node")
        await choose(seat, "web3")
        await seat.press("d")
        await seat.reads("web3 is silent; only a node")
        await seat.press("f")
        await seat.reads("Forget web3?")
        await seat.press("enter")
        await seat.gone("Forget web3?")
        await seat.press("f", "y")
        await seat.reads("web3 is off the list")
        await until(lambda: "silent" not in seat.text)
        assert "web3" not in [row.name for row in engine.nodes.rows]


async def test_an_operator_is_told_that_draining_takes_an_admin(tmp_path: Path) -> None:
    callers = Callers()
    server = ApiServer(Showcase(tmp_path), socket_path=socket_in(tmp_path), callers=callers)
    await server.start()
    try:
        token = callers.issue(Caller(Role.OPERATOR, Way.SSH, "anna"))
        async with seated(Dashboard(AsyncClient(socket_in(tmp_path), token=token))) as seat:
            await seat.reads("operator")
            await seat.press("W")
            await seat.reads("standby", "(d Drain)", "(f Forget)")
            await seat.press("d")
            await seat.reads("admin, and you are operator")
    finally:
        await server.stop()


# The top line


class _Many(Showcase):
    troubles: tuple[str, ...] = ()

    def status(self) -> EngineView:
        return replace(super().status(), nodes=3, node_troubles=list(self.troubles))


async def top_line(home: Path, size: tuple[int, int], *troubles: str) -> str:
    engine = _Many(home)
    engine.troubles = troubles
    server = ApiServer(engine, socket_path=socket_in(home))
    await server.start()
    try:
        async with seated(Dashboard(AsyncClient(socket_in(home))), size) as seat:
            await seat.reads("till/paused")
            return seat.lines[0]
    finally:
        await server.stop()


@pytest.mark.parametrize("size", SIZES)
async def test_the_top_line_counts_nodes_where_there_are_several(
    tmp_path: Path, size: tuple[int, int]
) -> None:
    assert " 3 nodes " in await top_line(tmp_path, size)


async def test_the_top_line_names_a_node_of_another_version(tmp_path: Path) -> None:
    line = await top_line(tmp_path, (160, 40), "gpu1 is version 0.0.9", "gpu1 clock -3.4 s")
    assert " ✗ gpu1 is version 0.0.9 and 1 more " in line


async def test_a_narrow_top_line_says_that_nodes_differ(tmp_path: Path) -> None:
    assert " ✗ nodes differ " in await top_line(tmp_path, (80, 24), "gpu1 is version 0.0.9")


# A run that a worker carried out


async def test_the_page_of_a_run_names_its_worker_and_what_came_too_late(tmp_path: Path) -> None:
    async with showcase(tmp_path) as engine:
        late = {"at": "2026-03-01T11:59:00+00:00", "worker": "gpu1", "status": "COMPLETE", "error": None}
        for number, run in engine.all_runs.items():
            engine.all_runs[number] = replace(run, worker="gpu1", superseded=[late])
        async with visit(tmp_path, "run-values", (80, 24)) as seat:
            await seat.reads("worker    gpu1")
            await seat.press("end")
            await seat.reads("SUPERSEDED: reported too late", "✓ complete by gpu1 at 2026-03-01 11:59:00")
