"""The wheel works alone: in an empty environment, far from the repository."""

from __future__ import annotations

import signal
import subprocess
from pathlib import Path

import pytest

from engine.api.address import socket_in
from engine.api.client import Client
from tests.e2e.conftest import environment
from tests.e2e.installed import REPOSITORY, install
from tests.e2e.processes import descendants, until

pytestmark = pytest.mark.long


@pytest.fixture(scope="module")
def moontide(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The command, installed from a wheel of this repository into an environment of its own."""
    return str(install(tmp_path_factory.mktemp("wheel"), REPOSITORY) / "moontide")


def test_the_wheel_makes_a_home_whose_samples_run_and_stops_cleanly(moontide: str, tmp_path: Path) -> None:
    home = tmp_path / "home"
    made = subprocess.run(
        [moontide, "init", str(home)],
        capture_output=True,
        text=True,
        env=environment(),
        cwd=tmp_path,
        timeout=60,
    )
    assert made.returncode == 0, made.stderr
    assert {"moontide.toml", "jobs", ".editorconfig"} <= {entry.name for entry in home.iterdir()}
    with (tmp_path / "out").open("wb") as out, (tmp_path / "err").open("wb") as err:
        process = subprocess.Popen(
            [moontide, "--home", str(home), "up"],
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=err,
            env=environment(),
            cwd=tmp_path,
        )
    try:
        until(lambda: (tmp_path / "out").read_text().count(" COMPLETE ") >= 3, 60)
        with Client(socket_in(home)) as client:
            assert {run.status for run in client.runs() if run.finished} == {"COMPLETE"}
        family = descendants(process.pid)
        process.send_signal(signal.SIGINT)
        assert process.wait(30) == 0
        assert [one for one in family if one.alive] == []
        assert (tmp_path / "err").read_text() == ""
    finally:
        if process.poll() is None:
            process.kill()
        process.wait(30)
