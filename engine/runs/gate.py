"""Who may run now: pool permits, limits on what runs side by side, priorities, first come first served.

Pure bookkeeping, no time and no input or output. A run that cannot start because of one limit is parked at
that limit, and looked at again only when the limit has room: for runs with one limit each every step is
O(log n) in the number of waiting runs.
"""

from __future__ import annotations

import heapq
from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from enum import Enum, StrEnum
from itertools import count
from typing import Generic, Protocol, TypeVar


class Overlap(StrEnum):
    """What becomes of a job's run while an earlier one is not done.

    `coalesce`: at most one waits, and serves for all that come meanwhile. `skip`: it is not run. `queue`: it
    waits behind the others. `allow`: it runs beside them. `replace`: it takes their place.
    """

    COALESCE = "coalesce"
    SKIP = "skip"
    QUEUE = "queue"
    ALLOW = "allow"
    REPLACE = "replace"


class Admission(Enum):
    """What became of a run that came to the gate."""

    START = "start"
    WAIT = "wait"
    COALESCED = "coalesced"
    SKIPPED = "skipped"
    FULL = "full"


class Waiting(Protocol):
    """What the gate needs to know of a run."""

    @property
    def id(self) -> int: ...

    @property
    def job(self) -> str: ...

    @property
    def priority(self) -> int:
        """Higher ones go first."""

    @property
    def labels(self) -> tuple[str, ...]:
        """What it counts for besides its job, such as "tag:shop"; those without a limit cost nothing."""


R = TypeVar("R", bound=Waiting)

#: A waiting run's place: higher priority first, then the order of coming.
Place = tuple[int, int]

#: The label that every run has.
EVERY = "every"

#: How many runs of one job may wait.
LONGEST_QUEUE = 1000


@dataclass(frozen=True, slots=True)
class Obstacle:
    """What keeps a waiting run from starting.

    Attributes:
        label: the limit that has no room; None for the pool.
        used: how many runs it has now.
        most: how many it may have; None for a label that is closed.
    """

    label: str | None
    used: int
    most: int | None


def job_label(job: str) -> str:
    """Return the label of all runs of a job."""
    return f"job:{job}"


class Gate(Generic[R]):
    """Admits runs while permits last; a waiting run holds none."""

    def __init__(self, size: int, limits: Mapping[str, int] | None = None) -> None:
        """Make a gate.

        Args:
            size: runs at once; 0 means no limit.
            limits: runs at once by label.
        """
        self.size = size
        self.running = 0
        self.waiting = 0
        self._limits = dict(limits or {})
        self._order = count()
        self._line: list[tuple[Place, R]] = []
        self._parked: defaultdict[str, list[tuple[Place, R]]] = defaultdict(list)
        self._used: defaultdict[str, int] = defaultdict(int)
        self._held: dict[int, tuple[str, ...]] = {}
        self._places: dict[int, Place] = {}
        self._alone: dict[int, bool] = {}
        self._waiting_of: defaultdict[str, int] = defaultdict(int)
        self._running_of: defaultdict[str, int] = defaultdict(int)
        self._closed: set[str] = set()

    def offer(
        self, run: R, overlap: Overlap = Overlap.COALESCE, *, longest_queue: int = LONGEST_QUEUE
    ) -> Admission:
        """Let a run come to the gate.

        Args:
            overlap: what to do if an earlier run of its job is not done. For `replace` the caller ends the
                earlier ones; this one waits for that.
            longest_queue: how many runs of the job may wait.
        """
        refused = self._refusal(run.job, overlap, longest_queue)
        if refused is not None:
            return refused
        self._places[run.id] = (-run.priority, next(self._order))
        self._alone[run.id] = overlap is not Overlap.ALLOW
        heapq.heappush(self._line, (self._places[run.id], run))
        self._count_waiting(run.job, 1)
        return Admission.START if run in self._admit() else Admission.WAIT

    def take_in(self, run: R, overlap: Overlap) -> None:
        """Count a run that goes on already, whatever the limits say: another engine let it in."""
        self._hold(run, self._counted(run, alone=overlap is not Overlap.ALLOW))

    def leave(self, run: R) -> list[R]:
        """Take back an ended run's permit.

        Returns:
            the runs that start now instead, in order.
        """
        self.running -= 1
        self._count(self._running_of, run.job, -1)
        for label in self._held.pop(run.id):
            self._count(self._used, label, -1)
            self._unpark(label)
        return self._admit()

    def withdraw(self, run: R) -> bool:
        """Take a waiting run out of the line; returns False if it does not wait (any more)."""
        if run.id not in self._places:
            return False
        labels = self._labels(run)
        # Its entry stays in its heap and is passed over there.
        del self._places[run.id], self._alone[run.id]
        self._count_waiting(run.job, -1)
        self._give_way(labels)
        return True

    def close(self, label: str) -> None:
        """Let no run with this label start until it is opened again; those that run go on.

        Args:
            label: one of a run's own, "job:NAME", or EVERY for all runs.
        """
        self._closed.add(label)

    def open(self, label: str) -> list[R]:
        """Let runs with a closed label start again.

        Returns:
            the runs that start now, in order.
        """
        self._closed.discard(label)
        for entry in self._live(self._parked.pop(label, [])):
            heapq.heappush(self._line, entry)
        return self._admit()

    def relabelled(self, job: str) -> list[R]:
        """Look again at a job's waiting runs, whose labels have changed; each keeps its place.

        Returns:
            the runs that start now, in order.
        """
        for label, parked in list(self._parked.items()):
            moved = [entry for entry in parked if entry[1].job == job]
            if moved:
                rest = [entry for entry in parked if entry[1].job != job]
                heapq.heapify(rest)
                self._parked[label] = rest
                for entry in self._live(moved):
                    heapq.heappush(self._line, entry)
                self._unpark(label)
        return self._admit()

    def waiting_runs(self) -> list[R]:
        """Return the waiting runs in the order in which they go, as far as their limits let them."""
        entries = [*self._line, *(entry for parked in self._parked.values() for entry in parked)]
        live = {run.id: (place, run) for place, run in entries if self._places.get(run.id) == place}
        return [run for _, run in sorted(live.values(), key=lambda entry: entry[0])]

    def positions(self, runs: Iterable[R]) -> dict[int, int]:
        """Return which of all waiting runs, in the order in which they go, some runs are.

        Returns:
            by a run's id its position, 1 being the first; runs that do not wait are left out.
        """
        line = sorted(self._places.values())
        places = {run.id: self._places[run.id] for run in runs if run.id in self._places}
        return {run_id: bisect_left(line, place) + 1 for run_id, place in places.items()}

    def obstacle(self, run: R) -> Obstacle:
        """Return what keeps a waiting run from starting: a limit of its own without room, or the pool."""
        full = next((label for label in self._labels(run) if not self._has_room(label)), None)
        if full is None:
            return Obstacle(None, self.running, self.size)
        most = None if full in self._closed else self._limits.get(full, 1)
        return Obstacle(full, self._used.get(full, 0), most)

    def waiting_of(self, job: str) -> int:
        """How many runs of a job wait."""
        return self._waiting_of.get(job, 0)

    def runs_now(self, job: str) -> bool:
        """Whether a run of this job holds a permit."""
        return job in self._running_of

    def _refusal(self, job: str, overlap: Overlap, longest_queue: int) -> Admission | None:
        waiting = self.waiting_of(job)
        if overlap is Overlap.COALESCE and waiting:
            return Admission.COALESCED
        if overlap is Overlap.SKIP and (waiting or self.runs_now(job)):
            return Admission.SKIPPED
        return Admission.FULL if waiting >= longest_queue else None

    def _admit(self) -> list[R]:
        admitted = []
        while self._permit_free() and (entry := self._next()) is not None:
            place, run = entry
            labels = self._labels(run)
            blocked = next((label for label in labels if not self._has_room(label)), None)
            if blocked is not None:
                heapq.heappush(self._parked[blocked], (place, run))
                self._give_way(labels)
            else:
                self._start(run, labels)
                admitted.append(run)
        return admitted

    def _next(self) -> tuple[Place, R] | None:
        return next(self._live(self._line), None)

    def _live(self, heap: list[tuple[Place, R]]) -> Iterator[tuple[Place, R]]:
        """Take entries from a heap, passing over those whose run was withdrawn."""
        while heap:
            place, run = heapq.heappop(heap)
            if self._places.get(run.id) == place:
                yield place, run

    def _labels(self, run: R) -> tuple[str, ...]:
        counted = self._counted(run, alone=self._alone[run.id])
        return (*self._closed_of(run), *counted) if self._closed else counted

    def _counted(self, run: R, *, alone: bool) -> tuple[str, ...]:
        limited = tuple(label for label in run.labels if label in self._limits)
        return (job_label(run.job), *limited) if alone else limited

    def _closed_of(self, run: R) -> Iterator[str]:
        return (label for label in (EVERY, job_label(run.job), *run.labels) if label in self._closed)

    def _has_room(self, label: str) -> bool:
        if label in self._closed:
            return False
        # A job's own label is limited to one; of the others only those with a limit are looked at.
        return self._used.get(label, 0) < self._limits.get(label, 1)

    def _start(self, run: R, labels: tuple[str, ...]) -> None:
        del self._places[run.id], self._alone[run.id]
        self._count_waiting(run.job, -1)
        self._hold(run, labels)

    def _hold(self, run: R, labels: tuple[str, ...]) -> None:
        self.running += 1
        self._count(self._running_of, run.job, 1)
        self._held[run.id] = labels
        for label in labels:
            self._used[label] += 1

    def _give_way(self, labels: tuple[str, ...]) -> None:
        """Look at others in place of a run that does not use the room which its labels have."""
        for label in labels:
            if label in self._parked and self._has_room(label):
                self._unpark(label)

    def _unpark(self, label: str) -> None:
        """Let the first run that is parked at a label back into the line, now that it has room for one."""
        parked = self._parked.get(label, [])
        entry = next(self._live(parked), None)
        if entry is not None:
            heapq.heappush(self._line, entry)
        if not parked:
            self._parked.pop(label, None)

    def _count_waiting(self, job: str, step: int) -> None:
        self.waiting += step
        self._count(self._waiting_of, job, step)

    @staticmethod
    def _count(counts: defaultdict[str, int], key: str, step: int) -> None:
        counts[key] += step
        if not counts[key]:
            del counts[key]

    def _permit_free(self) -> bool:
        return self.size <= 0 or self.running < self.size
