from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.commands import MOONTIDE
from tests.engine.cli.conftest import environment


@pytest.mark.parametrize("command", ["serve", "up", "worker"])
def test_wrong_settings_are_told_before_the_engine_is_loaded(home: Path, command: str) -> None:
    (home / "moontide.toml").write_text("pool.size = -1\n", "utf-8")
    done = subprocess.run(
        [sys.executable, "-X", "importtime", MOONTIDE, "--home", str(home), command],
        capture_output=True,
        text=True,
        env=environment(),
        timeout=60,
    )
    loaded = {line.rpartition("|")[2].strip() for line in done.stderr.splitlines()}
    assert done.returncode == 1
    assert "pool.size = -1: allowed is a whole number, 0 or more" in done.stderr
    assert "engine.settings.loading" in loaded
    assert loaded & {"engine.service", "engine.workernode", "sqlalchemy", "fastapi"} == set()
