"""The door in this process, with a client that does as it likes."""

from __future__ import annotations

import asyncio
import json
import os
import signal
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import asyncssh
import pytest

from engine.api.address import socket_in
from engine.api.callers import Callers
from engine.api.server import ApiServer
from engine.door.door import Door, DoorSettings
from engine.door.keys import Key
from engine.roles import Role
from tests.engine.api.memory_engine import MemoryEngine, filled
from tests.engine.conftest import until
from tests.engine.door.test_keys import line, public
from tui.look.themes import LIGHT


class Drawn(asyncssh.SSHClientSession[bytes]):
    """What a client was sent."""

    def __init__(self) -> None:
        self.seen = b""

    def data_received(self, data: bytes, datatype: Any) -> None:
        self.seen = (self.seen + data)[-200_000:]


@pytest.fixture
def key() -> asyncssh.SSHKey:
    return public()


@pytest.fixture
def other() -> asyncssh.SSHKey:
    return public()


@pytest.fixture
def engine(tmp_path: Path) -> MemoryEngine:
    return filled(tmp_path)


@pytest.fixture
async def door(engine: MemoryEngine, key: asyncssh.SSHKey, other: asyncssh.SSHKey) -> AsyncIterator[Door]:
    home, callers = engine.home, Callers()
    (home / "keys").touch(0o600)
    (home / "keys").write_text(line(key, "viewer") + line(other, "operator", "bo"))
    server = ApiServer(engine, socket_path=socket_in(home), callers=callers)
    await server.start()
    settings = DoorSettings("127.0.0.1:0", home / "keys", home / "host", home / "liked", 5, 5, 0)

    async def note(action: str, actor: str) -> None:
        await engine.note(action, "", actor=actor)

    door = Door(settings, socket=socket_in(home), callers=callers, note=note)
    await door.start()
    yield door
    await door.stop()
    await server.stop()


async def connected(door: Door, key: asyncssh.SSHKey) -> asyncssh.SSHClientConnection:
    assert door.port is not None
    return await asyncssh.connect(
        "127.0.0.1",
        door.port,
        username="x",
        client_keys=[key],
        known_hosts=None,
        config=None,
        compression_algs=["zlib@openssh.com"],
    )


async def test_while_a_connection_is_full_its_dashboards_wait_and_then_go_on(
    door: Door, key: asyncssh.SSHKey
) -> None:
    async with await connected(door, key) as client:
        channel, drawn = await client.create_session(Drawn, term_type="xterm-256color", encoding=None)
        await until(lambda: b"report" in drawn.seen, 60)
        (session,) = door.guests.inside
        # What the event loop calls when its buffer for the client is full.
        at_door: Any = session._chan._conn  # type: ignore[attr-defined]
        at_door.pause_writing()
        assert not session._terminal._reading  # type: ignore[attr-defined]
        session.pause_writing()  # type: ignore[attr-defined]
        at_door.resume_writing()
        assert not session._terminal._reading  # type: ignore[attr-defined]
        session.resume_writing()  # type: ignore[attr-defined]
        channel.write(b"?")
        await until(lambda: b"the mouse works too" in drawn.seen, 60)
        channel.write(b"\x11")
        async with asyncio.timeout(60):
            await channel.wait_closed()
        assert channel.get_exit_status() == 0


async def test_two_sessions_of_one_connection_are_counted_and_noted(
    door: Door, key: asyncssh.SSHKey, engine: MemoryEngine
) -> None:
    async with await connected(door, key) as client:
        for _ in range(2):
            await client.create_session(Drawn, term_type="xterm-256color", encoding=None)
        await until(lambda: len(door.guests.inside) == 2)
    await until(lambda: not door.guests.inside, 30)
    await until(lambda: len(engine.notes) == 4, 30)
    assert sorted(engine.notes) == [("log in from 127.0.0.1", "")] * 2 + [("log out from 127.0.0.1", "")] * 2
    assert set(engine.actors) == {"anna via ssh"}


async def test_all_sessions_are_forked_from_one_process_that_has_all_loaded(
    door: Door, key: asyncssh.SSHKey
) -> None:
    async with await connected(door, key) as client:
        for _ in range(3):
            await client.create_session(Drawn, term_type="xterm-256color", encoding=None)
        await until(lambda: len(forked_from(screens(door))) == 3, 60)
    await until(lambda: forked_from(screens(door)) == [], 30)


async def test_sessions_go_on_without_the_process_that_they_were_forked_from(
    door: Door, key: asyncssh.SSHKey
) -> None:
    async with await connected(door, key) as client:
        channel, drawn = await client.create_session(Drawn, term_type="xterm-256color", encoding=None)
        await until(lambda: b"report" in drawn.seen, 60)
        os.kill(screens(door), signal.SIGKILL)
        channel.write(b"?")
        await until(lambda: b"the mouse works too" in drawn.seen, 60)
        _, second = await client.create_session(Drawn, term_type="xterm-256color", encoding=None)
        await until(lambda: b"report" in second.seen, 60)
        channel.write(b"\x11")
        async with asyncio.timeout(60):
            await channel.wait_closed()
        assert b"\x1b[?1049l" in drawn.seen


def screens(door: Door) -> int:
    """Return the process from which those of sessions are forked."""
    parent = door._standby._parent
    assert parent is not None
    return parent.process.pid


def forked_from(pid: int) -> list[str]:
    return Path(f"/proc/{pid}/task/{pid}/children").read_text().split()


async def visit(door: Door, key: asyncssh.SSHKey, keys: bytes, over: Callable[[], bool]) -> None:
    """Log in, wait for the list of jobs, type keys, wait until something is true, and leave."""
    async with await connected(door, key) as client:
        channel, drawn = await client.create_session(
            Drawn, term_type="xterm-256color", term_size=(80, 24), encoding=None
        )
        await until(lambda: b"report" in drawn.seen, 60)
        channel.write(keys)
        await until(over, 60)
        channel.write(b"\x11")
        async with asyncio.timeout(60):
            await channel.wait_closed()


async def test_what_somebody_likes_is_remembered_for_their_key_alone_a_viewers_too(
    door: Door, key: asyncssh.SSHKey, other: asyncssh.SSHKey, engine: MemoryEngine
) -> None:
    folder = engine.home / "liked"

    def liked(key: asyncssh.SSHKey) -> dict[str, str]:
        path = folder / f"{Key(key.public_data, Role.VIEWER, '').digest}.json"
        return json.loads(path.read_text()) if path.exists() else {}

    await visit(door, key, b"t/job:rep\r", lambda: liked(key).get("jobs.filter") == "job:rep")
    assert liked(key) == {"jobs.filter": "job:rep", "theme": LIGHT.name}
    await visit(door, other, b"s", lambda: liked(other) == {"jobs.sort": "name"})
    # What comes back can be changed: the filter that was kept is the one that goes on.
    await visit(door, key, b"/ort\r", lambda: liked(key).get("jobs.filter") == "job:report")
    assert liked(other) == {"jobs.sort": "name"}
    assert [path.stat().st_mode & 0o077 for path in (folder, *folder.iterdir())] == [0, 0, 0]
