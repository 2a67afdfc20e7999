"""Connections through which more comes than one statement's result may have."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import threading
from collections.abc import AsyncIterator

import pytest

from moontide import CoreError
from plugins.sql.intake import MOST_BYTES, Intake

PIECE = 2**20


@pytest.fixture
async def line() -> AsyncIterator[tuple[socket.socket, socket.socket]]:
    """Give both ends of a TCP connection: the one that is watched, and the server's."""
    loop = asyncio.get_running_loop()
    with socket.create_server(("127.0.0.1", 0)) as listening, socket.socket() as ours:
        ours.setblocking(False)
        listening.setblocking(False)
        accepting = asyncio.create_task(loop.sock_accept(listening))
        await loop.sock_connect(ours, listening.getsockname())
        theirs, _ = await accepting
        with theirs:
            yield ours, theirs


async def read(line: tuple[socket.socket, socket.socket], pieces: int) -> None:
    """Read what the server sends, as a statement does."""
    ours, theirs = line
    loop = asyncio.get_running_loop()
    sending = asyncio.create_task(loop.sock_sendall(theirs, bytes(pieces * PIECE)))
    try:
        missing = pieces * PIECE
        while missing:
            data = await loop.sock_recv(ours, 2**16)
            if not data:
                raise ConnectionResetError("cut off")
            missing -= len(data)
    finally:
        sending.cancel()
        with contextlib.suppress(OSError, asyncio.CancelledError):
            await sending


async def test_a_statement_that_receives_too_much_is_cut_off(
    line: tuple[socket.socket, socket.socket],
) -> None:
    with pytest.raises(CoreError, match="larger than 1 MB"), Intake(line[0]):
        await read(line, 4 * MOST_BYTES // PIECE)


async def test_a_driver_that_never_lets_the_loop_turn_is_cut_off(
    line: tuple[socket.socket, socket.socket],
) -> None:
    ours, theirs = line
    ours.setblocking(True)
    theirs.setblocking(True)

    def send() -> None:
        with contextlib.suppress(OSError):
            for _ in range(64 * MOST_BYTES // PIECE):
                theirs.sendall(bytes(PIECE))

    def read_all() -> None:
        missing = 64 * MOST_BYTES
        while missing:
            data = ours.recv(2**16)
            if not data:
                raise ConnectionResetError("cut off")
            missing -= len(data)

    sending = threading.Thread(target=send)
    sending.start()
    with pytest.raises(CoreError, match="larger than 1 MB"), Intake(ours):
        read_all()
    await asyncio.to_thread(sending.join)


async def test_a_flood_right_behind_a_short_statement_is_cut_off(
    line: tuple[socket.socket, socket.socket],
) -> None:
    intake = Intake(line[0])
    with intake:
        await read(line, 1)
    with pytest.raises(CoreError, match="larger than 1 MB"), intake:
        await read(line, 4 * MOST_BYTES // PIECE)


async def test_statements_that_together_receive_much_are_left_alone(
    line: tuple[socket.socket, socket.socket],
) -> None:
    intake = Intake(line[0])
    for _ in range(2 * MOST_BYTES // PIECE):
        with intake:
            await read(line, 1)


async def test_a_socket_without_counters_is_not_watched() -> None:
    ours, theirs = socket.socketpair()
    with ours, theirs, Intake(ours):
        theirs.send(b"x")
    with Intake(None):
        pass
