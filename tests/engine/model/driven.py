"""A whole engine in this process, on a clock and with runs that a test drives."""

from __future__ import annotations

import asyncio
import sqlite3
from collections import defaultdict
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from engine.rules.holds import HoldScope
from engine.runfilter import RunFilter
from engine.runs.cleanup import NAME as CLEANUP
from engine.service import Engine
from engine.settings import settings_from
from engine.states import RunStatus
from engine.times.clock import ManualClock
from engine.views import JobView, RunView, SlotView
from moontide import Outcome
from tests.engine.conftest import ACTOR
from tests.engine.model import scripted
from tests.engine.model.files import Hold
from tests.homebases import POSTGRESQL, USUAL, cut_off, make_homebase

MORE_THAN_ALL = 100_000


@dataclass(frozen=True)
class SeenJob:
    """What operators see of a job."""

    status: str
    active: bool
    next: datetime | None
    activity: str


@dataclass(frozen=True)
class SeenRun:
    """What operators see of a run."""

    status: str
    trigger: str
    attempt: int
    due: datetime
    returned: str | None


@dataclass(frozen=True)
class Seen:
    """All that operators see: jobs, runs of each job in the order in which they were made, and what goes on.

    Attributes:
        stored: what the database holds of the jobs that are listed: status and next due time.
        under_way: how many runs the executor has in hand.
    """

    jobs: dict[str, SeenJob]
    runs: dict[str, list[SeenRun]]
    under_way: int
    stored: dict[str, tuple[str, bool]]


class DrivenEngine:
    """Engines on one home, one after another."""

    def __init__(
        self,
        home: Path,
        clock: ManualClock,
        pool: int,
        group_limits: Mapping[str, int],
        tag_limits: Mapping[str, int],
    ) -> None:
        self.home = home
        self._base = make_homebase(USUAL, home)
        self._group_limits = dict(group_limits)
        self._tag_limits = dict(tag_limits)
        self._clock = clock
        self._pool = pool
        (home / "jobs").mkdir()
        (home / "plugins").mkdir()
        plugin = f"from {scripted.__name__} import moontide_executors\n"
        (home / "plugins/scripted.py").write_text(plugin, "utf-8")

    async def start(self) -> None:
        settings = settings_from(
            {
                "database": self._base.url,
                "executor": scripted.NAME,
                "plugins_dir": "plugins",
                "pool": {"size": self._pool},
                "limits": {"groups": self._group_limits, "tags": self._tag_limits},
                "engine": {"stop_after": "1ms"},
                # The engine's own job shall not take part.
                "retention": {"every": "36500d"},
            }
        )
        self._engine = Engine(settings, home=self.home, clock=self._clock)
        await self._engine.start()

    async def stop(self) -> None:
        await self._engine.stop()

    async def crash(self) -> None:
        """Leave of the engine what SIGKILL would: what it has committed until now, and nothing else."""
        if self._base.kind == POSTGRESQL:
            with cut_off(self._base):
                await self._engine.stop()
        else:
            await self._crash_on_file()

    async def _crash_on_file(self) -> None:
        database, kept = self.home / "moontide.db", self.home / "kept.db"
        with sqlite3.connect(database) as source, sqlite3.connect(kept) as copy:
            source.backup(copy)
        source.close()
        copy.close()
        await self._engine.stop()
        for rest in self.home.glob("moontide.db*"):
            rest.unlink()
        kept.rename(database)

    async def reload(self) -> None:
        await self._engine.desk.reload(actor=ACTOR)

    async def run(self, job: str) -> None:
        await self._engine.desk.run_job(job, actor=ACTOR)

    async def cancel(self, job: str, number: int) -> None:
        await self._engine.desk.cancel((await self._run(job, number)).id, actor=ACTOR)

    async def activate(self, job: str) -> None:
        await self._engine.desk.activate(job, actor=ACTOR)

    async def deactivate(self, job: str) -> None:
        await self._engine.desk.deactivate(job, actor=ACTOR)

    async def set(self, job: str, setting: str, value: Any) -> None:
        given = list(value) if isinstance(value, tuple) else value
        await self._engine.desk.overrides.set(job, {setting: given}, {}, actor=ACTOR)

    async def unset(self, job: str, settings: Collection[str]) -> None:
        await self._engine.desk.overrides.unset(job, settings, actor=ACTOR)

    async def give(self, job: str, options: Mapping[str, Any]) -> int:
        """Give a job a schedule, and return its number."""
        return (await self._engine.desk.schedules.add(job, options, actor=ACTOR)).id

    async def take_back(self, schedule: int) -> None:
        await self._engine.desk.schedules.remove(schedule, actor=ACTOR)

    async def hold(self, hold: Hold) -> None:
        holds = self._engine.desk.holds
        if hold.kind == "disabled":
            await holds.disable_group(hold.target, actor=ACTOR)
        else:
            await holds.pause(HoldScope(hold.scope), hold.target, until=hold.until, actor=ACTOR)

    async def lift(self, hold: Hold) -> None:
        holds = self._engine.desk.holds
        if hold.kind == "disabled":
            await holds.enable_group(hold.target, actor=ACTOR)
        else:
            await holds.resume(HoldScope(hold.scope), hold.target, actor=ACTOR)

    async def finish(self, job: str, number: int, outcome: Outcome) -> None:
        """Let the code of a run end, the job's first one being number 0."""
        scripted.EXECUTOR.under_way.pop((await self._run(job, number)).id).set_result(outcome)

    def job(self, name: str) -> JobView:
        """Return a job as operators see it at this moment."""
        return self._engine.desk.job(name)

    def under_way(self) -> int:
        """Return how many runs the executor has in hand."""
        return len(scripted.EXECUTOR.under_way)

    async def slots(self, job: str) -> list[SlotView]:
        """Return what became of a job's planned times without a run."""
        return await self._engine.desk.ledger.slots(job)

    async def seen(self) -> Seen:
        """Return what operators see, once all that was to be written is."""
        await self._engine.desk.note("look", "", actor=ACTOR)
        desk = self._engine.desk
        jobs = {
            job.name: SeenJob(job.status, job.active, job.next_run, job.activity)
            for job in desk.jobs()
            if job.name != CLEANUP
        }
        runs: defaultdict[str, list[SeenRun]] = defaultdict(list)
        for run in await self._runs():
            runs[run.job].append(SeenRun(run.status, run.trigger, run.attempt, run.due, run.returned))
        stored = await asyncio.to_thread(self._stored)
        return Seen(jobs, dict(runs), self.under_way(), stored)

    async def _run(self, job: str, number: int) -> RunView:
        return [run for run in await self._runs() if run.job == job][number]

    async def _runs(self) -> list[RunView]:
        wanted = RunFilter(statuses=tuple(RunStatus))
        found = await self._engine.desk.history.find(wanted, before=None, limit=MORE_THAN_ALL)
        return sorted(found, key=lambda run: run.id)

    def _stored(self) -> dict[str, tuple[str, bool]]:
        rows = self._base.rows("SELECT name, status, active FROM job WHERE present")
        return {name: (status, bool(active)) for name, status, active in rows if name != CLEANUP}
