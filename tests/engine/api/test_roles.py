"""What each role may do: every route of the API's own description is tried with every role."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
from fastapi import APIRouter

from engine.api.address import socket_in
from engine.api.callers import Caller, Callers, Way
from engine.api.client import AsyncClient, Client
from engine.api.rights import ROLE_KEY
from engine.api.server import ApiServer, create_app
from engine.errors import Forbidden, MoontideError
from engine.roles import Role
from tests.engine.api.memory_engine import MemoryEngine

TOKENS = {role: f"token of {role}" for role in Role}
CALLERS = {token: Caller(role, Way.TCP, f"the-{role}") for role, token in TOKENS.items()}


def plugin_routes() -> APIRouter:
    router = APIRouter(prefix="/v1/plugins/tide")

    @router.get("/height")
    async def height() -> int:
        return 3

    @router.post("/raise")
    async def rise() -> int:
        return 4

    @router.route("/plain", methods=["POST", "PURGE"])
    async def plain(request: Any) -> Any:
        raise AssertionError("nobody but an admin comes here")

    return router


@pytest.fixture
async def server(engine: MemoryEngine) -> AsyncIterator[ApiServer]:
    server = ApiServer(
        engine,
        socket_path=socket_in(engine.home),
        tcp="127.0.0.1:0",
        callers=Callers(CALLERS),
        added=[plugin_routes()],
    )
    await server.start()
    yield server
    await server.stop()


def http_as(server: ApiServer, role: Role) -> httpx.AsyncClient:
    headers = {"authorization": f"Bearer {TOKENS[role]}"}
    return httpx.AsyncClient(base_url=f"http://127.0.0.1:{server.tcp_port}", headers=headers, trust_env=False)


def described(engine: MemoryEngine) -> list[tuple[str, str, Role]]:
    """Return method, path and wanted role of every operation that the description lists."""
    paths = create_app(engine, added=[plugin_routes()]).openapi()["paths"]
    return [
        (
            method.upper(),
            re.sub(r"\{\w*id\}", "7", path).replace("{name}", "report"),
            role_of(method, operation),
        )
        for path, operations in paths.items()
        for method, operation in operations.items()
    ]


def role_of(method: str, operation: dict[str, Any]) -> Role:
    return Role.VIEWER if method == "get" else Role(operation.get(ROLE_KEY, Role.ADMIN))


@pytest.mark.parametrize("role", Role)
async def test_every_route_refuses_the_roles_below_its_own_and_nobody_else(
    server: ApiServer, engine: MemoryEngine, role: Role
) -> None:
    operations = described(engine)
    assert len(operations) > 40
    async with http_as(server, role) as http:
        for method, path, needed in operations:
            async with http.stream(method, path) as response:
                refused = response.status_code == 403
                assert refused is not role.may(needed), f"{method} {path} as {role}"
                if refused:
                    error = (await response.aread()).decode()
                    assert f"the-{role} is {role}, and this needs the role {needed}" in error
                    assert '"code":"forbidden"' in error
    if role is Role.VIEWER:
        assert engine.actors == []


async def test_what_a_job_is_takes_an_admin_and_when_it_runs_an_operator(engine: MemoryEngine) -> None:
    needed = {(method, path): role for method, path, role in described(engine)}
    assert needed["PUT", "/v1/sources/report"] is Role.ADMIN
    assert needed["DELETE", "/v1/jobs/report"] is Role.ADMIN
    assert needed["PATCH", "/v1/overrides/report"] is Role.ADMIN
    assert needed["POST", "/v1/runs"] is Role.OPERATOR
    assert needed["POST", "/v1/bulk"] is Role.OPERATOR
    assert needed["POST", "/v1/plugins/tide/raise"] is Role.ADMIN


@pytest.mark.parametrize("method", ["POST", "PURGE", "PUT", "PROPFIND"])
async def test_routes_outside_the_description_are_for_admins(server: ApiServer, method: str) -> None:
    async with http_as(server, Role.OPERATOR) as http:
        assert (await http.request(method, "/v1/plugins/tide/plain")).status_code == 403
        assert (await http.request(method, "/nothing")).status_code == 403


async def test_an_operator_drops_no_changed_settings(server: ApiServer, engine: MemoryEngine) -> None:
    async with http_as(server, Role.OPERATOR) as http:
        answer = await http.post("/v1/reload", json={"override": True})
        assert answer.status_code == 403
        assert "a reload that drops changed settings" in answer.json()["error"]["message"]
        assert (await http.post("/v1/reload", json={})).status_code == 200


async def test_the_audit_trail_has_the_tokens_name_whatever_a_client_says(
    server: ApiServer, engine: MemoryEngine
) -> None:
    async with http_as(server, Role.OPERATOR) as http:
        await http.post("/v1/reload", headers={"x-moontide-actor": "root@localhost via ssh"})
    async with AsyncClient(socket_in(engine.home), actor="root via ssh") as owner:
        await owner.reload()
    assert engine.actors == ["the-operator via tcp", "root ssh via socket"]


async def test_everybody_can_ask_who_they_are(server: ApiServer, engine: MemoryEngine) -> None:
    url = f"http://127.0.0.1:{server.tcp_port}"
    async with AsyncClient(url, token=TOKENS[Role.VIEWER]) as viewer:
        me = await viewer.me()
    async with AsyncClient(socket_in(engine.home)) as owner:
        owned = await owner.me()
    assert (me.name, me.role, me.way) == ("the-viewer", "viewer", "tcp")
    assert (owned.name, owned.role, owned.way) == ("", "admin", "socket")


async def test_a_refusal_is_an_error_of_its_own_at_the_client(server: ApiServer) -> None:
    url = f"http://127.0.0.1:{server.tcp_port}"
    async with AsyncClient(url, token=TOKENS[Role.VIEWER]) as viewer:
        with pytest.raises(Forbidden, match="needs the role operator"):
            await viewer.run_job("report")


@pytest.mark.parametrize("asked", Role)
async def test_a_client_may_ask_for_less_than_its_socket_gives(
    server: ApiServer, engine: MemoryEngine, asked: Role
) -> None:
    async with AsyncClient(socket_in(engine.home), role=asked) as client:
        assert (await client.me()).role == asked
    if asked is Role.VIEWER:
        with (
            Client(socket_in(engine.home), role=asked) as waiting,
            pytest.raises(Forbidden, match="you are viewer"),
        ):
            await asyncio.to_thread(waiting.reload)
        assert engine.actors == []


async def test_nobody_gets_more_by_asking_for_it(server: ApiServer) -> None:
    url = f"http://127.0.0.1:{server.tcp_port}"
    async with AsyncClient(url, token=TOKENS[Role.VIEWER], role=Role.ADMIN) as client:
        assert (await client.me()).role == "viewer"


@pytest.mark.parametrize("role", ["owner", "", "Viewer", "viewer, admin"])
async def test_a_role_that_is_none_is_refused_and_not_taken_for_the_greatest(
    server: ApiServer, role: str
) -> None:
    async with http_as(server, Role.ADMIN) as http:
        answer = await http.get("/v1/me", headers={"x-moontide-role": role})
    assert answer.status_code == 422
    assert answer.json()["error"]["message"] == "x-moontide-role must be viewer, operator, admin"


class TestSessionTokens:
    """Tokens that the engine itself gives to the dashboards of one session."""

    @pytest.fixture
    def callers(self) -> Callers:
        return Callers()

    @pytest.fixture
    async def server(self, engine: MemoryEngine, callers: Callers) -> AsyncIterator[ApiServer]:
        server = ApiServer(engine, socket_path=socket_in(engine.home), tcp="127.0.0.1:0", callers=callers)
        await server.start()
        yield server
        await server.stop()

    async def test_such_a_token_makes_less_of_its_caller_than_the_socket_would(
        self, server: ApiServer, engine: MemoryEngine, callers: Callers
    ) -> None:
        token = callers.issue(Caller(Role.VIEWER, Way.SSH, "anna"))
        async with AsyncClient(socket_in(engine.home), token=token) as client:
            assert (await client.me()).role == "viewer"
            with pytest.raises(Forbidden, match="anna is viewer"):
                await client.reload()

    async def test_a_revoked_token_opens_nothing_not_even_the_socket(
        self, server: ApiServer, engine: MemoryEngine, callers: Callers
    ) -> None:
        token = callers.issue(Caller(Role.ADMIN, Way.SSH, "anna"))
        callers.revoke(token)
        async with AsyncClient(socket_in(engine.home), token=token) as client:
            with pytest.raises(MoontideError, match="Authorization"):
                await client.status()

    async def test_such_a_token_is_good_at_the_socket_only(self, server: ApiServer, callers: Callers) -> None:
        token = callers.issue(Caller(Role.ADMIN, Way.SSH, "anna"))
        async with AsyncClient(f"http://127.0.0.1:{server.tcp_port}", token=token) as client:
            with pytest.raises(MoontideError, match="Authorization"):
                await client.status()
