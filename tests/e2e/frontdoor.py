"""An engine whose front door is open, and keys for it."""

from __future__ import annotations

import re
import shutil
import signal
import subprocess
import threading
from pathlib import Path

from engine.api.address import socket_in
from engine.api.client import Client
from tests.e2e.conftest import MOONTIDE, environment
from tests.e2e.processes import Process, descendants, until
from tests.programs import needs

PEOPLE = {"admin": "anna", "operator": "otto", "viewer": "vera"}

BEAT = """
local job = core.job { description = "Beats" }
function job.run() core.log("beat") return job.OK end
return job
"""


def make_key(folder: Path, name: str) -> str:
    """Make a pair of keys, and return the public one as OpenSSH writes it."""
    program = needs("ssh-keygen", "openssh-client")
    command = [program, "-q", "-t", "ed25519", "-N", "", "-C", "", "-f", str(folder / name)]
    subprocess.run(command, check=True, timeout=60)
    return (folder / f"{name}.pub").read_text().strip()


def login(key: Path, port: str) -> list[str]:
    """Return an `ssh` that logs in with a key and nothing of the developer's own settings."""
    settings = ("StrictHostKeyChecking=no", "UserKnownHostsFile=/dev/null", "LogLevel=ERROR")
    more = ("IdentitiesOnly=yes", "BatchMode=yes")
    given = [part for one in (*settings, *more) for part in ("-o", one)]
    return [needs("ssh", "openssh-client"), "-F", "none", "-p", port, "-i", str(key), *given]


class Door:
    """An engine with a front door, and keys for it."""

    def __init__(self, home: Path, folder: Path, settings: str = "") -> None:
        self.home, self.folder = home, folder
        (home / "jobs").mkdir(parents=True)
        (home / "jobs" / "beat.lua").write_text(BEAT)
        (home / "moontide.toml").write_text(f'[ssh]\nlisten = "127.0.0.1:0"\n{settings}')
        self.lines = {role: f"{role} {make_key(folder, role)} {name}" for role, name in PEOPLE.items()}
        make_key(folder, "stranger")
        self.let_in(*self.lines)
        self.engine = subprocess.Popen(
            [MOONTIDE, "--home", str(home), "serve"],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            env=environment(EDITOR="/bin/sh", VISUAL="/bin/sh"),
            # A service manager may ignore hang-ups; a dashboard that did would never end.
            preexec_fn=lambda: signal.signal(signal.SIGHUP, signal.SIG_IGN),
        )
        self.said = ""
        self._reader = threading.Thread(target=self._read)
        self._reader.start()
        until(lambda: "the door is open" in self.said or self.engine.poll() is not None, 60)
        found = re.search(r"door is open at 127.0.0.1, port (\d+)", self.said)
        assert found, self.said
        self.port = found[1]

    def _read(self) -> None:
        assert self.engine.stderr is not None
        for line in self.engine.stderr:
            self.said += line.decode()

    def forget(self) -> None:
        """Let dashboards remember nothing of what each key liked."""
        shutil.rmtree(self.home / "dashboards", ignore_errors=True)

    def let_in(self, *roles: str) -> None:
        """Write the file of keys."""
        path = self.home / "ssh_keys"
        path.touch(0o600)
        path.write_text("".join(f"{self.lines[role]}\n" for role in roles))

    def command(self, key: str, *options: str, after: tuple[str, ...] = ()) -> list[str]:
        """Return an `ssh` that logs in here with a key and nothing of the developer's own settings."""
        return [*login(self.folder / key, self.port), *options, "anybody@127.0.0.1", *after]

    def ask(self, key: str, *options: str, after: tuple[str, ...] = ()) -> subprocess.CompletedProcess[bytes]:
        """Carry out an `ssh` without a terminal."""
        command = self.command(key, *options, after=after)
        return subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, timeout=60)

    def screens(self) -> list[Process]:
        """Return the processes that show or may show a dashboard."""
        return [one for one in descendants(self.engine.pid) if "engine.door.screen" in one.command]

    def actions(self) -> list[tuple[str, str, str]]:
        """Return what operators did: who, which way, what."""
        with Client(socket_in(self.home)) as client:
            return [(one.actor, one.origin, one.action) for one in client.audit.entries(limit=200)]

    def close(self) -> None:
        self.engine.terminate()
        self.engine.wait(60)
        self._reader.join()
        assert self.engine.stderr is not None
        self.engine.stderr.close()
