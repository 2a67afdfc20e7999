"""Power loss: what was told is on the disk, whatever of the rest is lost."""

from __future__ import annotations

import random
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

from tests.faults.power import Disk, cut_power, logged

_WRITER = """
import os, sqlite3, sys
from tests.faults.writelog import WriteLog

writes = WriteLog(sys.argv[1])
writes.install()
database = sqlite3.connect(sys.argv[2], isolation_level=None)
database.execute("PRAGMA journal_mode = WAL")
database.execute("PRAGMA synchronous = FULL")
database.execute("CREATE TABLE t (n)")
database.execute("PRAGMA synchronous = " + sys.argv[3])
for n in range(20):
    database.execute("INSERT INTO t VALUES (?)", (n,))
os._exit(0)
"""


def rows_after_power_loss(folder: Path, synchronous: str, survives: float) -> int:
    log, database = folder / "log", folder / "moontide.db"
    command = [sys.executable, "-c", _WRITER, str(log), str(database), synchronous]
    subprocess.run(command, check=True, timeout=120, cwd=Path(__file__).parent.parent.parent)
    Disk(log.read_bytes()).lose_power(folder, random.Random(1), survives)
    with closing(sqlite3.connect(database)) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        return int(connection.execute("SELECT count(*) FROM t").fetchone()[0])


@pytest.mark.parametrize(
    ("synchronous", "survives", "rows"), [("FULL", 0.0, 20), ("OFF", 0.0, 0), ("OFF", 1.0, 20)]
)
def test_what_is_not_synced_is_lost_and_nothing_else(
    tmp_path: Path, synchronous: str, survives: float, rows: int
) -> None:
    assert rows_after_power_loss(tmp_path, synchronous, survives) == rows


def test_after_power_losses_nothing_that_was_told_is_lost() -> None:
    with logged(seed=1) as (scene, log):
        syncs = cut_power(scene, log, times=2)
        verdict = scene.conclude()
    print(f"{syncs} syncs; {verdict}; served again within {max(scene.recoveries):.1f} s")
    assert verdict.complaints == ()
    assert syncs > 10
