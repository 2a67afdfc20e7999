"""What became of a planned time: the ledger's rows, the runs and the plan, put together. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from engine.rules.forecast import no_run_in, notes
from engine.rules.lifecycle import JobState, first_line
from engine.rules.slots import Slot
from engine.states import FINAL, Cause, Fate, JobStatus, RunStatus
from engine.times.blackout import Blackout
from engine.times.schedule import Schedule
from engine.views import ComingView, RunView, SlotView, WhyView

#: A run that starts so long after its due time, or later, is late.
LATE_SECONDS = 1.0

_TICK = timedelta(microseconds=1)

#: Where several things are known of one time, the run comes first, then the plan, then the slots.
_ORDER = {Fate.RAN: 0, Fate.LATE: 0, Fate.PLANNED: 1}


@dataclass(frozen=True, slots=True)
class Known:
    """What is on record around a span of time [at, until), and what a job plans.

    Attributes:
        slots: those of the span, at least in part.
        runs: those due in it.
        slot_before, run_before: the last ones of the job's own schedule that begin before the span.
        given_slot_before, given_run_before: those of schedules given at run time.
        slot_after, run_after: the first ones that begin at the span's end or after it, of any schedule.
        given: the repeating schedules given at run time that are in force, by their ids.
        given_to_come: times to come of given schedules: the first of the span, and the first after it.
    """

    job: str
    state: JobState | None
    schedule: Schedule | None
    blackout: Blackout | None
    slots: list[Slot]
    runs: list[RunView]
    slot_before: Slot | None = None
    run_before: RunView | None = None
    slot_after: Slot | None = None
    run_after: RunView | None = None
    given_slot_before: Slot | None = None
    given_run_before: RunView | None = None
    given: Mapping[int, Schedule] = field(default_factory=dict)
    given_to_come: Sequence[ComingView] = ()


def why(known: Known, at: datetime, until: datetime, now: datetime) -> WhyView:
    """Return what became of the first time that was planned in [at, until).

    Of several planned times that share one slot the job's present schedule tells which ones lie there.
    """
    found = sorted(_candidates(known, at, until, now), key=_place)
    if found:
        first = found[0]
        return WhyView(known.job, at, until, [one for one in found if one.due == first.due])
    return WhyView(known.job, at, until, [], _nearest_before(known), _nearest_after(known, until, now))


def of_run(run: RunView) -> SlotView:
    """Return what became of the time for which a schedule, the job's own or a given one, has made a run."""
    late_ms = (run.started - run.due).total_seconds() * 1000 if run.started else None
    reason = first_line(run.error or "")
    if late_ms is not None:
        fate = Fate.LATE if late_ms >= LATE_SECONDS * 1000 else Fate.RAN
    elif RunStatus(run.status) in FINAL:
        fate = Fate.SKIPPED
    else:
        fate, reason = Fate.LATE, "waits for its turn"
    if run.schedule_id is not None:
        reason = f"schedule {run.schedule_id}: {reason}".removesuffix(": ")
    return SlotView(
        job=run.job,
        due=run.due,
        last_due=run.due,
        count=1,
        fate=fate.value,
        reason=reason,
        run=run.id,
        status=run.status,
        late_ms=late_ms,
        schedule_id=run.schedule_id,
    )


def of_slot(slot: Slot) -> SlotView:
    """Return a slot of the ledger as the API shows it."""
    return SlotView(
        job=slot.job,
        due=slot.first_due,
        last_due=slot.last_due,
        count=slot.count,
        fate=slot.fate.value,
        cause=slot.cause.value,
        reason=slot.reason,
        run=slot.run_id,
        schedule_id=slot.schedule_id,
    )


def merged(slots: Iterable[Slot], runs: Iterable[RunView], limit: int) -> list[SlotView]:
    """Return slots and runs as one list, the latest first, at most `limit` of them."""
    views = [*map(of_slot, slots), *map(of_run, runs)]
    return sorted(views, key=lambda view: view.due, reverse=True)[:limit]


def _place(view: SlotView) -> tuple[datetime, int]:
    return view.due, _ORDER.get(Fate(view.fate), 2)


def _candidates(known: Known, at: datetime, until: datetime, now: datetime) -> Iterable[SlotView]:
    yield from map(of_run, known.runs)
    for slot in known.slots:
        # Of a schedule given at run time only the first and the last of several times are known.
        schedule = known.schedule if slot.schedule_id is None else known.given.get(slot.schedule_id)
        due = _time_in(slot, schedule, at, until)
        if due is not None:
            yield replace(of_slot(slot), due=due, last_due=due, count=1)
    open_slot = _open_before(known)
    if open_slot is not None:
        due = _next_in(known.schedule, open_slot.first_due, at, min(until, now))
        if due is not None:
            yield replace(of_slot(open_slot), due=due, last_due=due, count=1)
    yield from _of_state(known, at, until, now)
    yield from (_to_come(view) for view in known.given_to_come if at <= view.due < until)


def _time_in(slot: Slot, schedule: Schedule | None, at: datetime, until: datetime) -> datetime | None:
    """Return the first of a slot's times in [at, until), as far as that is known."""
    if slot.first_due >= at:
        return slot.first_due
    due = _next_in(schedule, slot.first_due, at, until)
    if due is not None and due <= slot.last_due:
        return due
    return slot.last_due if at <= slot.last_due < until else None


def _next_in(schedule: Schedule | None, due: datetime, at: datetime, until: datetime) -> datetime | None:
    """Return the first time of a schedule in [at, until), where `due` is one before."""
    following = schedule.following(due, at - _TICK) if schedule else None
    return following if following is not None and following < until else None


def _open_before(known: Known) -> Slot | None:
    """Return the slot that says of the job that it was not due from some time on, if that still held."""
    slot, run = known.slot_before, known.run_before
    if slot is None or slot.count is not None or (run is not None and run.due >= slot.first_due):
        return None
    return slot


def _of_state(known: Known, at: datetime, until: datetime, now: datetime) -> Iterable[SlotView]:
    state = known.state
    if state is None or state.next_due is None:
        return
    if state.status is JobStatus.INVALID:
        if state.next_due < until and at <= now:
            due = max(state.next_due, at)
            reason = f"the job is {state.status.value}: {first_line(state.reason)}"
            yield SlotView(known.job, due, due, 1, Fate.SKIPPED.value, cause=Cause.STATE.value, reason=reason)
    elif state.due is not None:
        first = state.due
        coming = first if first >= at else _next_in(known.schedule, first, at, until)
        if coming is not None and coming < until:
            yield planned(known, coming)


def planned(known: Known, due: datetime) -> SlotView:
    """Return a planned time that is to come."""
    window = known.blackout.window_at(due) if known.blackout else None
    following = known.schedule.following(due, due) if known.schedule else None
    words = [no_run_in(window)] if window else notes(known.schedule, due, following)
    return SlotView(known.job, due, due, 1, Fate.PLANNED.value, reason="; ".join(words))


def _to_come(view: ComingView) -> SlotView:
    """Return a time of a given schedule that is to come."""
    reason = "; ".join(view.notes)
    return SlotView(
        view.job, view.due, view.due, 1, Fate.PLANNED.value, reason=reason, schedule_id=view.schedule_id
    )


def _nearest_before(known: Known) -> SlotView | None:
    runs = [of_run(run) for run in (known.run_before, known.given_run_before) if run]
    slots = [of_slot(slot) for slot in (known.slot_before, known.given_slot_before) if slot]
    return max([*runs, *slots], key=lambda view: view.due, default=None)


def _nearest_after(known: Known, until: datetime, now: datetime) -> SlotView | None:
    views = [_to_come(view) for view in known.given_to_come if view.due >= until]
    if known.run_after is not None:
        views.append(of_run(known.run_after))
    if known.slot_after is not None:
        views.append(of_slot(known.slot_after))
    due = known.state.due if known.state else None
    if due is not None and due < until:
        due = known.schedule.following(due, until - _TICK) if known.schedule else None
    if due is not None:
        views.append(planned(known, due))
    return min(views, key=lambda view: view.due, default=None)
