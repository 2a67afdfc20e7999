"""The checker: holds what the database says against what was asked for and what the witness saw.

`python -m tests.faults.checker [--under-way] ORDERS SIGHTINGS DATABASE` prints what it found as JSON, and
ends with 1 if anything is wrong. It is a process of its own, and knows nothing of the engine's code.
"""

from __future__ import annotations

import json
import sys
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass, field
from datetime import datetime, timedelta
from itertools import pairwise
from pathlib import Path

from tests.faults import orders as order_book
from tests.faults import records as books
from tests.faults import witness
from tests.faults.orders import Answer, Orders, Submission
from tests.faults.records import Records, Run, Slot
from tests.faults.witness import Sighting

FINAL = frozenset({"COMPLETE", "ERROR", "TIMEOUT", "CRASHED", "CANCELLED", "SKIPPED"})
#: Runs with these triggers are the entries of planned times in the slot ledger.
_PLANNED_BY = "schedule"


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a check found.

    Attributes:
        complaints: what is wrong; empty if all is as it must be.
    """

    submissions: int
    runs: int
    starts: int
    times: int
    complaints: tuple[str, ...]


def judge(
    orders: Orders, sightings: Sequence[Sighting], records: Records, *, at_rest: bool = True
) -> Verdict:
    """Return what is wrong.

    Args:
        at_rest: whether the engine has stopped in order, so that nothing may be under way any more.
    """
    complaints = [f"the database is damaged: {words}" for words in records.damage]
    complaints += _of_submissions(orders, records)
    complaints += _of_sightings(orders, sightings, records)
    complaints += _of_retries(orders, records)
    complaints += _of_late_ends(records)
    ledgers = _ledgers(records)
    times = {job: _times(ledgers[job]) for job in orders.every}
    for job, seconds in orders.every.items():
        complaints += _of_times(job, seconds, times[job], ledgers[job])
    if at_rest:
        complaints += _of_rest(orders, sightings, records)
    return Verdict(
        submissions=len(orders.submissions),
        runs=len(records.runs),
        starts=sum(one.what == "start" for one in sightings),
        times=sum(map(len, times.values())),
        complaints=tuple(complaints),
    )


def _of_submissions(orders: Orders, records: Records) -> Iterator[str]:
    """Each accepted submission has one chain of runs, each refused one none, and none came from nowhere."""
    chains = defaultdict(list)
    for run in records.runs:
        if run.token is not None:
            chains[run.token].append(run)
    for one in orders.submissions.values():
        yield from _of_chain(one, chains.pop(one.token, []))
    for token in chains:
        yield f"invented: nobody asked for the runs of {token}"


def _of_chain(asked: Submission, runs: list[Run]) -> Iterator[str]:
    name = f"{asked.token} ({asked.job})"
    firsts = [run for run in runs if run.parent is None]
    if asked.answer is Answer.ACCEPTED and asked.run not in {run.id for run in firsts}:
        yield f"lost: {name} was accepted as run {asked.run}, which is not there"
    if asked.answer is Answer.REFUSED and runs:
        yield f"invented: {name} was refused, and has run {runs[0].id}"
    if len(firsts) > 1:
        yield f"doubled: {name} has the runs {sorted(run.id for run in firsts)}"
    attempts = sorted(run.attempt for run in runs)
    if runs and attempts != list(range(1, len(runs) + 1)):
        yield f"doubled: {name} has the attempts {attempts}"
    if any(run.job != asked.job for run in runs):
        yield f"invented: {name} ran as another job"


def _of_retries(orders: Orders, records: Records) -> Iterator[str]:
    """A run has one next attempt at most, after one that failed, and no more than its job has retries."""
    by_id = {run.id: run for run in records.runs}
    followers = Counter(run.parent for run in records.runs if run.parent is not None)
    yield from (f"doubled: run {id} was tried again {n} times" for id, n in followers.items() if n > 1)
    for run in records.runs:
        if run.attempt > orders.retries.get(run.job, 0) + 1:
            yield f"doubled: run {run.id} of {run.job} is attempt {run.attempt}"
        before = by_id.get(run.parent) if run.parent is not None else None
        if run.trigger == "retry" and (before is None or before.attempt != run.attempt - 1):
            yield f"invented: run {run.id} is no attempt after run {run.parent}"
        if before is not None and before.status not in {"ERROR", "TIMEOUT", "CRASHED"}:
            yield f"doubled: run {run.id} tries run {before.id} again, which is {before.status}"


#: How a run may stand that was given up while somebody had it.
_GIVEN_UP = frozenset({"CRASHED", "TIMEOUT", "CANCELLED"})


def _of_late_ends(records: Records) -> Iterator[str]:
    """One end of a run counts: another one comes late, once, and only of a run that had started."""
    for run in records.runs:
        if run.superseded > 1:
            yield f"doubled: run {run.id} of {run.job} came late {run.superseded} times"
        if run.superseded and run.status not in _GIVEN_UP:
            yield f"doubled: run {run.id} of {run.job} is {run.status}, and came late besides"
        if run.superseded and not run.started:
            yield f"invented: run {run.id} of {run.job} came late, and never started"


def _of_sightings(orders: Orders, sightings: Sequence[Sighting], records: Records) -> Iterator[str]:
    """What started has a row that says so, once; what is COMPLETE has started and ended."""
    by_id = {run.id: run for run in records.runs}
    seen = Counter((one.what, one.run) for one in sightings)
    yield from (
        f"doubled: run {run} told its {what} {times} times"
        for (what, run), times in seen.items()
        if times > 1
    )
    for one in sightings:
        run = by_id.get(one.run)
        if run is None:
            yield f"lost: run {one.run} of {one.job} told its {one.what}, and has no row"
        elif not run.started or (run.job, run.attempt, run.token) != (one.job, one.attempt, one.token):
            yield f"lost: run {one.run} told its {one.what} as {one}, and its row says {run}"
    for run in records.runs:
        if run.status == "COMPLETE" and run.job in orders.witnessed:
            yield from (
                f"invented: run {run.id} of {run.job} is COMPLETE, and nobody saw its {what}"
                for what in ("start", "end")
                if not seen[what, run.id]
            )


@dataclass(slots=True)
class _Ledger:
    """What is in the ledger of one job, and when it is due next."""

    due: list[datetime] = field(default_factory=list)
    slots: list[Slot] = field(default_factory=list)
    coming: list[datetime] = field(default_factory=list)


def _ledgers(records: Records) -> defaultdict[str, _Ledger]:
    found: defaultdict[str, _Ledger] = defaultdict(_Ledger)
    for run in records.runs:
        if run.trigger == _PLANNED_BY:
            found[run.job].due.append(run.due)
    for slot in records.slots:
        found[slot.job].slots.append(slot)
    for job in records.jobs:
        if job.next_due is not None:
            found[job.name].coming.append(job.next_due)
    return found


def _times(ledger: _Ledger) -> list[datetime]:
    """Return every planned time that the ledger of a job accounts for, in their order."""
    found = list(ledger.due)
    for slot in ledger.slots:
        if slot.count is not None:
            steps = max(slot.count - 1, 1)
            found += [slot.first + (slot.last - slot.first) / steps * n for n in range(slot.count)]
    return sorted(found)


def _of_times(job: str, seconds: float, times: list[datetime], ledger: _Ledger) -> Iterator[str]:
    """Each planned time of an interval is in the ledger once, up to the one that is to come."""
    if not times:
        yield f"lost: {job} has no planned time in the ledger"
        return
    yield from (
        f"lost: the times of {job} after {slot.first} are given up: {slot.fate}, {slot.cause}"
        for slot in ledger.slots
        if slot.count is None
    )
    step = timedelta(seconds=seconds)
    for before, after in pairwise([*times, *ledger.coming]):
        if after - before < step:
            yield f"doubled: the time {after} of {job} comes twice, or too soon after {before}"
        elif after - before > step:
            yield f"lost: the times of {job} between {before} and {after} are not in the ledger"


def _of_rest(orders: Orders, sightings: Sequence[Sighting], records: Records) -> Iterator[str]:
    """Nothing is under way after an orderly stop, and each job goes on."""
    for run in records.runs:
        if run.status not in FINAL or not run.finished:
            yield f"stuck: run {run.id} of {run.job} is {run.status}"
    yield from (f"stuck: run {one} is still planned" for one in records.planned)
    yield from (
        f"stuck: {job.name} is {job.status}"
        for job in records.jobs
        if job.name in orders.witnessed and job.status != "WAITING"
    )
    names = {job.name for job in records.jobs}
    yield from (f"lost: the job {name} is gone" for name in orders.witnessed if name not in names)


def main(arguments: Iterable[str]) -> int:
    """Check, print what was found, and return the exit code."""
    *options, asked, seen, database = arguments
    verdict = judge(
        order_book.read(Path(asked)),
        witness.read(Path(seen)),
        books.read(Path(database)),
        at_rest="--under-way" not in options,
    )
    print(json.dumps(asdict(verdict)))
    return int(bool(verdict.complaints))


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
