"""Whatever happens, in whatever order, the engine does what the model says (see `reference`)."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import tempfile
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import asdict, fields
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from engine.times.clock import ManualClock
from moontide import Outcome, Returned, RunStatus
from tests.engine.conftest import until
from tests.engine.model.driven import DrivenEngine, Seen, SeenJob, SeenRun
from tests.engine.model.files import File, Hold
from tests.engine.model.reference import RETRY_DELAY, End, Job, Reference, Run

START = datetime(2026, 3, 2, 12, 0, 30, tzinfo=UTC)
POOL = 2
NAMES = st.sampled_from(["a", "b", "c"])
GROUPS = st.sampled_from([(), (), ("g",), ("h",), ("g", "h")])

#: Runs at once of the jobs of a group, and of those with a tag.
GROUP_LIMITS = {"g": 1}
TAG_LIMITS = {"t": 1}
TAGS = st.sampled_from([(), (), ("t",), ("u",)])

#: Homes lie in memory: what a disk does is not in question here.
MEMORY = "/dev/shm"

#: Always the same steps, as a part of all tests.
SHORT = settings(
    max_examples=8,
    stateful_step_count=25,
    deadline=None,
    derandomize=True,
    database=None,
    phases=[Phase.generate],
    suppress_health_check=list(HealthCheck),
)

#: Other steps each time, about ten thousand.
LONG = settings(
    SHORT, max_examples=200, stateful_step_count=50, derandomize=False, phases=[Phase.generate, Phase.shrink]
)

#: How long the engine may take to be where the model is.
PATIENCE_SECONDS = 10

FILES = st.one_of(
    st.builds(
        File,
        every=st.sampled_from([40, 90, 100_000]),
        run_once=st.sampled_from([False, False, True]),
        run_at_start=st.booleans(),
        run_skipped=st.booleans(),
        active=st.sampled_from([True, True, True, False]),
        on_error=st.sampled_from(["deactivate", "continue"]),
        overlap=st.sampled_from(["coalesce", "skip", "queue", "allow", "replace"]),
        priority=st.integers(0, 1),
        retries=st.sampled_from([0, 0, 1, 5]),
        groups=GROUPS,
        tags=TAGS,
    ),
    st.builds(File, cron=st.just(True), run_skipped=st.booleans(), retries=st.integers(0, 1), groups=GROUPS),
    st.builds(File, every=st.just(90), dark=st.just(True), run_once=st.booleans(), groups=GROUPS),
    st.builds(File, at=st.just(START + timedelta(minutes=20)), run_skipped=st.booleans()),
    st.builds(File, retries=st.integers(0, 1)),
    st.just(File(bad=True)),
)

ENDS = st.sampled_from(
    [
        End("COMPLETE", "OK"),
        End("COMPLETE", "OK"),
        End("COMPLETE", "SLEEP"),
        End("COMPLETE", "STOP"),
        End("COMPLETE", "EXIT"),
        End("ERROR"),
        End("TIMEOUT"),
        End("CRASHED"),
        End("CRASHED"),
        End("ERROR", "RETRY", timedelta(seconds=7.5)),
    ]
)


#: Settings that an operator gives at run time, with values.
OVERRIDES = st.sampled_from(
    [
        ("every", 40),
        ("every", 90),
        ("priority", 1),
        ("overlap", "queue"),
        ("overlap", "skip"),
        ("on_error", "continue"),
        ("retries", 2),
        ("groups", ("h",)),
        ("groups", ()),
        ("tags", ("t",)),
    ]
)

UNTILS = st.sampled_from([None, 45, 200, 600])


def lua(file: File) -> str:
    """Return a job file with these settings."""
    if file.bad:
        return "local job = core.job {"
    asked = {key: value for key, value in asdict(file).items() if key not in ("bad", "cron", "at", "dark")}
    asked |= {"groups": list(file.groups) or None, "tags": list(file.tags) or None}
    asked |= {"blackout": "12:10-12:20"} if file.dark else {}
    asked |= {"cron": "*/5 * * * *"} if file.cron else {}
    asked |= {"at": file.at.isoformat()} if file.at else {}
    asked |= {"retry_delay": RETRY_DELAY.total_seconds(), "retry_backoff": 2, "retry_jitter": 0}
    words = ", ".join(f"{key} = {_literal(value)}" for key, value in asked.items() if value is not None)
    return f"local job = core.job {{ {words} }}\nfunction job.run(run) return job.OK end\nreturn job\n"


def _literal(value: object) -> str:
    text = json.dumps(value)
    return text.replace("[", "{").replace("]", "}") if isinstance(value, list) else text


def outcome(end: End) -> Outcome:
    """Return how an executor tells that a run ended so."""
    return Outcome(
        RunStatus(end.status),
        Returned(end.returned) if end.returned else None,
        retry_seconds=end.delay.total_seconds() if end.delay else None,
        error=None if end.status == "COMPLETE" else "boom",
    )


def expected(model: Reference) -> Seen:
    """Return what operators are to see."""
    jobs = {job.name: _seen_job(model, job) for job in model.jobs.values() if job.listed}
    runs: defaultdict[str, list[SeenRun]] = defaultdict(list)
    for run in model.runs:
        runs[run.job.name].append(SeenRun(run.status, run.trigger, run.attempt, run.due, run.returned))
    stored = {name: (_status(model.jobs[name]), job.active) for name, job in jobs.items()}
    return Seen(jobs, dict(runs), len(model.of("RUNNING")), stored)


def _seen_job(model: Reference, job: Job) -> SeenJob:
    waiting, running = model.of("QUEUED", job=job), model.of("RUNNING", job=job)
    activity = "running" if running else "queued" if waiting else "idle"
    status = "DISABLED" if model.disabled(job) else _status(job)
    return SeenJob(status, job.on, model.next_of(job), activity)


def _status(job: Job) -> str:
    return "INVALID" if job.bad else job.mode


def _differences(seen: Seen, wanted: Seen) -> Iterator[str]:
    for field in fields(Seen):
        one, other = getattr(seen, field.name), getattr(wanted, field.name)
        for key in sorted(one.keys() | other.keys()) if isinstance(one, dict) else ():
            if one.get(key) != other.get(key):
                yield f"{field.name} {key}: engine {one.get(key)}"
                yield f"{field.name} {key}: model  {other.get(key)}"
        if not isinstance(one, dict) and one != other:
            yield f"{field.name}: engine {one}, model {other}"


class EngineBesideModel(RuleBasedStateMachine):
    """Does the same to both, and compares."""

    def __init__(self) -> None:
        super().__init__()
        self._loop = asyncio.Runner()
        self._home = Path(
            tempfile.mkdtemp(prefix="moontide-model-", dir=MEMORY if os.path.isdir(MEMORY) else None)
        )
        self.clock = ManualClock(START)
        self.engine = DrivenEngine(self._home, self.clock, POOL, GROUP_LIMITS, TAG_LIMITS)
        self.model = Reference(START, POOL, GROUP_LIMITS, TAG_LIMITS)
        self._up = False

    @initialize(files=st.dictionaries(NAMES, FILES, min_size=1))
    def begin(self, files: dict[str, File]) -> None:
        for name, file in files.items():
            self._write(name, file)
        self._start()

    def teardown(self) -> None:
        if self._up:
            self._loop.run(self.engine.stop())
        self._loop.close()
        shutil.rmtree(self._home)

    # The folder

    @rule(name=NAMES, file=FILES)
    def write(self, name: str, file: File) -> None:
        self._write(name, file)

    @precondition(lambda self: self.model.disk)
    @rule(data=st.data())
    def delete(self, data: st.DataObject) -> None:
        name = data.draw(st.sampled_from(sorted(self.model.disk)))
        del self.model.disk[name]
        (self._home / "jobs" / f"{name}.lua").unlink()

    @rule()
    def reload(self) -> None:
        self.model.reload()
        self._loop.run(self.engine.reload())

    @rule(name=NAMES, file=FILES)
    def write_and_reload(self, name: str, file: File) -> None:
        self._write(name, file)
        self.reload()

    # The operator

    @precondition(lambda self: self._able())
    @rule(data=st.data())
    def run(self, data: st.DataObject) -> None:
        name = data.draw(st.sampled_from(self._able()))
        self.model.run(name)
        self._loop.run(self.engine.run(name))

    @precondition(lambda self: self._listed())
    @rule(data=st.data())
    def activate(self, data: st.DataObject) -> None:
        name = data.draw(st.sampled_from(self._listed()))
        self.model.activate(name)
        self._loop.run(self.engine.activate(name))

    @precondition(lambda self: self._listed())
    @rule(data=st.data())
    def deactivate(self, data: st.DataObject) -> None:
        name = data.draw(st.sampled_from(self._listed()))
        self.model.deactivate(name)
        self._loop.run(self.engine.deactivate(name))

    @precondition(lambda self: self._good())
    @rule(data=st.data(), override=OVERRIDES)
    def set(self, data: st.DataObject, override: tuple[str, Any]) -> None:
        name = data.draw(st.sampled_from(self._good()))
        self.model.set(name, *override)
        self._loop.run(self.engine.set(name, *override))

    @precondition(lambda self: self._overridden())
    @rule(data=st.data())
    def unset(self, data: st.DataObject) -> None:
        name = data.draw(st.sampled_from(self._overridden()))
        names = sorted(self.model.jobs[name].overrides)
        self.model.unset(name)
        self._loop.run(self.engine.unset(name, names))

    @precondition(lambda self: self._good())
    @rule(data=st.data(), seconds=st.sampled_from([61.37, 613.7]))
    def give_a_schedule(self, data: st.DataObject, seconds: float) -> None:
        name = data.draw(st.sampled_from(self._good()))
        number = self._loop.run(self.engine.give(name, {"every": seconds}))
        self.model.give(name, timedelta(seconds=seconds), number)

    @precondition(lambda self: self._good())
    @rule(data=st.data(), seconds=st.sampled_from([33.31, 331.3]))
    def give_a_single_run(self, data: st.DataObject, seconds: float) -> None:
        name = data.draw(st.sampled_from(self._good()))
        self._loop.run(self.engine.give(name, {"after": seconds}))
        self.model.give_single(name, self.model.now + timedelta(seconds=seconds))

    @precondition(lambda self: self.model.given)
    @rule(data=st.data())
    def take_a_schedule_back(self, data: st.DataObject) -> None:
        given = data.draw(st.sampled_from(self.model.given))
        self._loop.run(self.engine.take_back(given.number))
        self.model.take_back(given)

    @precondition(lambda self: self._groups())
    @rule(data=st.data())
    def disable_a_group(self, data: st.DataObject) -> None:
        self._hold(Hold("disabled", "group", data.draw(st.sampled_from(self._groups()))))

    @rule(data=st.data(), seconds=UNTILS)
    def pause(self, data: st.DataObject, seconds: int | None) -> None:
        targets = [("engine", ""), *(("group", name) for name in self._groups())]
        targets += [("job", name) for name in self._listed()]
        until = None if seconds is None else self.model.now + timedelta(seconds=seconds)
        self._hold(Hold("paused", *data.draw(st.sampled_from(targets)), until))

    @precondition(lambda self: self.model.holds)
    @rule(data=st.data())
    def let_go(self, data: st.DataObject) -> None:
        hold = data.draw(st.sampled_from(list(self.model.holds.values())))
        self.model.lift(hold)
        self._loop.run(self.engine.lift(hold))

    @precondition(lambda self: self.model.of("PLANNED", "QUEUED", "RUNNING"))
    @rule(data=st.data())
    def cancel(self, data: st.DataObject) -> None:
        run = data.draw(st.sampled_from(self.model.of("PLANNED", "QUEUED", "RUNNING")))
        self._loop.run(self.engine.cancel(*self._number(run)))
        self.model.cancel(run)

    # Runs and time

    @precondition(lambda self: self.model.of("RUNNING"))
    @rule(data=st.data(), end=ENDS)
    def finish(self, data: st.DataObject, end: End) -> None:
        run = data.draw(st.sampled_from(self.model.of("RUNNING")))
        self._loop.run(self.engine.finish(*self._number(run), outcome(end)))
        self.model.finish(run, end)

    @rule(seconds=st.integers(1, 200))
    def time_passes(self, seconds: int) -> None:
        target = self.model.now + timedelta(seconds=seconds)
        while (due := self.model.earliest()) is not None and due <= target:
            self._turn_clock(due)
            self.same()
        self._turn_clock(target)

    @precondition(lambda self: self.model.earliest())
    @rule()
    def the_next_time_comes(self) -> None:
        due = self.model.earliest()
        assert due is not None
        self._turn_clock(due)

    @rule(seconds=st.sampled_from([100, 700, 100_000]))
    def the_machine_sleeps(self, seconds: int) -> None:
        # Whether a planned run or a schedule's comes first after that is left open, so do not sleep so long.
        times = [run.due for run in self.model.of("PLANNED")] + [given.next for given in self.model.given]
        planned = min(times, default=None)
        target = self.model.now + timedelta(seconds=seconds)
        if (planned is None or target < planned) and not self.model.holds:
            self._turn_clock(target)

    # The engine

    @rule(down=st.sampled_from([0, 50, 700, 100_000]), crash=st.booleans())
    def restart(self, down: int, crash: bool) -> None:
        if not crash:
            self.model.stop()
        self._loop.run(self.engine.crash() if crash else self.engine.stop())
        self._up = False
        self.model.now = self.clock.advance(down)
        self._start()

    @invariant()
    def same(self) -> None:
        if self._up:
            self._loop.run(self._compare())

    # Both at once

    async def _compare(self) -> None:
        wanted = expected(self.model)

        async def reached() -> bool:
            return await self.engine.seen() == wanted

        try:
            await until(reached, PATIENCE_SECONDS)
        except TimeoutError:
            seen = await self.engine.seen()
            raise AssertionError("\n".join(_differences(seen, wanted))) from None

    def _start(self) -> None:
        self.model.start()
        self._loop.run(self.engine.start())
        self._up = True

    def _turn_clock(self, until: datetime) -> None:
        self.clock.advance((until - self.model.now).total_seconds())
        self.model.pass_time(until)

    def _write(self, name: str, file: File) -> None:
        self.model.disk[name] = file
        (self._home / "jobs" / f"{name}.lua").write_text(lua(file), "utf-8")

    def _listed(self) -> list[str]:
        return sorted(job.name for job in self.model.jobs.values() if job.listed)

    def _good(self) -> list[str]:
        return [name for name in self._listed() if not self.model.jobs[name].bad]

    def _able(self) -> list[str]:
        return [name for name in self._good() if not self.model.disabled(self.model.jobs[name])]

    def _overridden(self) -> list[str]:
        return [name for name in self._good() if self.model.jobs[name].overrides]

    def _groups(self) -> list[str]:
        """Return the groups that the engine knows of."""
        files = [self.model.jobs[name].file for name in self._good()]
        held = {target for _, scope, target in self.model.holds if scope == "group"}
        return sorted(held.union(*(file.groups for file in files if file is not None)))

    def _hold(self, hold: Hold) -> None:
        self.model.hold(hold)
        self._loop.run(self.engine.hold(hold))

    def _number(self, run: Run) -> tuple[str, int]:
        """Return by which job and number the engine knows a run."""
        of_job = [other for other in self.model.runs if other.job is run.job]
        return run.job.name, of_job.index(run)


TestEngineBesideModel = EngineBesideModel.TestCase
TestEngineBesideModel.settings = settings(LONG if os.environ.get("HYPOTHESIS_PROFILE") == "long" else SHORT)
