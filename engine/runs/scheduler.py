"""The clock's hand: which job is due next, and telling so when the time has come."""

from __future__ import annotations

import heapq
from collections.abc import Callable
from datetime import datetime, timedelta

from engine.times.clock import Clock

#: Smaller steps of the wall clock are the work of NTP and change nothing.
NOTICED = timedelta(seconds=1)


class Scheduler:
    """A heap of due times, one for each armed job, and one kernel alarm for the first of them.

    Arming is O(log n). A job that is armed again leaves its old entry in the heap, which is dropped when
    it comes up; when such entries outnumber the live ones the heap is built anew.
    """

    def __init__(
        self,
        *,
        clock: Clock,
        on_due: Callable[[str, datetime], None],
        on_set_back: Callable[[datetime, timedelta], None] | None = None,
    ) -> None:
        """Make a scheduler.

        Args:
            on_due: called with a job's name and the due time that has come. The job is disarmed by then;
                the callee arms it for its next time.
            on_set_back: called before that, if the wall clock was set back since the last look: what it
                shows now, and by how much. Due times stay as they are unless the callee arms them anew.
        """
        self._clock = clock
        self._on_due = on_due
        self._on_set_back = on_set_back
        self._seen = clock.now(), clock.monotonic()
        self._heap: list[tuple[datetime, str]] = []
        self._due: dict[str, datetime] = {}
        self._alarm = clock.alarm(self._rang)
        self._serving = False
        self._alarm_at: datetime | None = None

    def start(self) -> None:
        """Begin to serve due times, on the running loop."""
        self._alarm.start()
        self._serving = True
        self._rang()

    def stop(self) -> None:
        """Serve no more due times; what is armed stays known."""
        self._serving = False
        self._alarm.stop()

    def arm(self, job: str, due: datetime | None) -> None:
        """Let a job be due at this time, and at no other; None disarms it."""
        if due is None:
            self._due.pop(job, None)
            return
        if self._due.get(job) == due:
            return
        self._due[job] = due
        heapq.heappush(self._heap, (due, job))
        if len(self._heap) > 64 + 2 * len(self._due):
            self._rebuild()
        if self._serving and (self._alarm_at is None or due < self._alarm_at):
            self._set_alarm()

    def due_of(self, job: str) -> datetime | None:
        """Return when a job is due, if it is armed."""
        return self._due.get(job)

    def first_due(self) -> datetime | None:
        """Return the earliest due time of all."""
        while self._heap and self._due.get(self._heap[0][1]) != self._heap[0][0]:
            heapq.heappop(self._heap)
        return self._heap[0][0] if self._heap else None

    def tick(self, now: datetime) -> int:
        """Report every job that is due at `now`, earliest first; return how many."""
        self._look_at_clock(now)
        served = 0
        while (first := self.first_due()) is not None and first <= now:
            due, job = heapq.heappop(self._heap)
            del self._due[job]
            self._on_due(job, due)
            served += 1
        return served

    def _look_at_clock(self, now: datetime) -> None:
        """Notice a clock that was set back: the other clock has gone on as ever."""
        (wall, monotonic), self._seen = self._seen, (now, self._clock.monotonic())
        back = wall + timedelta(seconds=self._seen[1] - monotonic) - now
        if back >= NOTICED and self._on_set_back is not None:
            self._on_set_back(now, back)

    def _rang(self) -> None:
        self._alarm_at = None
        self.tick(self._clock.now())
        self._set_alarm()

    def _set_alarm(self) -> None:
        first = self.first_due()
        if self._serving and first != self._alarm_at:
            self._alarm_at = first
            self._alarm.set(first)

    def _rebuild(self) -> None:
        self._heap = [(due, job) for job, due in self._due.items()]
        heapq.heapify(self._heap)
