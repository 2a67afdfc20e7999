"""An engine that keeps everything in memory: what the API's and the command line's tests serve.

A job's text decides how its runs go: it holds words such as "fail", "forever" or "lines=20".
"""

from __future__ import annotations

import asyncio
import hashlib
import re
from collections import Counter
from collections.abc import Collection, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

from engine.desks.bulkdesk import BulkDesk
from engine.errors import JobFileError, JobNotFound, NotFound, Refused, RunNotFound, StoreUnavailable
from engine.events import Events, RunFinished, RunLogged, RunQueued, RunStarted
from engine.rules.holds import HoldScope
from engine.runfilter import RunFilter
from engine.states import FINAL, RunStatus
from engine.views import (
    AlertView,
    ComingView,
    DraftView,
    EngineSettingView,
    EngineView,
    FailuresView,
    HoldView,
    JobView,
    ListedJob,
    LogLineView,
    LuaClassView,
    LuaMemberView,
    ModuleView,
    PlannedChangeView,
    PluginView,
    ProblemView,
    ReloadPlanView,
    ReloadView,
    RunView,
    SettingView,
    SlotView,
    StateView,
    TimelineView,
    WhyView,
    listed,
)
from tests.plainruns import Plain

START = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)


class MemoryStates:
    """What jobs keep, by job and whether it stays for good."""

    def __init__(self, engine: MemoryEngine) -> None:
        self._engine = engine
        self._kept: dict[tuple[str, bool], StateView] = {}

    async def show(self, name: str, *, lasting: bool) -> StateView:
        self._engine.job(name)
        return self._kept.get((name, lasting), StateView(name, lasting))

    async def set(self, name: str, value: Any, *, lasting: bool, actor: str) -> StateView:
        self._engine.actors.append(actor)
        self._kept[name, lasting] = StateView(name, lasting, value, START)
        return await self.show(name, lasting=lasting)

    async def clear(self, name: str, *, lasting: bool, actor: str) -> StateView:
        self._engine.actors.append(actor)
        self._kept.pop((name, lasting), None)
        return await self.show(name, lasting=lasting)


class MemoryOverrides:
    """What operators set takes its place in the view of the job; it is not checked."""

    def __init__(self, engine: MemoryEngine) -> None:
        self._engine = engine

    async def set(
        self, name: str, values: Mapping[str, Any], typed: Mapping[str, str], *, actor: str
    ) -> JobView:
        view, given = self._engine.job(name), {**values, **typed}
        origins = view.origins | dict.fromkeys(given, "operator")
        return self._put(replace(view, settings=view.settings | given, origins=origins), actor)

    async def unset(self, name: str, settings: Collection[str], *, actor: str) -> JobView:
        view = self._engine.job(name)
        left = {one: origin for one, origin in view.origins.items() if settings and one not in settings}
        return self._put(replace(view, origins=left), actor)

    def _put(self, view: JobView, actor: str) -> JobView:
        self._engine.actors.append(actor)
        self._engine.views[view.name] = view
        return view


class MemoryReloads:
    """A reload would bring one job, and change the job that is asked about."""

    def __init__(self, engine: MemoryEngine) -> None:
        self._engine = engine

    async def plan(self, name: str | None = None, *, override: bool = False) -> ReloadPlanView:
        comes = PlannedChangeView("new", "added", [], "", "WAITING", "every 1m", None, START)
        changes = [comes] if name is None else [self._changed(self._engine.job(name))]
        return ReloadPlanView(changes, {"torn": "line 3: broken"}, len(self._engine.views) - 1)

    def _changed(self, job: JobView) -> PlannedChangeView:
        return PlannedChangeView(
            job.name, "changed", ["every"], job.status, job.status, "", job.next_run, None
        )


class MemoryOverview:
    """One setting, and one module that a job uses."""

    def __init__(self) -> None:
        self.rows = [
            EngineSettingView("pool.size", "5", "moontide.toml", "10", "Runs at once.", "0 or more", "")
        ]
        self.modules = [ModuleView("lib.money", "lib/money.lua", "ab" * 32, 12, START, ["report"], [])]

    def settings(self) -> list[EngineSettingView]:
        return self.rows

    async def library(self) -> list[ModuleView]:
        return self.modules

    async def module_source(self, name: str) -> tuple[str, str]:
        if name != "lib.money":
            raise JobFileError(f"{name!r} cannot be required")
        return "return {}", _hash("return {}")


class MemoryLedger:
    """Every time was skipped."""

    async def slots(
        self,
        job: str | None,
        *,
        since: datetime | None = None,
        until: datetime | None = None,
        limit: int = 50,
    ) -> list[SlotView]:
        return [
            SlotView(job or "report", since or START, until or START, 2, "skipped", "paused", "paused", None)
        ][:limit]

    async def why(self, job: str, *, at: datetime, within_seconds: float = 60.0) -> WhyView:
        found = await self.slots(job, since=at, until=at)
        return WhyView(job, at, at + timedelta(seconds=within_seconds), found)


class MemoryDrafts:
    """A text is good if it is a job's, and has no settings to change."""

    def settings(self) -> list[SettingView]:
        return [SettingView("every", None, "Runs the job again and again.", '"2m"')]

    def classes(self) -> list[LuaClassView]:
        uuid = LuaMemberView("uuid", "function", "Return a new random identifier.", False, [], ["string"])
        return [LuaClassView("core", "", [uuid])]

    async def draft(
        self, name: str, text: str, changes: Mapping[str, Any], typed: Mapping[str, str]
    ) -> DraftView:
        if ".." in name or changes:
            raise JobFileError(f"{name!r} has no settings to change")
        return DraftView(text, [], "", None, None, {"every": 60.0}, "every 1m", [ComingView(name, START)])


class MemoryAlerts:
    """Alerts that tests put there."""

    def __init__(self) -> None:
        self.views: dict[int, AlertView] = {}
        self.actors: list[str] = []

    def add(self, alert_id: int, job: str, **fields: Any) -> AlertView:
        """Put an alert on the list, with fields of its view."""
        named: dict[str, Any] = dict.fromkeys(AlertView.__slots__)
        given = {"id": alert_id, "job": job, "kind": "failing", "reason": "run 1 ended ERROR: no connection"}
        times = {"since": START, "last": START, "count": 1}
        self.views[alert_id] = AlertView(**(named | given | times | fields))
        return self.views[alert_id]

    async def list(
        self, *, job: str | None = None, ended: bool = False, before: int | None = None, limit: int = 50
    ) -> list[AlertView]:
        found = [
            view
            for view in sorted(self.views.values(), key=lambda view: -view.id)
            if job in (None, view.job) and (ended or view.ended is None) and (not before or view.id < before)
        ]
        return found[:limit]

    async def ack(self, alert_id: int, *, note: str, actor: str) -> AlertView:
        if alert_id not in self.views:
            raise NotFound(f"no alert {alert_id}; `moontide alerts --all` lists them")
        if self.views[alert_id].ended is not None:
            raise Refused(f"alert {alert_id} is over already; there is nothing to acknowledge")
        self.actors.append(actor)
        who = actor.partition(" via ")[0]
        self.views[alert_id] = replace(self.views[alert_id], acked=START, acked_by=who, note=note)
        return self.views[alert_id]


class MemoryPauses:
    """Notes pauses in the views of jobs."""

    def __init__(self, engine: MemoryEngine) -> None:
        self._engine = engine

    async def pause(
        self, scope: HoldScope, target: str, *, until: datetime | None, note: str = "", actor: str
    ) -> HoldView:
        view = HoldView("paused", scope, target, note, actor, START, until, f"paused by {actor}: {note}")
        self._engine.views[target] = replace(self._engine.job(target), paused=view.words, paused_until=until)
        return view

    async def resume(self, scope: HoldScope, target: str, *, note: str = "", actor: str) -> HoldView:
        self._engine.views[target] = replace(self._engine.job(target), paused="", paused_until=None)
        return HoldView("paused", scope, target, note, actor, START, None, "resumed")


class MemoryEngine:
    """Jobs are texts, and a run is a task that reads them."""

    def __init__(self, home: Path = Path("/srv/moontide")) -> None:
        self.events = Events()
        self.drafts = MemoryDrafts()
        self.states = MemoryStates(self)
        self.overrides = MemoryOverrides(self)
        self.ledger = MemoryLedger()
        self.reloads = MemoryReloads(self)
        self.overview = MemoryOverview()
        self.home = home
        self.history = MemoryHistory(self)
        self.texts: dict[str, str] = {}
        self.views: dict[str, JobView] = {}
        self.all_runs: dict[int, RunView] = {}
        self.logs: dict[int, list[LogLineView]] = {}
        self.tasks: dict[int, asyncio.Task[None]] = {}
        self.actors: list[str] = []
        self.notes: list[tuple[str, str]] = []
        self.plugin_views = [PluginView("log", "0.1.0", "plugins.log", ["core"], ["log"], "loaded", "")]
        self.store_fails = False
        self.alerts = MemoryAlerts()
        self.bulk = BulkDesk(self, MemoryPauses(self), lambda job: [])

    def add(self, name: str, text: str = "", **fields: Any) -> JobView:
        """Put a job on the list, with fields of its view."""
        self.texts[name] = text
        self.views[name] = replace(_job_view(name, text), **fields)
        return self.views[name]

    def status(self) -> EngineView:
        return EngineView(
            state="Running",
            version="0.1.0",
            pid=4242,
            home=str(self.home),
            jobs_folder=str(self.home / "jobs"),
            database="sqlite",
            session=1,
            started=START,
            now=START,
            jobs=len(self.views),
            jobs_by_status={"WAITING": len(self.views)},
            running=sum(run.status == "RUNNING" for run in self.all_runs.values()),
            queued=0,
            pool_size=10,
            workers=2,
            runs_total=len(self.all_runs),
            journal="ok",
            walls={"seccomp": "on"},
        )

    def coming(self, *, job: str | None, since: datetime | None, count: int) -> list[ComingView]:
        views = self.jobs() if job is None else [self.job(job)]
        due = [ComingView(view.name, view.next_run, ["the last date"]) for view in views if view.next_run]
        return [view for view in due if since is None or view.due >= since][:count]

    def metrics(self) -> bytes:
        return b"moontide_runs_running 0.0\n"

    def jobs(self) -> list[JobView]:
        return sorted(self.views.values(), key=lambda view: view.name)

    def listed_jobs(self) -> list[ListedJob]:
        return [listed(view) for view in self.jobs()]

    def job(self, name: str) -> JobView:
        if name not in self.views:
            raise JobNotFound(name, self.views)
        return self.views[name]

    async def job_source(self, name: str) -> tuple[str, str]:
        self.job(name)
        return self.texts[name], _hash(self.texts[name])

    async def write_job(
        self, name: str, text: str, *, expected_hash: str | None, create: bool, actor: str
    ) -> JobView:
        if ".." in name:
            raise JobFileError(f"{name!r} cannot be a job's name")
        if create and name in self.texts:
            raise Refused(f"{name} exists already")
        if not create and expected_hash not in (None, _hash(self.texts[self.job(name).name])):
            raise Refused(f"{name} was changed by somebody else; load it again")
        self.actors.append(actor)
        return self.add(name, text)

    async def delete_job(self, name: str, *, actor: str) -> None:
        self.job(name)
        self.actors.append(actor)
        del self.texts[name], self.views[name]

    async def check(self, paths: list[str] | None) -> list[ProblemView]:
        wanted = [name for name in self.texts if paths is None or f"{name}.lua" in paths]
        return [ProblemView(f"{name}.lua", 3, "broken") for name in wanted if "broken" in self.texts[name]]

    async def run_job(self, name: str, *, data: Any = None, user_id: int = 0, actor: str) -> RunView:
        if self.store_fails:
            raise StoreUnavailable("the disk is full; free some space")
        job = self.job(name)
        if job.status == "INVALID":
            raise Refused(f"{name} cannot run: {job.reason}")
        self.actors.append(actor)
        run = _run_view(len(self.all_runs) + 1, name, data, user_id)
        self.all_runs[run.id], self.logs[run.id] = run, []
        self.events.publish(RunQueued(START, run.id, name, "manual"))
        self.tasks[run.id] = asyncio.ensure_future(self._carry_out(run.id, self.texts[name]))
        return run

    async def cancel(self, run_id: int, *, now: bool = False, actor: str) -> RunView:
        run = await self.run(run_id)
        if run.status in FINAL:
            raise Refused(f"run {run_id} has ended already")
        self.actors.append(actor)
        self.tasks[run_id].cancel()
        return self._finish(run_id, RunStatus.CANCELLED, None)

    async def activate(self, name: str, *, actor: str) -> JobView:
        return self._switch(name, True, actor)

    async def deactivate(self, name: str, *, actor: str) -> JobView:
        return self._switch(name, False, actor)

    def _switch(self, name: str, active: bool, actor: str) -> JobView:
        self.actors.append(actor)
        status = "WAITING" if active else "INACTIVE"
        self.views[name] = replace(self.job(name), active=active, status=status, reason=f"by {actor}")
        return self.views[name]

    async def reload(self, name: str | None = None, *, override: bool = False, actor: str) -> ReloadView:
        if name is not None:
            self.job(name)
        self.actors.append(actor)
        dropped = {one: view.settings for one, view in self.views.items() if view.origins} if override else {}
        return ReloadView([], [name] if name else [], [], {}, [], len(self.views), 1.5, dropped=dropped)

    async def run(self, run_id: int) -> RunView:
        if run_id not in self.all_runs:
            raise RunNotFound(run_id)
        return self.all_runs[run_id]

    async def log(self, run_id: int, *, after: int = 0, limit: int = 1000) -> list[LogLineView]:
        await self.run(run_id)
        return [line for line in self.logs[run_id] if line.number > after][:limit]

    async def note(self, action: str, target: str, *, actor: str) -> None:
        self.actors.append(actor)
        self.notes.append((action, target))

    def plugins(self) -> list[PluginView]:
        return self.plugin_views

    async def _carry_out(self, run_id: int, text: str) -> None:
        run = self.all_runs[run_id]
        self.all_runs[run_id] = replace(run, status="RUNNING", started=START)
        self.events.publish(RunStarted(START, run_id, run.job, "manual", 1))
        for number in range(1, int((re.findall(r"lines=(\d+)", text) or ["1"])[0]) + 1):
            self.write_log(run_id, number, f"line {number}")
            await asyncio.sleep(0)
        if "forever" in text:
            await asyncio.Event().wait()
        failed = "fail" in text
        self._finish(
            run_id, RunStatus.ERROR if failed else RunStatus.COMPLETE, "it broke" if failed else None
        )

    def write_log(self, run_id: int, number: int, text: str) -> None:
        """Let a run write a line."""
        self.logs[run_id].append(LogLineView(number, START, "info", text))
        job = self.all_runs[run_id].job
        self.events.publish(RunLogged(START, run_id, job, ((number, "info", text),)))

    def _finish(self, run_id: int, status: RunStatus, error: str | None) -> RunView:
        returned = "OK" if status == RunStatus.COMPLETE else None
        run = replace(
            self.all_runs[run_id],
            status=status.value,
            returned=returned,
            finished=START,
            duration_ms=12.5,
            error=error,
            result={"sold": 3} if returned else None,
        )
        self.all_runs[run_id] = run
        self.views[run.job] = replace(self.views[run.job], last_run_id=run_id, last_status=status.value)
        self.events.publish(RunFinished(START, run_id, run.job, status.value, returned, 12.5, error))
        return run


class MemoryHistory:
    """Looks among the runs in memory; it knows job (also a pattern), status and words."""

    def __init__(self, engine: MemoryEngine) -> None:
        self._engine = engine

    async def find(self, wanted: RunFilter, *, before: int | None = None, limit: int = 50) -> list[RunView]:
        found = [run for run in reversed(self._engine.all_runs.values()) if self._fits(run, wanted)]
        return [run for run in found if not before or run.id < before][:limit]

    async def counts(self, wanted: RunFilter) -> dict[str, int]:
        return dict(Counter(run.status for run in await self.find(wanted, limit=10_000)))

    async def timeline(
        self, since: datetime, until: datetime, *, steps: int, jobs: int = 500
    ) -> TimelineView:
        return Plain(self._engine.all_runs.values(), since, until, steps).timeline(START, jobs)

    async def failures(self, since: datetime, until: datetime, *, steps: int, jobs: int = 10) -> FailuresView:
        return Plain(self._engine.all_runs.values(), since, until, steps).failures(jobs)

    def _fits(self, run: RunView, wanted: RunFilter) -> bool:
        texts = [run.error or "", *(line.text for line in self._engine.logs[run.id])]
        return (
            (wanted.job is None or fnmatchcase(run.job, wanted.job))
            and (not wanted.statuses or run.status in wanted.statuses)
            and (wanted.text is None or any(wanted.text in text for text in texts))
        )


def _hash(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def _job_view(name: str, text: str) -> JobView:
    return JobView(
        name=name,
        path=f"jobs/{name}.lua",
        status="WAITING",
        reason="",
        active=True,
        activity="idle",
        schedule="every 2m",
        next_run=START,
        last_run=None,
        last_status=None,
        source_hash=_hash(text),
    )


def _run_view(run_id: int, job: str, data: Any, user_id: int) -> RunView:
    return RunView(
        id=run_id,
        job=job,
        status="QUEUED",
        returned=None,
        trigger="manual",
        attempt=1,
        due=START,
        started=None,
        finished=None,
        duration_ms=None,
        error=None,
        result=None,
        info=None,
        data=data,
        user_id=user_id,
    )


def filled(home: Path) -> MemoryEngine:
    """Return an engine with one job of each kind that the command line's tests need."""
    engine = MemoryEngine(home)
    engine.add("report", "lines=3", description="Mark toys that ran out")
    engine.add("admin/cleanup")
    engine.add("faulty", "fail")
    engine.add("endless", "forever")
    engine.add("chatty", "lines=2500")
    engine.alerts.add(1, "report", ended=START, lasted_seconds=60.0, end_reason="run 2 is COMPLETE")
    engine.alerts.add(2, "faulty", count=3)
    engine.add("torn", "broken", status="INVALID", reason="line 3: broken", next_run=None)
    return engine
