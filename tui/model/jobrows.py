"""The jobs that a list shows: those that fit a filter, in order. A job that changes moves by itself.

With 10,000 jobs and hundreds of events a second, to filter and sort all of them for each look at the model
would leave no time for keys. A change costs no more with many jobs than with few, but for a copy of the list.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from engine.views import ListedJob
from tui.look import words
from tui.model.board import Board
from tui.model.filters import Term, job_fits, narrows
from tui.model.joborder import SORTS

#: Jobs that are due within this are looked at, each time, for whether they are late by now.
HORIZON = timedelta(minutes=1)

#: With more changes at once, all is made anew.
FEW = 500

#: What decides over the order, and the name, which no two jobs share.
_Key = tuple[Any, str]


@dataclass(slots=True)
class _Ordered:
    """Jobs in the order of their keys."""

    keys: list[_Key] = field(default_factory=list)
    jobs: list[ListedJob] = field(default_factory=list)

    def fitting(self, terms: Sequence[Term]) -> _Ordered:
        """Return those that fit all conditions."""
        if not terms:
            return _Ordered(self.keys[:], self.jobs[:])
        places = [place for place, job in enumerate(self.jobs) if job_fits(job, terms)]
        return _Ordered([self.keys[place] for place in places], [self.jobs[place] for place in places])

    def take_out(self, key: _Key) -> None:
        """Take the job with this key out, if it is there."""
        place = bisect_left(self.keys, key)
        if place < len(self.keys) and self.keys[place] == key:
            del self.keys[place], self.jobs[place]

    def put_in(self, key: _Key, job: ListedJob) -> None:
        """Put a job where it belongs, in place of one with the same key."""
        place = bisect_left(self.keys, key)
        if place < len(self.keys) and self.keys[place] == key:
            self.jobs[place] = job
        else:
            self.keys.insert(place, key)
            self.jobs.insert(place, job)


class JobRows:
    """Follows the jobs of a board."""

    def __init__(self, board: Board) -> None:
        self._board = board
        self._changes = board.follow_jobs()
        self._terms: tuple[Term, ...] = ()
        self._way = ""
        self._all = _Ordered()
        self._shown = _Ordered()
        self._key_of: dict[str, _Key] = {}
        self._soon: set[str] = set()
        self._horizon = datetime.min.replace(tzinfo=UTC)

    def look(
        self, terms: tuple[Term, ...], way: str, now: datetime, *, backwards: bool
    ) -> Sequence[ListedJob]:
        """Return the jobs as they stand now.

        Args:
            terms: the conditions of the filter.
            way: one of `SORTS`.
        """
        changed = self._changes.taken()
        if changed is None or len(changed) > FEW or way != self._way:
            self._begin_anew(way, now)
        else:
            for name in changed | self._late_since(now):
                self._look_at(name, now)
        self._show(terms)
        return self._shown.jobs[::-1] if backwards else self._shown.jobs[:]

    def _begin_anew(self, way: str, now: datetime) -> None:
        jobs, by = self._board.jobs, SORTS[way]
        self._way = way
        self._key_of = {name: (by(job, now), name) for name, job in jobs.items()}
        keys = sorted(self._key_of.values())
        self._all = _Ordered(keys, [jobs[name] for _, name in keys])
        self._shown = self._all.fitting(self._terms)
        self._look_ahead(now)

    def _show(self, terms: tuple[Term, ...]) -> None:
        """Leave what fits; while somebody types on, that is among what is shown already."""
        if terms != self._terms:
            among = self._shown if narrows(terms, self._terms) else self._all
            self._terms, self._shown = terms, among.fitting(terms)

    def _look_at(self, name: str, now: datetime) -> None:
        """Put a job where it belongs by now, or take it out."""
        job, before = self._board.jobs.get(name), self._key_of.get(name)
        after = None if job is None else (SORTS[self._way](job, now), name)
        if before is not None and before != after:
            self._all.take_out(before)
            self._shown.take_out(before)
            del self._key_of[name]
        if job is None or after is None:
            return
        self._key_of[name] = after
        self._all.put_in(after, job)
        if job_fits(job, self._terms):
            self._shown.put_in(after, job)
        else:
            self._shown.take_out(after)
        self._expect(job)

    # Jobs become late without anything that tells of it

    def _look_ahead(self, now: datetime) -> None:
        self._horizon, self._soon = now + HORIZON, set()
        for job in self._all.jobs:
            self._expect(job)

    def _expect(self, job: ListedJob) -> None:
        if job.next_run is not None and job.next_run < self._horizon:
            self._soon.add(job.name)

    def _late_since(self, now: datetime) -> set[str]:
        """Return the jobs that became late since the last look."""
        if now >= self._horizon:
            self._look_ahead(now)
        jobs = self._board.jobs
        late = {name for name in self._soon if name in jobs and words.is_late(jobs[name], now)}
        self._soon -= late
        return late
