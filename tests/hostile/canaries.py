"""What hostile jobs would love to touch: files with a secret, and listeners at which nobody may ever call."""

from __future__ import annotations

import contextlib
import hashlib
import os
import secrets
import socket
from collections.abc import Iterator
from pathlib import Path


class Canaries:
    """A folder and some listeners that must be in the end as they were in the beginning."""

    def __init__(self, folder: Path) -> None:
        """Make the folder and open the listeners.

        Args:
            folder: an empty one, outside of the engine's home. Its path must be short: it holds a socket.
        """
        self.folder = folder
        self.secret = f"canary-{secrets.token_hex(12)}"
        self.file = folder / "untouched.txt"
        self.file.write_text(self.secret)
        (folder / "secret.lua").write_text(f"return {{ secret = {self.secret!r} }}")
        self._tcp = [_listener(socket.AF_INET, ("127.0.0.1", 0))]
        with contextlib.suppress(OSError):
            self._tcp.append(_listener(socket.AF_INET6, ("::1", self.port)))
        self.socket = folder / "s"
        self._unix = _listener(socket.AF_UNIX, str(self.socket))
        self._before = _picture(folder)

    @property
    def port(self) -> int:
        """The port at which nobody may call."""
        return int(self._tcp[0].getsockname()[1])

    def touched(self) -> list[str]:
        """Return what was touched; nothing if all is as it was."""
        return [*self._changes(), *self._callers()]

    def _changes(self) -> list[str]:
        now = _picture(self.folder)
        names = sorted(name for name in {*now, *self._before} if now.get(name) != self._before.get(name))
        return [f"the canary {name} was touched" for name in names]

    def _callers(self) -> Iterator[str]:
        for listener in (*self._tcp, self._unix):
            with contextlib.suppress(BlockingIOError):
                connection, _address = listener.accept()
                connection.close()
                yield f"somebody called at {listener.getsockname()}"

    def close(self) -> None:
        """Close the listeners."""
        for listener in (*self._tcp, self._unix):
            listener.close()


def _listener(family: socket.AddressFamily, address: object) -> socket.socket:
    listener = socket.socket(family)
    listener.bind(address)  # type: ignore[arg-type]
    listener.listen()
    listener.setblocking(False)
    return listener


def _picture(folder: Path) -> dict[str, tuple[int, int, str]]:
    """Return each file with its mode, the time of its last change, and its content's hash."""
    return {str(path.relative_to(folder)): _face(path) for path in sorted(folder.rglob("*"))}


def _face(path: Path) -> tuple[int, int, str]:
    about = os.lstat(path)
    content = hashlib.sha256(path.read_bytes()).hexdigest() if path.is_file() else ""
    return about.st_mode, about.st_mtime_ns, content
