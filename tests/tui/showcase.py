"""An engine with something of everything to show, always the same, and the way to each screen of it.

The clock stands still at `START`, so that what the screens draw does not depend on when they are drawn.
"""

from __future__ import annotations

import os
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

from engine.api.address import socket_in
from engine.api.client import AsyncClient
from engine.api.server import ApiServer
from engine.views import (
    AuditView,
    ComingView,
    DiffView,
    EngineView,
    FileDiffView,
    GroupView,
    HoldView,
    LogLineView,
    NodeView,
    PluginView,
    RunSourceView,
    ScheduleView,
    ScreenView,
    SlotView,
)
from tests.engine.api.memory_engine import START, MemoryEngine, MemoryHistory, MemoryLedger, _run_view
from tests.tui.conftest import Seat, seated
from tui.app import Dashboard

CODE = """-- Marks toys that ran out.
local job = core.job {
  every = "2m",
  tags = { team = "shop" },
}

function job.run(run)
  local broken = nil .. 1
  core.log("hello", run.id, true)
  return job.OK, { toys = 3 }
end

return job
"""
TRACE = "report.lua:8: attempt to concatenate a nil value\n  report.lua:8: in job.run()"
DIFF = """--- report.lua
+++ report.lua
@@ -7,3 +7,3 @@
 function job.run(run)
-  local broken = 1
+  local broken = nil .. 1
"""
MINUTE = timedelta(minutes=1)
HOUR = timedelta(hours=1)
ENDS = ("COMPLETE", "ERROR", "COMPLETE", "TIMEOUT", "SKIPPED", "CRASHED", "CANCELLED")


class _Audit:
    def __init__(self) -> None:
        self.rows = [
            AuditView(2, START - MINUTE, "anna@web1", "socket", "deactivate", "report", True, False),
            AuditView(1, START - HOUR, "ben", "ssh", "reload", "", None, {"changed": ["report"]}),
        ]

    async def entries(self, **wanted: Any) -> list[AuditView]:
        return self.rows


class _Holds:
    def __init__(self) -> None:
        self.rows = [
            GroupView("night", False, "disk is full", "anna", START - HOUR, "", 2, ["report", "till"]),
            GroupView("shop", True, "", "", None, "", None, ["report"]),
        ]

    def groups(self) -> list[GroupView]:
        return self.rows

    def holds(self) -> list[HoldView]:
        return []


class _Nodes:
    def __init__(self) -> None:
        at: dict[str, Any] = {"started": START - HOUR, "heartbeat": START, "drain": False}
        other = "it is version 0.0.9, and the engine that leads is 0.1.0"
        slow = "its clock is 3.4 s behind the database's; set it right"
        lost = "it is not heard of any more; if it is gone for good, take it off with `moontide nodes forget`"
        self.rows = [
            NodeView("gpu1", "worker", "working", "gpu1", "/srv/gpu", 811, "0.0.9", [], 8, ["gpu", "eu"], 1,
                     silent_seconds=3.0, clock_ahead=-3.4, warnings=[slow, other], **at),
            NodeView("web1", "engine", "leading", "web1", "/srv/shop", 4242, "0.1.0",
                     ["/srv/shop/moontide.sock", "https://web1:7424"], 10, [], 1,
                     silent_seconds=1.2, clock_ahead=0.0, **at),
            NodeView("web2", "engine", "standby", "web2", "/srv/shop", 4243, "0.1.0", ["https://web2:7424"],
                     10, [], 0, silent_seconds=0.2, clock_ahead=0.1, **at),
            NodeView("web3", "engine", "silent", "web3", "/srv/shop", 4244, "0.1.0", [], 10, [], 0,
                     silent_seconds=4000.0, clock_ahead=0.0, warnings=[lost], **at),
        ]  # fmt: skip

    async def nodes(self) -> list[NodeView]:
        return self.rows

    async def drain(self, name: str, *, actor: str) -> list[NodeView]:
        self.rows = [replace(row, drain=row.drain or row.name == name) for row in self.rows]
        return [row for row in self.rows if row.name == name]

    async def forget(self, name: str, *, actor: str) -> None:
        self.rows = [row for row in self.rows if row.name != name]


class _Schedules:
    def __init__(self) -> None:
        common = (None, None, None, None, START - HOUR, "anna@web1", None, None, None)
        every = ("every 10m", True, START + MINUTE, 7, "toys", {"n": 1})
        once = ("once", False, START + HOUR, 0, "", None)
        self.rows = [
            ScheduleView(2, "report", "ACTIVE", *every, *common, 12, 0, None),
            ScheduleView(1, "till", "ACTIVE", *once, *common, None, 3, "paused"),
        ]

    async def find(self, **wanted: Any) -> list[ScheduleView]:
        return self.rows


class _Ledger(MemoryLedger):
    def __init__(self) -> None:
        #: How many newer slots stand above the others.
        self.more = 0

    async def slots(self, job: str | None, **wanted: Any) -> list[SlotView]:
        name, before = job or "report", [START - HOUR * hours for hours in range(5)]
        newer = [START + (2 + n) * MINUTE for n in reversed(range(self.more))]
        return [
            *(SlotView(name, due, due, 1, "planned") for due in newer),
            SlotView(name, START + MINUTE, START + MINUTE, 1, "planned"),
            SlotView(name, before[0], before[0], 1, "ran", run=7, status="COMPLETE", late_ms=3.0),
            SlotView(name, before[1], before[1], 1, "late", run=6, status="ERROR", late_ms=9000.0),
            SlotView(name, before[2], before[2], 2, "skipped", "paused", "paused by anna: disk is full"),
            SlotView(name, before[3], before[3], 4, "missed", "down", "no engine ran"),
        ]


class _History(MemoryHistory):
    async def source(self, run_id: int) -> RunSourceView:
        return RunSourceView(run_id, "report", "3", "report.lua", "ab" * 32, CODE)

    async def diff(self, run_id: int, other_id: int | None) -> DiffView:
        return DiffView(f"run {run_id}", "now", [FileDiffView("report.lua", DIFF)])


class Showcase(MemoryEngine):
    """Jobs in every state, runs with every end, and a line in every list."""

    def __init__(self, home: Path) -> None:
        super().__init__(home)
        self.audit, self.holds, self.schedules = _Audit(), _Holds(), _Schedules()
        self.ledger, self.history = _Ledger(), _History(self)
        self.nodes = _Nodes()
        self.plugin_views.append(
            PluginView("slack", "1.2.0", "moontide_slack", ["receiver"], [], "failed", "no token is set", [],
                       [ScreenView("Messages", "M", "moontide_slack:Messages")])
        )  # fmt: skip
        self._add_jobs()
        self._add_runs()

    def status(self) -> EngineView:
        return replace(super().status(), home="/srv/shop", jobs_folder="/srv/shop/jobs", alerts=2, queued=1)

    def _add_jobs(self) -> None:
        facts: dict[str, dict[str, Any]] = {
            "report": {"status": "INACTIVE", "active": False, "reason": "run 6 ended ERROR", "error": TRACE},
            "admin/cleanup": {
                "status": "WAITING",
                "schedule": "cron 0 3 * * * (Europe/Berlin)",
                "next_run": START + HOUR,
            },
            "admin/rotate": {"status": "SLEEPING", "next_run": START + 20 * HOUR},
            "notes/digest": {"status": "STOPPED", "next_run": None, "reason": "it returned STOP"},
            "notes/old": {"status": "EXPIRED", "next_run": None},
            "setup": {"status": "ONCE DONE", "schedule": "once", "next_run": None},
            "till": {"status": "WAITING", "activity": "running", "next_run": START + MINUTE},
            "till/count": {"status": "WAITING", "activity": "queued"},
            "till/late": {"status": "WAITING", "next_run": START - 5 * MINUTE},
            "till/paused": {"status": "WAITING", "paused": "paused by anna: disk is full"},
            "torn": {"status": "INVALID", "next_run": None, "reason": "line 3: '=' expected near 'x'"},
            "unused": {"status": "DISABLED", "next_run": None, "reason": "group night is disabled"},
        }
        for name, given in facts.items():
            self.add(
                name, CODE, description=f"What {name} does", tags={"team": "shop"}, groups=["night"], **given
            )
        self.add("report", CODE, **(facts["report"] | self._of_report()))
        self.alerts.add(3, "report", run=6, count=4, since=START - 3 * HOUR, last=START - HOUR)
        known = {"acked": START - MINUTE, "acked_by": "anna", "note": "disk ordered"}
        self.alerts.add(2, "till/late", kind="late", reason="due for 5m and not started", **known)
        self.views["report"] = replace(self.views["report"], alerts=[self.alerts.views[3]])

    def _of_report(self) -> dict[str, Any]:
        return {
            "description": "Mark toys that ran out",
            "tags": {"team": "shop"},
            "groups": ["night", "shop"],
            "settings": {"every": 120.0, "cron": None, "tags": {"team": "shop"}, "timeout": 60.0},
            "origins": {"every": "operator", "tags": "file"},
            "replaced": {"every": "5m"},
            "permissions": "declared",
            "allow": {"log": True},
            "next_run": None,
        }

    def _add_runs(self) -> None:
        for number in range(1, 22):
            job, status = ("report", "till", "admin/cleanup")[number % 3], ENDS[number % len(ENDS)]
            self._add_run(number, job, status)
        self._add_run(22, "till", "RUNNING", finished=None, duration_ms=None)
        self._add_run(23, "till/count", "QUEUED", started=None, finished=None, duration_ms=None, position=1,
                      waits_for="a place in the pool")  # fmt: skip

    def _add_run(self, number: int, job: str, status: str, **fields: Any) -> None:
        started = START - (24 - number) * timedelta(minutes=7)
        failed = status in ("ERROR", "CRASHED")
        common: dict[str, Any] = {
            "status": status,
            "trigger": "schedule" if number % 2 else "manual",
            "due": started,
            "started": started,
            "finished": started + timedelta(seconds=number),
            "duration_ms": number * 1000.0,
            "error": TRACE if failed else None,
            "result": None if failed else {"toys": number},
            "source_hash": "ab" * 32,
            "cpu_ms": 12.0,
            "peak_memory_bytes": 2_100_000,
            "version": "3",
        }
        self.all_runs[number] = replace(_run_view(number, job, {"n": number}, 0), **(common | fields))
        levels = ("debug", "info", "warn", "error")
        self.logs[number] = [
            LogLineView(line + 1, started, levels[line % 4], f"line {line + 1} of run {number}")
            for line in range(30)
        ]
        if job in self.views:
            given = {"last_run": started, "last_status": status, "last_run_id": number}
            self.views[job] = replace(self.views[job], **given)

    def coming(self, *, job: str | None = None, **wanted: Any) -> list[ComingView]:
        due = [
            (view.next_run, view.name) for view in self.jobs() if view.next_run and job in (None, view.name)
        ]
        return [ComingView(name, at, ["the last date"] * (name == "till")) for at, name in sorted(due)]


async def _job_tab(seat: Seat, key: str) -> None:
    await seat.press("slash", *"job:report", "enter", "enter", key)


async def _run_tab(seat: Seat, key: str) -> None:
    await seat.press("h")
    await seat.reads("till/count")
    await seat.press("down", "down", "down", "down", "enter", key)


async def _editor(seat: Seat) -> None:
    await seat.press("slash", *"job:report", "enter", "e")


def _press(*keys: str) -> Callable[[Seat], Awaitable[None]]:
    return lambda seat: seat.press(*keys)


#: Each screen: the way to it from the list of jobs, and what stands on it once all of it is there.
TOUR: dict[str, tuple[Callable[[Seat], Awaitable[None]], tuple[str, ...]]] = {
    "jobs": (_press(), ("till/paused", "✓")),
    "jobs-filter": (_press("slash", *"till"), ("till/late",)),
    "jobs-none": (_press("slash", *"nothing"), ("No job matches",)),
    "job-overview": (lambda seat: _job_tab(seat, "1"), ("run 6 ended ERROR",)),
    "job-runs": (lambda seat: _job_tab(seat, "2"), ("STARTED",)),
    "job-code": (lambda seat: _job_tab(seat, "3"), ("return job",)),
    "job-settings": (lambda seat: _job_tab(seat, "4"), ("operator",)),
    "job-why": (lambda seat: _job_tab(seat, "5"), ("missed",)),
    "job-state": (lambda seat: _job_tab(seat, "6"), ("report",)),
    "job-charts": (lambda seat: _job_tab(seat, "7"), ("report",)),
    "runs": (_press("h"), ("till/count",)),
    "run-log": (lambda seat: _run_tab(seat, "1"), ("line 30",)),
    "run-values": (lambda seat: _run_tab(seat, "2"), ("trigger",)),
    "run-code": (lambda seat: _run_tab(seat, "3"), ("return job",)),
    "run-diff": (lambda seat: _run_tab(seat, "4"), ("local broken = 1",)),
    "coming": (_press("u"), ("the last date",)),
    "alerts": (_press("A"), ("failing",)),
    "groups": (_press("b"), ("night",)),
    "schedules": (_press("c"), ("every 10m",)),
    "audit": (_press("a"), ("deactivate",)),
    "charts-timeline": (_press("C"), ("till",)),
    "charts-failures": (_press("C", "2"), ("failures",)),
    "why": (_press("w"), ("missed",)),
    "library": (_press("L"), ("lib.money",)),
    "plugins": (_press("P"), ("slack",)),
    "settings": (_press("comma"), ("pool.size",)),
    "engine": (_press("i"), ("seccomp",)),
    "nodes": (_press("W"), ("gpu1", "standby")),
    "node-drain": (lambda seat: _drain(seat), ("Cancel",)),
    "help": (_press("question_mark"), ("Run now",)),
    "delete": (_press("slash", *"job:report", "enter", "d"), ("Cancel",)),
    "new": (_press("n"), ("Cancel",)),
    "reload": (_press("ctrl+r"), ("Cancel",)),
    "palette": (_press("ctrl+p"), ("Search",)),
    "form": (lambda seat: seat.press("slash", *"job:report", "enter", "o"), ("every",)),
    "editor": (_editor, ("return job",)),
    "editor-find": (lambda seat: _find_in_editor(seat), ("return job",)),
}


async def _drain(seat: Seat) -> None:
    await seat.press("W")
    await seat.reads("standby")
    await seat.press("down", "d")


async def _find_in_editor(seat: Seat) -> None:
    await _editor(seat)
    await seat.reads("return job")
    await seat.press("ctrl+f", *"job")


@contextmanager
def zone_of(name: str) -> Iterator[None]:
    """Let this process show times in a time zone."""
    before = os.environ.get("TZ")
    os.environ["TZ"] = name
    time.tzset()
    try:
        yield
    finally:
        os.environ.pop("TZ")
        if before is not None:
            os.environ["TZ"] = before
        time.tzset()


@asynccontextmanager
async def showcase(home: Path) -> AsyncIterator[Showcase]:
    """Serve the API of the engine with something of everything."""
    engine = Showcase(home)
    server = ApiServer(engine, socket_path=socket_in(home))
    await server.start()
    try:
        with zone_of("UTC"):
            yield engine
    finally:
        await server.stop()


@asynccontextmanager
async def visit(
    home: Path,
    name: str,
    size: tuple[int, int],
    theme: str = "moon",
    made: type[Dashboard] = Dashboard,
    **options: Any,
) -> AsyncIterator[Seat]:
    """Open the dashboard anew and go to a screen of the tour.

    Args:
        made: the class of the dashboard, which is made with these options.
    """
    app = made(AsyncClient(socket_in(home), actor="anna@web1"), clock=lambda: START, **options)
    way, words = TOUR[name]
    async with seated(app, size) as seat:
        app.theme = theme
        await seat.reads("till/paused")
        await way(seat)
        await seat.reads(*words)
        yield seat
