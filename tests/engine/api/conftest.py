from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from engine.api.address import socket_in
from engine.api.callers import Caller, Callers, Way
from engine.api.client import AsyncClient
from engine.api.server import ApiServer
from engine.roles import Role
from tests.engine.api.memory_engine import MemoryEngine, filled

TOKEN = "sesame"
BEARER = Caller(Role.ADMIN, Way.TCP)


@pytest.fixture
def engine(tmp_path: Path) -> MemoryEngine:
    return filled(tmp_path)


@pytest.fixture
async def server(engine: MemoryEngine) -> AsyncIterator[ApiServer]:
    server = ApiServer(
        engine, socket_path=socket_in(engine.home), tcp="127.0.0.1:0", callers=Callers({TOKEN: BEARER})
    )
    await server.start()
    yield server
    await server.stop()


@pytest.fixture
async def client(server: ApiServer, engine: MemoryEngine) -> AsyncIterator[AsyncClient]:
    async with AsyncClient(socket_in(engine.home), actor="anna@web1") as client:
        yield client
