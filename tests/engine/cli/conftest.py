from __future__ import annotations

import asyncio
import os
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from engine.api.address import socket_in
from engine.api.server import ApiServer
from engine.cli import main
from tests.commands import carry_out
from tests.engine.api.memory_engine import filled

Result = subprocess.CompletedProcess[str]
Moontide = Callable[..., Result]


def environment(**more: str) -> dict[str, str]:
    """Return a small environment, in which nothing of the developer's own settings counts."""
    return {"PATH": os.environ["PATH"], "TZ": "UTC", "LANG": "C.UTF-8", **more}


@pytest.fixture
def home(tmp_path: Path) -> Path:
    home = tmp_path / "home"
    home.mkdir()
    return home


@pytest.fixture
def moontide(home: Path) -> Moontide:
    """Run the real command in the home folder, with its output where no terminal is."""

    def run(*arguments: str, stdin: str = "", cwd: Path | None = None, **env: str) -> Result:
        whole = environment(**{"MOONTIDE_HOME": str(home), **env})
        return carry_out(arguments, stdin=stdin, cwd=cwd or home, env=whole, seconds=30)

    return run


@pytest.fixture
def inside(home: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Moontide:
    """Run the command in this process: for tables of many cases, where a process each would take long."""
    monkeypatch.setenv("MOONTIDE_HOME", str(home))
    monkeypatch.chdir(home)

    def run(*arguments: str) -> Result:
        monkeypatch.setattr(sys, "argv", ["moontide", *arguments])
        with pytest.raises(SystemExit) as left:
            main()
        shown = capsys.readouterr()
        code = left.value.code if isinstance(left.value.code, int) else 0
        return subprocess.CompletedProcess(arguments, code, shown.out, shown.err)

    return run


class ServedEngine:
    """The in-memory engine behind its real server, in a thread with a loop of its own."""

    def __init__(self, home: Path) -> None:
        self._home = home
        self._ready = threading.Event()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._serve()))
        self._thread.start()
        assert self._ready.wait(10)

    async def _serve(self) -> None:
        self._loop, self._stopped = asyncio.get_running_loop(), asyncio.Event()
        server = ApiServer(filled(self._home), socket_path=socket_in(self._home))
        await server.start()
        self._ready.set()
        await self._stopped.wait()
        await server.stop()

    def stop(self) -> None:
        if self._thread.is_alive():
            self._loop.call_soon_threadsafe(self._stopped.set)
            self._thread.join(10)


@pytest.fixture
def engine(home: Path) -> Iterator[ServedEngine]:
    """Serve the in-memory engine at the home folder."""
    engine = ServedEngine(home)
    yield engine
    engine.stop()
