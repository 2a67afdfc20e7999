"""One repeating schedule given at run time, while it is in force, and what is written of its steps. Pure."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime

from engine.jobs.jobfile import JobSettings
from engine.rules import slots
from engine.rules.slots import Skip, Slot
from engine.states import ScheduleStatus
from engine.store.rows import Changes, GivenSchedule, JobPatch, PlannedRun, PlannedTime
from engine.times.schedule import Schedule

NEVER_AGAIN = "it is never due again"

#: What a new schedule replaces: those of the same job, user and tag, single runs or repeating ones.
Key = tuple[str, int, str, bool]


@dataclass(slots=True, eq=False)
class Chain:
    """One that is due again and again, while it is in force; `row` is replaced whole.

    Attributes:
        schedule: what its rule means; None while the operator has to mend moontide.toml.
        skipping: its entry in the slot ledger that grows while its due times are skipped for one reason.
        made_up: the last of the passed times that a run was planned for; it may not be on record yet.
    """

    row: GivenSchedule
    schedule: Schedule | None
    skipping: Slot | None = None
    made_up: datetime | None = None

    @property
    def key(self) -> Key:
        """What a new schedule has to have in common with it to replace it."""
        return (self.row.job, self.row.user_id, self.row.tag, True)

    def wants_made_up(self, settings: JobSettings | None) -> bool:
        """Return whether one run is to make up for times that passed, as it says itself or its job does."""
        if self.row.run_skipped is not None:
            return self.row.run_skipped
        return settings is not None and settings.run_skipped

    def skip(self, due: datetime, skip: Skip, now: datetime) -> Slot:
        """Return the entry of a due time that makes no run; it grows while the reason stays the same."""
        named = replace(skip, reason=self._words(skip.reason))
        found = slots.skipped(self.row.job, due, named, now, self.skipping)
        self.skipping = replace(found, schedule_id=self.row.id)
        return self.skipping

    def own(self, slot: Slot) -> Slot:
        """Return a slot as one of this schedule."""
        return replace(slot, reason=self._words(slot.reason), schedule_id=self.row.id)

    def _words(self, reason: str) -> str:
        return f"schedule {self.row.id}: {reason}"


def key_of_run(run: PlannedTime) -> Key | None:
    """Return by what a run is replaced; None for one that a repeating schedule made."""
    return None if run.tag is None else (run.job, run.user_id, run.tag, False)


def gone_on(row: GivenSchedule, following: datetime | None, now: datetime) -> GivenSchedule:
    """Return a schedule that is due next at a time, or over if there is none."""
    if following is not None:
        return replace(row, due=following)
    return replace(row, due=None, status=ScheduleStatus.OVER, ended=now, reason=NEVER_AGAIN)


def still_owes(row: GivenSchedule) -> GivenSchedule:
    """Return a schedule that is never due again, but has to make up for times that passed.

    It stays in force for that, so that a restart finds it.
    """
    return replace(row, due=None)


def noted(*found: Slot | None, planned: PlannedRun | None = None) -> Changes:
    """Return what is written of due times that passed without a run, and of one that makes a run."""
    slots = tuple(slot for slot in found if slot is not None)
    patches = (JobPatch(slots[0].job, {}, slots=slots),) if slots else ()
    return Changes(jobs=patches, planned=(planned,) if planned else ())


def joined(*changes: Changes) -> Changes:
    """Return several changes as one, all or nothing."""
    return Changes(
        planned=tuple(one for change in changes for one in change.planned),
        unplanned=tuple(one for change in changes for one in change.unplanned),
        runs=tuple(one for change in changes for one in change.runs),
        ends=tuple(one for change in changes for one in change.ends),
        given=tuple(one for change in changes for one in change.given),
        given_steps=tuple(one for change in changes for one in change.given_steps),
    )
