"""What a connection to MySQL receives is counted as its driver reads it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from types import SimpleNamespace

import pytest

from plugins.sql.intake import MOST_BYTES
from plugins.sql.mysql_intake import MysqlIntake

PIECE = 2**20


class Reader(asyncio.BufferedProtocol):
    """Reads as the driver does, and keeps only how much came."""

    def __init__(self) -> None:
        self.size, self.awaited = 0, 0
        self.reached = asyncio.Event()
        self.ended = asyncio.get_running_loop().create_future()

    def get_buffer(self, sizehint: int) -> bytearray:
        return bytearray(PIECE)

    def buffer_updated(self, nbytes: int) -> None:
        self.size += nbytes
        if self.size >= self.awaited:
            self.reached.set()

    def connection_lost(self, exc: Exception | None) -> None:
        self.ended.set_result(exc)


class Server(asyncio.Protocol):
    """The other end."""

    def __init__(self) -> None:
        self.accepted: asyncio.Future[asyncio.Transport] = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.accepted.set_result(transport)


@pytest.fixture
async def line() -> AsyncIterator[tuple[MysqlIntake, Reader, asyncio.Transport]]:
    """Give a counted connection's intake and protocol, and the server's end of it."""
    loop, server = asyncio.get_running_loop(), Server()
    listening = await loop.create_server(lambda: server, "127.0.0.1", 0)
    transport, reader = await loop.create_connection(
        Reader, "127.0.0.1", listening.sockets[0].getsockname()[1]
    )
    intake = MysqlIntake(SimpleNamespace(_transport=transport, _proto=reader))
    yield intake, reader, await server.accepted
    transport.abort()
    listening.close()
    await listening.wait_closed()


async def _received(reader: Reader, size: int) -> None:
    reader.awaited = size
    reader.reached.clear()
    async with asyncio.timeout(30):
        await reader.reached.wait()


async def test_a_connection_that_receives_too_much_is_ended(
    line: tuple[MysqlIntake, Reader, asyncio.Transport],
) -> None:
    intake, reader, server = line
    intake.begin()
    server.write(bytes(4 * MOST_BYTES))
    async with asyncio.timeout(30):
        await reader.ended
    assert intake.cut
    assert MOST_BYTES < reader.size <= MOST_BYTES + PIECE


async def test_each_statement_may_receive_as_much(
    line: tuple[MysqlIntake, Reader, asyncio.Transport],
) -> None:
    intake, reader, server = line
    for number in range(1, 4):
        intake.begin()
        server.write(bytes(MOST_BYTES - PIECE))
        await _received(reader, number * (MOST_BYTES - PIECE))
    assert not intake.cut
