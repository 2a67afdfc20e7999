"""What the kernel tells of an engine's processes: memory and processor time."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

_TICKS = os.sysconf("SC_CLK_TCK")
_ZYGOTE = b"engine.sandbox.zygote"


@dataclass(frozen=True, slots=True)
class Family:
    """The process ids of one engine."""

    engine: int
    zygotes: tuple[int, ...]
    workers: tuple[int, ...]

    @property
    def all(self) -> tuple[int, ...]:
        """Every process, the engine first."""
        return (self.engine, *self.zygotes, *self.workers)


def family_of(engine: int) -> Family:
    """Return the processes that belong to the engine with this process id."""
    zygotes = tuple(pid for pid in children(engine) if _ZYGOTE in Path(f"/proc/{pid}/cmdline").read_bytes())
    return Family(engine, zygotes, tuple(worker for zygote in zygotes for worker in children(zygote)))


def children(pid: int) -> Iterator[int]:
    """Yield the ids of a process's children, of all its threads."""
    for listing in Path(f"/proc/{pid}/task").glob("*/children"):
        yield from map(int, listing.read_text().split())


def descendants(pid: int) -> Iterator[int]:
    """Yield the ids of a process's children, of theirs, and so on."""
    for child in children(pid):
        yield child
        yield from descendants(child)


def pss_mb(pid: int) -> float:
    """Return the proportional set size in MB: pages that several processes share count in parts."""
    for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
        if line.startswith("Pss:"):
            return int(line.split()[1]) * 1024 / 1e6
    raise RuntimeError(f"no size of process {pid}")


def cpu_seconds(pid: int) -> float:
    """Return the processor time that a process has used, its own and the kernel's for it."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / _TICKS
