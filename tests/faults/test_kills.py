"""SIGKILL under load: a few of each; `make prove` does thousands."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import pytest

from tests.e2e.conftest import Home, job
from tests.e2e.processes import until
from tests.faults.kills import Kills, kill_dashboards, kill_engines, kill_workers, kill_zygotes, zygotes_of
from tests.faults.scene import PATIENCE_SECONDS, opened

pytestmark = pytest.mark.long


def test_whatever_is_killed_under_load_nothing_is_lost_doubled_or_stuck() -> None:
    kills = Kills()
    with opened(seed=1) as scene:
        kill_workers(scene, 10, kills)
        kill_zygotes(scene, 3, kills)
        kill_dashboards(scene, 1, kills)
        kill_engines(scene, 2, kills)
        verdict = scene.conclude()
    print(f"{kills}; {verdict}; served again within {max(scene.recoveries):.1f} s")
    assert verdict.complaints == ()
    assert kills.counted.total() >= 16


def test_a_killed_zygote_puts_no_job_out_of_work(tmp_path: Path) -> None:
    home = Home(tmp_path / "home")
    home.write("long", job("core.sleep(600) return job.OK"))
    home.start_seconds = PATIENCE_SECONDS
    with home.serving() as engine:
        run = engine.client.run_job("long").id
        until(lambda: engine.client.run(run).status == "RUNNING", PATIENCE_SECONDS)
        os.kill(zygotes_of(engine)[0].pid, signal.SIGKILL)
        ended = engine.finished(run, PATIENCE_SECONDS)
        assert (ended.status, engine.client.job("long").status) == ("CRASHED", "WAITING")
