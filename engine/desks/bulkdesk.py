"""One action on many jobs or runs: what is meant, and what became of each."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from datetime import datetime
from fnmatch import fnmatchcase
from typing import Any, Protocol

from engine.bulk import WILDCARDS, BulkAction, Chosen
from engine.errors import JobNotFound, MoontideError, NotFound, Refused
from engine.rules.holds import HoldScope
from engine.views import BulkView, HoldView, JobView, RunView

#: Items that are worked on side by side; their changes are committed together.
TOGETHER = 100


class Single(Protocol):
    """What does the actions on one job or run."""

    def jobs(self) -> list[JobView]: ...

    async def run_job(self, name: str, *, data: Any = None, user_id: int = 0, actor: str) -> RunView: ...

    async def activate(self, name: str, *, actor: str) -> JobView: ...

    async def deactivate(self, name: str, *, actor: str) -> JobView: ...

    async def cancel(self, run_id: int, *, actor: str) -> RunView: ...


class Pausing(Protocol):
    """What pauses one job."""

    async def pause(
        self, scope: HoldScope, target: str, *, until: datetime | None, note: str = "", actor: str
    ) -> HoldView: ...

    async def resume(self, scope: HoldScope, target: str, *, note: str = "", actor: str) -> HoldView: ...


class BulkDesk:
    """Answers the API's requests about many jobs or runs (see `engine.api.operations.BulkOperations`)."""

    def __init__(self, single: Single, pausing: Pausing, unfinished: Callable[[str], list[int]]) -> None:
        """Make a desk.

        Args:
            single: does what is asked to one job or run.
            pausing: pauses one job.
            unfinished: gives the planned, waiting and running runs of a job.
        """
        self._single = single
        self._pausing = pausing
        self._unfinished = unfinished

    async def act(
        self,
        action: BulkAction,
        chosen: Chosen,
        *,
        data: Any = None,
        until: datetime | None = None,
        note: str = "",
        actor: str,
    ) -> list[BulkView]:
        """Do something to each of many; a failure of one does not stop the others."""
        jobs, absent = self._jobs(chosen)

        async def job(name: str) -> str:
            match action:
                case BulkAction.RUN:
                    run = await self._single.run_job(name, data=data, actor=actor)
                    return f"run {run.id} is {run.status}"
                case BulkAction.ACTIVATE:
                    return f"active, {(await self._single.activate(name, actor=actor)).status}"
                case BulkAction.DEACTIVATE:
                    return f"not active, {(await self._single.deactivate(name, actor=actor)).status}"
                case BulkAction.PAUSE:
                    hold = await self._pausing.pause(HoldScope.JOB, name, until=until, note=note, actor=actor)
                    return hold.words
                case _:
                    await self._pausing.resume(HoldScope.JOB, name, note=note, actor=actor)
                    return "not paused any more"

        async def cancel(run: str) -> str:
            view = await self._single.cancel(int(run), actor=actor)
            return f"run of {view.job} is {view.status}"

        if action is not BulkAction.CANCEL:
            if chosen.runs:
                raise Refused(f"{action} is done to jobs, not to runs")
            return absent + await _each(jobs, job)
        runs = [*chosen.runs, *(run for name in jobs for run in self._unfinished(name))]
        return absent + await _each(map(str, dict.fromkeys(runs)), cancel)

    def _jobs(self, chosen: Chosen) -> tuple[list[str], list[BulkView]]:
        """Return the names of the jobs that are meant, and a failure for each name that means none."""
        if not (chosen.names or chosen.runs or chosen.narrowed):
            raise Refused("say which jobs: by name, by a pattern such as shop/*, or by tag, group or status")
        views = {view.name: view for view in self._single.jobs()}
        names, absent = list(views) if chosen.narrowed and not chosen.names else [], []
        for wanted in chosen.names:
            found = _matching(wanted, views)
            names += found
            if not found:
                error = _absence(wanted, views)
                absent.append(BulkView(wanted, False, str(error)))
        return [name for name in dict.fromkeys(names) if chosen.fits(views[name])], absent


def _matching(wanted: str, names: Iterable[str]) -> list[str]:
    if WILDCARDS.isdisjoint(wanted):
        return [wanted] if wanted in names else []
    return [name for name in names if fnmatchcase(name, wanted)]


def _absence(wanted: str, names: Iterable[str]) -> NotFound:
    if WILDCARDS.isdisjoint(wanted):
        return JobNotFound(wanted, names)
    return NotFound(f"no job's name matches {wanted}")


async def _each(targets: Iterable[str], do: Callable[[str], Awaitable[str]]) -> list[BulkView]:
    """Do something to each, some side by side, and return what became of it in the order of the targets."""

    async def one(target: str) -> BulkView:
        try:
            return BulkView(target, True, await do(target))
        except MoontideError as error:
            return BulkView(target, False, str(error))

    waiting, results = list(targets), []
    while waiting:
        results += await asyncio.gather(*map(one, waiting[:TOGETHER]))
        del waiting[:TOGETHER]
    return results
