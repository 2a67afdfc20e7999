"""What a SIGKILL at any instant leaves behind."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
from collections import defaultdict
from pathlib import Path

from engine.store.database import open_database
from engine.store.dialects import sqlite_url
from engine.store.queries import Queries
from engine.views import RunView

CHILD = Path(__file__).with_name("writing_child.py")
ROUNDS = 6


def write_and_be_killed(path: Path, steps: int) -> dict[str, list[int]]:
    """Let a process write, kill it after so many acknowledged steps, and return the runs by step."""
    child = subprocess.Popen([sys.executable, str(CHILD), str(path)], stdout=subprocess.PIPE, text=True)
    assert child.stdout is not None
    lines = [child.stdout.readline() for _ in range(steps)]
    os.kill(child.pid, signal.SIGKILL)
    rest, _ = child.communicate()
    lines += rest.splitlines(keepends=True)
    done: dict[str, list[int]] = defaultdict(list)
    for line in lines:
        if line.endswith("\n"):
            step, run_id = line.split()
            done[step].append(int(run_id))
    return done


def read_runs(path: Path) -> dict[int, RunView]:
    database = open_database(sqlite_url(path))
    runs = {run.id: run for run in Queries(database.reader).runs(limit=1_000_000)}
    with database.reader.connect() as connection:
        assert connection.exec_driver_sql("PRAGMA integrity_check").scalar() == "ok"
    database.close()
    return runs


def test_a_killed_engine_loses_no_acknowledged_row_and_closes_each_open_run_once(path: Path) -> None:
    chance = random.Random()
    recovered: list[int] = []
    left_open: set[int] = set()
    for _ in range(ROUNDS):
        done = write_and_be_killed(path, chance.randrange(1, 400))
        recovered += done["recovered"]
        runs = read_runs(path)
        assert set(done["created"]) <= runs.keys()
        assert all(runs[run_id].status != "QUEUED" for run_id in done["started"])
        assert all(runs[run_id].status == "COMPLETE" for run_id in done["finished"])
        assert of_status(runs, "CRASHED") == left_open
        left_open |= of_status(runs, "QUEUED", "RUNNING")
    assert len(recovered) == len(set(recovered))
    assert set(recovered) <= left_open


def of_status(runs: dict[int, RunView], *statuses: str) -> set[int]:
    return {run_id for run_id, run in runs.items() if run.status in statuses}
