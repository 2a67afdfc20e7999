"""A plugin that adds to job files: good things, broken things, and names that are taken."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from moontide import (
    Failure,
    JobSetting,
    OutcomePolicy,
    Recurring,
    ScheduleContext,
    ScheduleKind,
    Verdict,
    duration_setting,
    hookimpl,
)

LATE = datetime(2100, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class Strange(Recurring):
    """Due a day later, until it breaks; "stuck" is due at the moment that it is asked for."""

    how: str

    def after(self, moment: datetime) -> datetime | None:
        if self.how == "broken" or (self.how == "late" and moment >= LATE):
            raise RuntimeError("the calendar fell off the wall")
        return moment if self.how == "stuck" else moment + timedelta(days=1)

    def words(self) -> str:
        return f"strange {self.how}"


def read_strange(value: Any) -> Any:
    if value == "raise":
        raise RuntimeError("cannot read")
    return value


def make_strange(value: str, context: ScheduleContext) -> Iterable[Strange]:
    return [Strange(value)]


def broken(failure: Failure) -> Verdict:
    raise RuntimeError("cannot decide")


@hookimpl
def moontide_job_settings() -> list[JobSetting]:
    return [
        JobSetting(name="owner", type=str, help="Who answers.", example='"ann"', allowed=("ann", "bob")),
        JobSetting(name="weight", type=float, help="How heavy.", example="1.5", default=1.0),
        duration_setting("patience", help="How long to wait.", example='"5m"', default=60.0),
        JobSetting(name="odd", type=dict, help="Odd.", example="{}", parse=lambda value: {"at": LATE}),
        JobSetting(name="retries", type=int, help="Mine.", example="1"),
    ]


@hookimpl
def moontide_schedule_kinds() -> list[ScheduleKind]:
    return [
        ScheduleKind(name="strange", parse=read_strange, schedules=make_strange, help="Odd.", example='"x"'),
        ScheduleKind(name="cron", parse=read_strange, schedules=make_strange, help="Mine.", example='"x"'),
    ]


@hookimpl
def moontide_outcome_policies() -> list[OutcomePolicy]:
    return [
        OutcomePolicy(name="broken", decide=broken, help="Raises."),
        OutcomePolicy(name="continue", decide=broken, help="Mine."),
        OutcomePolicy(name="two words", decide=broken, help="No name."),
    ]
