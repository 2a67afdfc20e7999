"""Work that cannot be interrupted is carried out beside the rest, and holds up no end."""

from __future__ import annotations

import subprocess
import sys
import threading

import pytest

from plugins.sql.threads import DaemonThreads

_STUCK = """
import threading
from plugins.sql.threads import DaemonThreads
began = threading.Event()
def stuck():
    began.set()
    threading.Event().wait()
DaemonThreads(2, "stuck").submit(stuck)
began.wait()
print("the end")
"""


def test_a_thread_that_never_comes_back_keeps_no_process() -> None:
    done = subprocess.run([sys.executable, "-c", _STUCK], capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stdout) == (0, "the end\n")


def test_results_and_errors_arrive() -> None:
    threads = DaemonThreads(2, "work")
    try:
        assert [threads.submit(pow, 2, n).result(10) for n in range(20)] == [2**n for n in range(20)]
        with pytest.raises(ZeroDivisionError):
            threads.submit(divmod, 1, 0).result(10)
    finally:
        threads.shutdown()


def test_no_more_is_done_at_once_than_there_are_threads() -> None:
    threads, gate, lock, at_once, most = (
        DaemonThreads(3, "work"),
        threading.Event(),
        threading.Lock(),
        [0],
        [0],
    )
    three_run = threading.Semaphore(0)

    def work() -> None:
        with lock:
            at_once[0] += 1
            most[0] = max(most[0], at_once[0])
        three_run.release()
        gate.wait(30)
        with lock:
            at_once[0] -= 1

    running = [threads.submit(work) for _ in range(12)]
    assert all(three_run.acquire(timeout=30) for _ in range(3))
    gate.set()
    for one in running:
        one.result(30)
    threads.shutdown()
    assert most == [3]


def test_nothing_is_taken_after_the_shutdown() -> None:
    threads = DaemonThreads(1, "work")
    threads.shutdown()
    with pytest.raises(RuntimeError):
        threads.submit(int)
