"""The front door: listens for SSH, lets in by public key, and shows each session its own dashboard."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path

import asyncssh

from engine.api.callers import Callers
from engine.api.server import bind_tcp
from engine.door.guests import Guests
from engine.door.hostkey import host_key
from engine.door.keys import Key, KeyFile
from engine.door.session import House, Session
from engine.door.standby import Standby

logger = logging.getLogger("moontide.ssh")

#: Keys and idle times are looked at so often while somebody is in.
WATCH_SECONDS = 1.0
LOGIN_SECONDS = 20.0
KEEPALIVE_SECONDS = 30.0
#: Connections that have not logged in yet; further ones are cut.
MOST_STRANGERS = 32
#: Unknown keys that one connection may show.
MOST_KEYS = 8
STOP_SECONDS = 4.0


@dataclass(frozen=True, slots=True)
class DoorSettings:
    """How a door is set up.

    Attributes:
        listen: address and port.
        memories: the folder in which dashboards remember what each key likes; made when it is needed.
        idle_seconds: a session in which nothing is typed for so long is ended; 0 for never.
    """

    listen: str
    keys: Path
    host_key: Path
    memories: Path
    sessions: int
    sessions_per_key: int
    idle_seconds: float


class Door:
    """The door of one engine. It opens nothing but the dashboard."""

    def __init__(
        self,
        settings: DoorSettings,
        *,
        socket: Path,
        callers: Callers,
        note: Callable[[str, str], Awaitable[None]],
    ) -> None:
        """Make a door; it is closed.

        Args:
            socket: where the dashboards reach the engine.
            callers: takes the tokens of the sessions.
            note: puts an action down in the audit trail, with who did it.
        """
        self._settings = settings
        self.keys = KeyFile(settings.keys)
        self.guests = Guests(settings.sessions, settings.sessions_per_key)
        self._standby = Standby()
        self._house = House(str(socket), settings.memories, callers, self.guests, self._standby, note)
        self._connections: set[_Connection] = set()
        self._acceptor: asyncssh.SSHAcceptor | None = None
        self._watching: asyncio.Task[None] | None = None
        self.port: int | None = None

    async def start(self) -> None:
        """Open the door.

        Raises:
            SettingsError: the address or the host key cannot be used.
        """
        key = await asyncio.to_thread(host_key, self._settings.host_key)
        bound = bind_tcp(self._settings.listen, key="ssh.listen")
        self.port = bound.getsockname()[1]
        for problem in self.keys.problems():
            logger.warning("%s", problem)
        self._acceptor = await asyncssh.listen(
            sock=bound,
            server_factory=lambda: _Connection(self, self._house),
            server_host_keys=[key],
            server_version="Moontide",
            config=None,
            # Offered alone, clients take it without being asked to; it makes a tenth of the bytes.
            compression_algs=["zlib@openssh.com"],
            encoding=None,
            line_editor=False,
            login_timeout=LOGIN_SECONDS,
            keepalive_interval=KEEPALIVE_SECONDS,
            password_auth=False,
            kbdint_auth=False,
            host_based_auth=False,
            gss_host=None,
            agent_forwarding=False,
            x11_forwarding=False,
            allow_scp=False,
            sftp_factory=None,
        )
        self._standby.fill()
        logger.info("ssh: the door is open at %s, port %d", bound.getsockname()[0], self.port)

    async def stop(self) -> None:
        """Close the door, and let everybody go."""
        if self._acceptor is not None:
            self._acceptor.close()
        self.guests.end_all("the engine is stopping")
        sessions = [session for connection in self._connections for session in connection.sessions]
        if sessions:
            leaving = [asyncio.ensure_future(session.left()) for session in sessions]
            await asyncio.wait(leaving, timeout=STOP_SECONDS)
        for connection in tuple(self._connections):
            connection.close()
        if self._watching is not None:
            self._watching.cancel()
            await asyncio.wait({self._watching})
        await self._standby.stop()

    def tick(self, now: float) -> None:
        """End the sessions that were idle too long, or whose key counts no longer.

        Args:
            now: of the monotonic clock.
        """
        if self._settings.idle_seconds:
            self.guests.end_idle(now - self._settings.idle_seconds)
        for visit in tuple(self.guests.inside):
            if self.keys.find(visit.key.blob) != visit.key:
                visit.end("your key was taken out of the file of keys, or has another role now")

    # What connections ask

    def came(self, connection: _Connection) -> bool:
        """Note a connection; return whether there is room for one that has not logged in."""
        self._connections.add(connection)
        return sum(not one.logged_in for one in self._connections) <= MOST_STRANGERS

    def went(self, connection: _Connection) -> None:
        """Forget a connection."""
        self._connections.discard(connection)

    def watch(self) -> None:
        """Watch over the sessions for as long as there are any."""
        if self._watching is None or self._watching.done():
            self._watching = asyncio.create_task(self._watch(), name="ssh watch")

    async def _watch(self) -> None:
        while any(connection.logged_in for connection in self._connections):
            await asyncio.sleep(WATCH_SECONDS)
            self.tick(time.monotonic())


class _Connection(asyncssh.SSHServer):
    """One client: who it is, and its sessions. Forwarding of any kind stays refused, as asyncssh has it."""

    def __init__(self, door: Door, house: House) -> None:
        self._door = door
        self._house = house
        self._conn: asyncssh.SSHServerConnection
        self._shown_key: Key | None = None
        self._key: Key | None = None
        self._unknown_keys = 0
        self.sessions: list[Session] = []

    @property
    def logged_in(self) -> bool:
        return self._key is not None

    @property
    def _peer(self) -> str:
        peer = self._conn.get_extra_info("peername")
        return str(peer[0]) if peer else "nowhere"

    def close(self) -> None:
        self._conn.abort()

    def connection_made(self, conn: asyncssh.SSHServerConnection) -> None:
        self._conn = conn
        # asyncssh takes no notice when its own buffer is full, and a client chooses how much it may fill.
        conn.pause_writing = self._hold_all  # type: ignore[method-assign]
        conn.resume_writing = self._release_all  # type: ignore[method-assign]
        if not self._door.came(self):
            logger.warning("ssh: too many connections that do not log in; one from %s is cut", self._peer)
            conn.abort()

    def connection_lost(self, exc: Exception | None) -> None:
        self._door.went(self)

    def _hold_all(self) -> None:
        for session in self.sessions:
            session.hold("connection")

    def _release_all(self) -> None:
        for session in self.sessions:
            session.release("connection")

    # Who it is

    def begin_auth(self, username: str) -> bool:
        return True

    def public_key_auth_supported(self) -> bool:
        return True

    def validate_public_key(self, username: str, key: asyncssh.SSHKey) -> bool:
        self._shown_key = self._door.keys.find(key.public_data)
        if self._shown_key is None:
            logger.info("ssh: unknown key %s from %s", key.get_fingerprint(), self._peer)
            self._unknown_keys += 1
            if self._unknown_keys > MOST_KEYS:
                self._conn.disconnect(asyncssh.DISC_NO_MORE_AUTH_METHODS_AVAILABLE, "too many keys")
        return self._shown_key is not None

    def auth_completed(self) -> None:
        # The key shown last is the one whose signature was good: each request replaces the one before.
        self._key = self._shown_key
        self._door.watch()

    # What it may have

    def session_requested(self) -> Session | bool:
        key = self._key and self._door.keys.find(self._key.blob)
        if not key:
            return False
        self.sessions = [session for session in self.sessions if not session.is_over]
        self.sessions.append(Session(self._house, key, self._peer))
        return self.sessions[-1]
