"""What the page of a job knows beyond the list: its runs, its planned times, its state and its code."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from engine.errors import JobFileError, JobNotFound
from engine.states import FINAL
from engine.views import ComingView, JobView, RunView, ScheduleView, SlotView, StateView
from tui.model.board import End

if TYPE_CHECKING:
    from engine.api.client import AsyncClient

RUNS_SHOWN = 200
COMING_SHOWN = 5
SLOTS_SHOWN = 200


@dataclass(frozen=True, slots=True)
class JobData:
    """What was fetched about one job.

    Attributes:
        view: the job itself with its settings; None until it is fetched.
        runs: the newest first.
        given: the schedules that were given to it at run time.
        source: the text of its file; "" if that cannot be read.
    """

    view: JobView | None = None
    runs: Sequence[RunView] = ()
    coming: Sequence[ComingView] = ()
    given: Sequence[ScheduleView] = ()
    slots: Sequence[SlotView] = ()
    states: Sequence[StateView] = ()
    source: str = ""

    @property
    def ends(self) -> list[End]:
        """How its runs ended, the newest last."""
        finished = [run for run in reversed(self.runs) if run.status in FINAL]
        return [End(run.id, run.status, run.duration_ms) for run in finished]


NOTHING = JobData()


async def fetch_job(client: AsyncClient, job: JobView) -> JobData:
    """Ask the engine about a job.

    Raises:
        MoontideError: the engine did not answer.
    """
    name = job.name
    return JobData(
        view=job,
        runs=await client.runs(job=name, limit=RUNS_SHOWN),
        coming=await client.coming(job=name, count=COMING_SHOWN),
        given=await client.schedules(job=name) if job.given else (),
        slots=await client.ledger.slots(name, limit=SLOTS_SHOWN),
        states=[await client.states.show(name, lasting=lasting) for lasting in (False, True)],
        source=await _source(client, name),
    )


async def _source(client: AsyncClient, name: str) -> str:
    try:
        return (await client.job_source(name)).text
    except (JobNotFound, JobFileError):
        return ""
