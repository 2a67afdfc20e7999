from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from engine.errors import DatabaseInUse, HomeInUse, StoreError
from engine.store.lock import DatabaseLock, HomeLock

HOLDER = """
import sys, time
from pathlib import Path
from engine.store.lock import DatabaseLock, HomeLock
TAKE
print("held", flush=True)
sys.stdin.read()
"""

PARENT = """
import subprocess, sys
from pathlib import Path
from engine.store.lock import HomeLock
HomeLock(Path(sys.argv[1])).acquire()
child = subprocess.Popen(
    [sys.executable, "-c", "import sys; print('up', flush=True); sys.stdin.read()"],
    stdout=subprocess.PIPE, close_fds=False,
)
child.stdout.readline()
print(child.pid, flush=True)
sys.stdin.read()
"""


def start_holder(home: Path, take: str = "HomeLock(Path(sys.argv[1])).acquire()") -> subprocess.Popen[str]:
    holder = subprocess.Popen(
        [sys.executable, "-c", HOLDER.replace("TAKE", take), str(home)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert holder.stdout is not None
    assert holder.stdout.readline() == "held\n"
    return holder


def end_holder(holder: subprocess.Popen[str]) -> None:
    os.kill(holder.pid, signal.SIGKILL)
    holder.communicate()


def test_a_second_engine_is_told_the_process_of_the_first(tmp_path: Path) -> None:
    holder = start_holder(tmp_path)
    try:
        with pytest.raises(HomeInUse, match=f"process {holder.pid}") as caught:
            HomeLock(tmp_path).acquire()
    finally:
        end_holder(holder)
    assert caught.value.pid == holder.pid


def test_a_killed_engine_leaves_its_home_free(tmp_path: Path) -> None:
    end_holder(start_holder(tmp_path))
    lock = HomeLock(tmp_path)
    lock.acquire()
    assert lock.path.read_text() == f"{os.getpid()}\n"
    lock.release()


def test_a_released_home_is_free(tmp_path: Path) -> None:
    first, second = HomeLock(tmp_path), HomeLock(tmp_path)
    first.acquire()
    first.release()
    second.acquire()
    with pytest.raises(HomeInUse):
        first.acquire()
    second.release()


def test_a_database_is_free_when_its_engine_was_killed(tmp_path: Path) -> None:
    holder = start_holder(
        tmp_path, 'DatabaseLock(Path(sys.argv[1]) / "runs.db", Path("/srv/first")).acquire()'
    )
    lock = DatabaseLock(tmp_path / "runs.db", tmp_path)
    try:
        with pytest.raises(DatabaseInUse, match=f"process {holder.pid} in /srv/first"):
            lock.acquire()
    finally:
        end_holder(holder)
    lock.acquire()
    lock.release()


def test_a_database_whose_folder_is_not_there_is_told_of(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match=r"missing/runs\.db cannot be used"):
        DatabaseLock(tmp_path / "missing" / "runs.db", tmp_path).acquire()


def test_a_child_that_outlives_a_killed_engine_does_not_keep_the_home(tmp_path: Path) -> None:
    parent = subprocess.Popen(
        [sys.executable, "-c", PARENT, str(tmp_path)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert parent.stdout is not None
    child = int(parent.stdout.readline())
    os.kill(parent.pid, signal.SIGKILL)
    parent.wait()
    lock = HomeLock(tmp_path)
    lock.acquire()
    os.kill(child, 0)
    lock.release()
    parent.communicate()


def test_a_home_folder_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    # Where the lock file belongs is a folder: as on a read-only disk it cannot be opened for writing.
    (tmp_path / "engine.lock").mkdir()
    with pytest.raises(StoreError, match=f"the home folder {tmp_path} cannot be used: .*engine.lock"):
        HomeLock(tmp_path).acquire()
