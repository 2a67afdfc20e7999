"""The witness: a small web server outside of the engine, to which jobs tell each start and each end.

`python -m tests.faults.witness FILE [ADDRESS]` prints its port, and appends a line of JSON to FILE for each
thing that it is told, before it answers. It ends when its standard input does.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

HOST = "127.0.0.1"

#: A library module for jobs; a run whose telling is not heard ends with an error.
LUA = """
local witness = {{}}
function witness.tell(what, run, port)
  local told = {{ job = run.job, run = run.id, attempt = run.attempt, token = run.data.token }}
  local answer, problem = core.network.postJson("http://{host}:" .. (port or {port}) .. "/" .. what, told)
  if not answer or answer.status ~= 204 then error("the witness has not heard: " .. tostring(problem)) end
end
return witness
"""


@dataclass(frozen=True, slots=True)
class Sighting:
    """What a run told of itself.

    Attributes:
        what: `start`, `end`, or what else a job tells.
    """

    what: str
    job: str
    run: int
    attempt: int
    token: str | None = None


class Witness:
    """A running witness."""

    def __init__(self, path: Path, port: int, host: str = HOST) -> None:
        self.path = path
        self.port = port
        self.host = host

    @property
    def lua(self) -> str:
        """The library module by which jobs reach it."""
        return LUA.format(port=self.port, host=self.host)


@contextmanager
def watching(path: Path, host: str = HOST) -> Iterator[Witness]:
    """Let a witness write to a file until the block ends.

    Args:
        host: the address at which it listens.
    """
    path.touch()
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.faults.witness", str(path), host],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        cwd=Path(__file__).parent.parent.parent,
    )
    assert process.stdin is not None
    assert process.stdout is not None
    try:
        yield Witness(path, int(process.stdout.readline()), host)
    finally:
        process.stdin.close()
        process.wait(60)
        process.stdout.close()


def read(path: Path) -> list[Sighting]:
    """Return what was told, in its order; a line that is still being written is left out."""
    text = path.read_bytes()
    return [Sighting(**json.loads(line)) for line in text[: text.rfind(b"\n") + 1].splitlines()]


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    file = -1

    def do_POST(self) -> None:
        """Write down what is told, then say that it was heard."""
        told = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        line = json.dumps({"what": self.path.strip("/"), **told}) + "\n"
        os.write(self.file, line.encode())
        self.send_response_only(204)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Say nothing."""


class _Server(ThreadingHTTPServer):
    request_queue_size = 128
    daemon_threads = True

    def handle_error(self, *_: object) -> None:
        """Engines that are killed hang up in the middle of a request."""


def main(path: str, host: str = HOST) -> None:
    """Serve until standard input ends."""
    _Handler.file = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    with _Server((host, 0), _Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        print(server.server_address[1], flush=True)
        sys.stdin.read()
        server.shutdown()


if __name__ == "__main__":
    main(*sys.argv[1:])
