"""`python -m bench`: measure, and print the figures."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable

from bench import (
    calls,
    dashboard,
    databases,
    editor,
    frontdoor,
    history,
    idle,
    journal,
    latency,
    lateness,
    letters,
    listing,
    memory,
    months,
    network,
    remote,
    runs,
    sandbox,
    schedules,
    startup,
    timing,
)
from bench.figures import FULL, QUICK, Effort, Figure, table
from bench.machine import machine

MEASUREMENTS: dict[str, Callable[[Effort], list[Figure]]] = {
    "runs": runs.measure,
    "schedules": schedules.measure,
    "timing": timing.measure,
    "latency": latency.measure,
    "lateness": lateness.measure,
    "startup": startup.measure,
    "memory": memory.measure,
    "idle": idle.measure,
    "listing": listing.measure,
    "history": history.measure,
    "months": months.measure,
    "journal": journal.measure,
    "sandbox": sandbox.measure,
    "calls": calls.measure,
    "frontdoor": frontdoor.measure,
    "databases": databases.measure,
    "network": network.measure,
    "remote": remote.measure,
    "letters": letters.measure,
    "dashboard": dashboard.measure,
    "editor": editor.measure,
}


def main() -> None:
    """Carry out the measurements that were asked for."""
    asked = _arguments()
    about = machine()
    names = asked.only or list(MEASUREMENTS)
    figures = [figure for name in names for figure in _measured(name, QUICK if asked.quick else FULL)]
    if asked.json:
        print(json.dumps({"machine": about, "figures": [figure.as_dict() for figure in figures]}, indent=2))
    else:
        print(about, table(figures), sep="\n\n")


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m bench", description="Measure speed and memory of the engine."
    )
    parser.add_argument(
        "--quick", action="store_true", help="short rounds and 1,000 files: a first impression"
    )
    parser.add_argument("--json", action="store_true", help="print JSON and nothing else")
    parser.add_argument(
        "--only", action="append", choices=MEASUREMENTS, help="measure this; may be given again"
    )
    return parser.parse_args()


def _measured(name: str, effort: Effort) -> list[Figure]:
    print(f"{name} ...", file=sys.stderr, flush=True)
    return MEASUREMENTS[name](effort)


if __name__ == "__main__":
    main()
