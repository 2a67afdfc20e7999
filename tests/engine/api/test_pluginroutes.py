"""Routes of plugins stand behind the API's walls, and a bad one harms nobody."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Annotated, Any

import httpx
import pytest
from fastapi import APIRouter, Body
from pydantic import BaseModel

from engine.api.address import socket_in
from engine.api.callers import Callers
from engine.api.client import AsyncClient
from engine.api.pluginroutes import make_routers
from engine.api.server import ApiServer
from engine.calls.core import CoreModule
from engine.errors import MoontideError, Refused
from engine.extensions.modules import Unready
from engine.extensions.surfaces import ApiRoutes
from moontide.api import Actor, Engine
from tests.engine.api.conftest import BEARER, TOKEN
from tests.engine.api.memory_engine import MemoryEngine

tides = CoreModule("tides", summary="Tells the tides.")


def make(service: dict[str, int]) -> APIRouter:
    router = APIRouter()

    @router.get("/height")
    async def height(place: str) -> int:
        return service[place]

    @router.post("/set")
    def set_height(actor: Actor, engine: Engine, height: Annotated[int, Body(embed=True)]) -> dict[str, Any]:
        service["pier"] = height
        return {"by": actor, "jobs": len(engine.jobs())}

    @router.get("/refused")
    async def refused() -> None:
        raise Refused("the tide is out")

    @router.get("/broken")
    async def broken() -> None:
        raise RuntimeError("sesame, open")

    return router


def exits() -> APIRouter:
    raise SystemExit("no routes tonight")


def odd() -> Any:
    return "a router"


class Odd(BaseModel):
    """A body that no JSON can be."""

    call: Callable[[], int]


def undescribable() -> APIRouter:
    router = APIRouter()

    @router.post("/odd")
    async def look(value: Odd) -> None: ...

    return router


Serve = Callable[..., AbstractAsyncContextManager[AsyncClient]]


@pytest.fixture
def serve(engine: MemoryEngine) -> Serve:
    """Serve routes of plugins; the client has what was set aside, and the port of TCP."""

    @asynccontextmanager
    async def serving(aside: dict[str, str], **offered: list[ApiRoutes]) -> AsyncIterator[AsyncClient]:
        services = {"tides": {"pier": 3}, "ill": Unready("no sea")}
        routers = make_routers(offered, services, aside.__setitem__)
        server = ApiServer(
            engine,
            socket_path=socket_in(engine.home),
            tcp="127.0.0.1:0",
            callers=Callers({TOKEN: BEARER}),
            added=routers,
        )
        await server.start()
        try:
            async with AsyncClient(socket_in(engine.home), actor="anna@web1") as client:
                client.port = server.tcp_port  # type: ignore[attr-defined]
                yield client
        finally:
            await server.stop()

    return serving


GOOD = [ApiRoutes(make=make, module=tides)]


async def test_a_route_answers_with_the_service_of_its_module(serve: Serve) -> None:
    async with serve({}, tide=GOOD) as client:
        assert await client.plugin("tide", "height", params={"place": "pier"}) == 3


async def test_a_route_knows_who_asks_and_what_it_changes_is_noted(
    serve: Serve, engine: MemoryEngine
) -> None:
    async with serve({}, tide=GOOD) as client:
        answer = await client.plugin("tide", "set", method="POST", body={"height": 5})
        assert await client.plugin("tide", "height", params={"place": "pier"}) == 5
    assert answer == {"by": "anna@web1 via socket", "jobs": len(engine.jobs())}
    assert engine.notes == [("POST /set", "plugin tide")]


async def test_errors_of_the_tree_travel_and_others_are_not_told(
    serve: Serve, caplog: pytest.LogCaptureFixture
) -> None:
    async with serve({}, tide=GOOD) as client:
        with pytest.raises(Refused, match="the tide is out"):
            await client.plugin("tide", "refused")
        with caplog.at_level(logging.ERROR), pytest.raises(MoontideError, match="its log says why"):
            await client.plugin("tide", "broken")
        assert (await client.status()).jobs >= 0
    assert "sesame, open" in caplog.text


async def test_from_the_network_a_route_needs_the_token(serve: Serve) -> None:
    async with serve({}, tide=GOOD) as client, httpx.AsyncClient() as network:
        url = f"http://127.0.0.1:{client.port}/v1/plugins/tide/height?place=pier"  # type: ignore[attr-defined]
        without = await network.get(url)
        allowed = await network.get(url, headers={"authorization": f"Bearer {TOKEN}"})
    assert (without.status_code, allowed.json()) == (401, 3)


@pytest.mark.parametrize(
    ("broken", "reason"),
    [
        (exits, "SystemExit: no routes tonight"),
        (odd, "make must return an APIRouter, not str"),
        (undescribable, "its API routes could not be made"),
    ],
)
async def test_a_plugin_whose_routes_cannot_be_made_is_set_aside(
    serve: Serve, broken: Callable[[], Any], reason: str
) -> None:
    aside: dict[str, str] = {}
    async with serve(aside, bad=[ApiRoutes(make=broken)], tide=GOOD) as client:
        assert await client.plugin("tide", "height", params={"place": "pier"}) == 3
        with pytest.raises(MoontideError):
            await client.plugin("bad", "odd")
    assert list(aside) == ["bad"]
    assert reason in aside["bad"]


async def test_routes_whose_module_was_set_aside_are_left_out(serve: Serve) -> None:
    ill = CoreModule("ill", summary="Has no service.")
    aside: dict[str, str] = {}
    async with serve(aside, ill=[ApiRoutes(make=make, module=ill)]) as client:
        with pytest.raises(MoontideError, match="the API has no GET /v1/plugins/ill/height"):
            await client.plugin("ill", "height")
    assert aside == {}
