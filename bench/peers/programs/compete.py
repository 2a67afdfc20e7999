"""`compete.py PROGRAM RUNS ROUNDS`: measure one peer, and print its runs per second as a JSON list.

Each program of a peer has `compete()`, a context manager that gives a `Peer` whose workers are up. Only the
standard library is imported here, because each peer has an environment of its own.
"""

from __future__ import annotations

import importlib
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

#: Runs of every peer that go on at once.
AT_ONCE = 10

WARM_UP_RUNS = 50
LONGEST_SECONDS = 300.0
LOOK_SECONDS = 0.01

#: Where a peer keeps its files.
PLACE = Path(os.environ.get("PEER_PLACE", "."))


@dataclass
class Peer:
    """A job engine that is ready.

    Attributes:
        submit: hand over so many runs, one after another and each durably.
        ended: how many runs have ended so far, by the engine's own record where it has one.
    """

    submit: Callable[[int], object]
    ended: Callable[[], int]


def one_by_one(submit: Callable[[], object]) -> Callable[[int], None]:
    """Return what hands over so many runs, from what hands over one."""

    def submit_all(runs: int) -> None:
        for _ in range(runs):
            submit()

    return submit_all


_workers: list[subprocess.Popen[bytes]] = []


@contextmanager
def workers(command: Sequence[str]) -> Iterator[None]:
    """Let a peer's workers run beside the one who submits."""
    with (PLACE / "workers.txt").open("wb") as said:
        process = subprocess.Popen(command, stdout=said, stderr=said, stdin=subprocess.DEVNULL)
        _workers.append(process)
        try:
            yield
        finally:
            process.terminate()
            try:
                process.wait(60)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait(60)


def rate(peer: Peer, runs: int) -> float:
    """Return runs per second, from the first that is submitted until the last has ended."""
    before, began = peer.ended(), time.perf_counter()
    peer.submit(runs)
    while (ended := peer.ended() - before) < runs:
        gone = [process.args for process in _workers if process.poll() is not None]
        if gone or time.perf_counter() - began > LONGEST_SECONDS:
            print(f"workers that ended: {gone}", file=sys.stderr)
            raise SystemExit(f"{runs - ended} of {runs} runs did not end\n{_words_of_workers()}")
        time.sleep(LOOK_SECONDS)
    seconds = time.perf_counter() - began
    if ended > runs:
        raise SystemExit(f"{ended} runs ended where {runs} were submitted")
    return runs / seconds


def _words_of_workers() -> str:
    said = PLACE / "workers.txt"
    return said.read_text("utf-8", "replace")[-2000:] if said.exists() else ""


def main() -> None:
    """Measure the peer that the command line names."""
    program, runs, rounds = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
    with importlib.import_module(program).compete() as peer:
        rate(peer, WARM_UP_RUNS)
        rates = [rate(peer, runs) for _ in range(rounds)]
    print(json.dumps(rates))


if __name__ == "__main__":
    main()
