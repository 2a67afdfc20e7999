"""OpenSSH's own server, private to a test: for the user who runs the tests, with one key, on loopback."""

from __future__ import annotations

import getpass
import os
import socket
import subprocess
from pathlib import Path

from tests.e2e.frontdoor import login, make_key
from tests.e2e.processes import until
from tests.programs import needs
from tests.services import HOST, free_port

#: Where the server of the system keeps its unprivileged part; a service makes it as it starts.
_PRIVILEGE_SEPARATION = Path("/run/sshd")

_SETTINGS = """
Port {port}
ListenAddress 127.0.0.1
HostKey {folder}/host
AuthorizedKeysFile {folder}/person.pub
PidFile none
StrictModes no
PasswordAuthentication no
KbdInteractiveAuthentication no
PermitRootLogin prohibit-password
UsePAM {pam}
"""


class Sshd:
    """A running server."""

    def __init__(self, folder: Path) -> None:
        program = needs("sshd", "openssh-server")
        self._folder = folder
        make_key(folder, "host")
        make_key(folder, "person")
        self._port = free_port()
        is_root = os.getuid() == 0
        if is_root:
            _PRIVILEGE_SEPARATION.mkdir(mode=0o755, exist_ok=True)
        settings = folder / "sshd_config"
        settings.write_text(
            _SETTINGS.format(port=self._port, folder=folder, pam="yes" if is_root else "no"), "utf-8"
        )
        self._said = (folder / "sshd.log").open("w+b")
        self._server = subprocess.Popen(
            [program, "-D", "-e", "-f", str(settings)], stdin=subprocess.DEVNULL, stderr=self._said
        )
        until(self._listens, 60)

    def _listens(self) -> bool:
        assert self._server.poll() is None, (self._folder / "sshd.log").read_text()
        with socket.socket() as asking:
            return asking.connect_ex((HOST, self._port)) == 0

    def command(self, *after: str) -> list[str]:
        """Return an `ssh` that carries out a command here on a terminal."""
        where = [*login(self._folder / "person", str(self._port)), "-tt", f"{getpass.getuser()}@{HOST}"]
        return [*where, *after]

    def close(self) -> None:
        """End it. What it shows to people who are logged in goes on until they leave."""
        self._server.terminate()
        self._server.wait(60)
        self._said.close()
