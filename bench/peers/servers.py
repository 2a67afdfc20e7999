"""Redis and PostgreSQL for the peers: own processes on own loopback ports, set to lose nothing."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import time
from pathlib import Path
from types import TracebackType
from typing import Self

_HOST = "127.0.0.1"
_START_SECONDS = 60.0
_STOP_SECONDS = 60.0

#: Where Debian puts the programs of PostgreSQL.
_PG_PROGRAMS = Path("/usr/lib/postgresql")


class MissingServer(RuntimeError):
    """A program of the system that a peer needs is not installed."""

    def __init__(self, package: str) -> None:
        super().__init__(f"apt-get install {package}")


class Servers:
    """Starts each server when a peer first needs it, and stops them all in the end."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir()
        folder.chmod(0o755)
        self._folder = folder
        self._started: dict[str, dict[str, str]] = {}
        self._processes: list[tuple[subprocess.Popen[bytes], signal.Signals]] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for process, with_signal in self._processes:
            process.send_signal(with_signal)
        for process, _ in self._processes:
            process.wait(_STOP_SECONDS)

    def environment(self, needs: tuple[str, ...]) -> dict[str, str]:
        """Return the environment that tells a peer's program where its servers are.

        Raises:
            MissingServer: one of the programs is not installed.
        """
        environment = {
            "PATH": os.environ["PATH"],
            "LANG": "C.UTF-8",
            "TMPDIR": os.environ.get("TMPDIR", "/tmp"),
        }
        for package in needs:
            if package not in self._started:
                self._started[package] = self._start(package)
            environment |= self._started[package]
        return environment

    def _start(self, package: str) -> dict[str, str]:
        match package:
            case "redis-server":
                return self._start_redis(_found(package, package))
            case "postgresql":
                return self._start_postgresql()
            case _:
                _found(package, package)
                return {}

    def _start_redis(self, program: str) -> dict[str, str]:
        place, port = self._place("redis"), _free_port()
        command = [program, "--bind", _HOST, "--port", str(port), "--dir", str(place), "--save", ""]
        self._run([*command, "--appendonly", "yes", "--appendfsync", "always"], port, signal.SIGTERM)
        return {"PEER_REDIS": f"redis://{_HOST}:{port}"}

    def _start_postgresql(self) -> dict[str, str]:
        found = sorted(_PG_PROGRAMS.glob("*/bin/initdb"))
        if not found:
            raise MissingServer("postgresql")
        place, port = self._place("postgresql"), _free_port()
        become: list[str] = []
        if os.getuid() == 0:
            # It refuses to run as root.
            shutil.chown(place, "postgres")
            become = ["setpriv", "--reuid=postgres", "--regid=postgres", "--clear-groups"]
        data = place / "data"
        subprocess.run(
            [*become, str(found[-1]), "-D", str(data), "-U", "postgres", "-A", "trust", "-E", "UTF8"],
            check=True,
            capture_output=True,
        )
        command = [*become, str(found[-1].with_name("postgres")), "-D", str(data)]
        for option in (
            f"listen_addresses={_HOST}",
            f"port={port}",
            f"unix_socket_directories={place}",
            "fsync=on",
            "synchronous_commit=on",
        ):
            command += ["-c", option]
        # SIGTERM would wait until everybody has left.
        self._run(command, port, signal.SIGINT)
        return {"PEER_PG": f"postgresql://postgres@{_HOST}:{port}/postgres"}

    def _place(self, name: str) -> Path:
        place = self._folder / name
        place.mkdir()
        return place

    def _run(self, command: list[str], port: int, stop_signal: signal.Signals) -> None:
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        self._processes.append((process, stop_signal))
        deadline = time.monotonic() + _START_SECONDS
        while not _accepts(port):
            if process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(f"{command[0]} does not answer (exit code {process.returncode})")
            time.sleep(0.05)


def _found(program: str, package: str) -> str:
    found = shutil.which(program)
    if found is None:
        raise MissingServer(package)
    return found


def _accepts(port: int) -> bool:
    try:
        with socket.create_connection((_HOST, port), timeout=2):
            return True
    except OSError:
        return False


def _free_port() -> int:
    with socket.socket() as free:
        free.bind((_HOST, 0))
        return int(free.getsockname()[1])
