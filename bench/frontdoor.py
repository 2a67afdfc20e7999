"""The front door: from starting OpenSSH's client until the list of jobs is drawn, and what it costs."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from bench.figures import Effort, Figure
from bench.homes import home_with, many_jobs, served
from bench.processes import cpu_seconds, descendants, pss_mb
from bench.terminal import on_terminal

JOBS = 100
#: The last job's name on the first screen.
DRAWN = b"team0"
#: Logins of one round, each with another right after it.
LOGINS = 3
#: Within this the door has all loaded, and the last session has gone.
PREPARED_SECONDS = 5.0

_SCREEN = b"engine.door.screen"


def measure(effort: Effort) -> list[Figure]:
    """Return milliseconds to the first list, some time after the last login and right after one; and MB."""
    if shutil.which("ssh") is None:
        raise RuntimeError("the client of OpenSSH is missing: apt-get install openssh-client")
    warm, cold, used, sizes = [], [], [], []
    for _ in range(effort.rounds):
        with _open_door() as door:
            for _ in range(LOGINS):
                time.sleep(PREPARED_SECONDS)
                before = door.used_seconds()
                with door.login() as first:
                    warm.append(first)
                    used.append((door.used_seconds() - before) * 1000)
                    sizes += [pss_mb(pid) for pid in door.showing()]
                    with door.login() as second:
                        cold.append(second)
    return [
        Figure("ssh to the list", "ms", warm, "< 200"),
        Figure("ssh to the list, right after another login", "ms", cold, "< 350"),
        Figure("processor time of that, engine and session", "ms", used),
        Figure("process of one session", "MB PSS", sizes),
    ]


@dataclass(frozen=True, slots=True)
class _Door:
    engine: int
    port: int
    key: Path

    @contextmanager
    def login(self) -> Iterator[float]:
        """Log in, give the milliseconds until the list was drawn, and leave in the end."""
        with on_terminal(self._command()) as terminal:
            yield terminal.seconds_until(DRAWN, terminal.began) * 1000

    def used_seconds(self) -> float:
        """Return the processor time that the engine and its sessions have used so far."""
        return cpu_seconds(self.engine) + sum(map(cpu_seconds, self._screens()))

    def showing(self) -> list[int]:
        """Return the processes that show a dashboard now."""
        return [pid for pid in self._screens() if os.readlink(f"/proc/{pid}/fd/0").startswith("/dev/pts/")]

    def _screens(self) -> list[int]:
        return [
            pid for pid in descendants(self.engine) if _SCREEN in Path(f"/proc/{pid}/cmdline").read_bytes()
        ]

    def _command(self) -> list[str]:
        told = ("StrictHostKeyChecking=no", "UserKnownHostsFile=/dev/null", "LogLevel=ERROR", "BatchMode=yes")
        options = [part for one in told for part in ("-o", one)]
        return ["ssh", "-F", "none", "-tt", "-p", str(self.port), "-i", str(self.key), *options, "127.0.0.1"]


@contextmanager
def _open_door() -> Iterator[_Door]:
    port = _free_port()
    with home_with(many_jobs(JOBS), f'[ssh]\nlisten = "127.0.0.1:{port}"\n') as home:
        key = home / "id"
        command = ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "", "-f", str(key)]
        subprocess.run(command, check=True)
        keys = home / "ssh_keys"
        keys.touch(0o600)
        keys.write_text(f"viewer {key.with_suffix('.pub').read_text().strip()} bench\n")
        with served(home) as engine:
            yield _Door(engine.pid, port, key)


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as found:
        return int(found.getsockname()[1])
