"""An engine under load, with a witness, what was asked of it, and the checker at the end."""

from __future__ import annotations

import json
import random
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from collections import deque
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from engine.api.address import socket_in
from engine.api.client import Client
from engine.errors import CommitUnknown, EngineUnreachable, MoontideError
from engine.states import FINAL, RunStatus
from tests.e2e.conftest import MOONTIDE, Home, Served
from tests.e2e.processes import until
from tests.faults import records as books
from tests.faults import witness as witnesses
from tests.faults.orders import Answer, Orders, Submission
from tests.faults.records import Records
from tests.faults.witness import Sighting, Witness
from tests.homebases import SQLITE
from tests.progress import Progress

#: How long the engine may take for anything on a machine that is busy with other things.
PATIENCE_SECONDS = 120.0

#: Between two submissions of one of those who ask.
_PAUSE_SECONDS = 0.02
#: The same, after one that nobody has taken.
_PAUSE_UNHEARD_SECONDS = 0.1
#: Runs of one of those who ask that have not ended. With more, a slow machine would only get further behind.
_MOST_OPEN = 50

_JOB = """
local witness = require("lib.witness")
local job = core.job {{ on_error = "continue", {settings} }}
function job.run(run)
  witness.tell("start", run)
  {body}
  witness.tell("end", run)
  return job.OK
end
return job
"""

#: Asked for by the load: what they do, how often they are tried again, and how long they may take.
ON_DEMAND = {
    "quick": ("", 0, "20s"),
    "slow": ("core.sleep(0.3)", 0, "20s"),
    "brief": ("core.sleep(0.1)", 0, "1s"),
    "flaky": ('if run.attempt == 1 then error("as it was to be expected") end', 1, "20s"),
}
SCHEDULED = 3
EVERY_SECONDS = 1.0

SETTINGS = """
pool.size = 20
engine.stop_after = "10s"
alerts.enabled = false
[network]
allow = ["127.0.0.1"]
"""


def job_file(body: str, settings: str = "") -> str:
    """Return a job that tells the witness what it does."""
    return _JOB.format(body=body, settings=settings)


@dataclass
class Scene:
    """One home folder, its engine in whichever life, and all who look at it.

    Attributes:
        recoveries: how long after each strike the engine served again, in seconds.
        most_open: runs of one of those who ask that have not ended.
        progress: tells how far all of it is.
    """

    home: Home
    witness: Witness
    orders: Orders
    chance: random.Random
    prefix: Sequence[str] = ()
    engine: Served | None = None
    recoveries: list[float] = field(default_factory=list)
    most_open: int = _MOST_OPEN
    progress: Progress = field(default_factory=Progress)
    _tokens: Iterator[int] = field(default_factory=lambda: iter(range(1, 10**9)))
    _lock: threading.Lock = field(default_factory=threading.Lock)

    @property
    def served(self) -> Served:
        """The engine that runs now."""
        assert self.engine is not None
        return self.engine

    @property
    def database(self) -> Path:
        """The engine's database."""
        return self.home.path / "moontide.db"

    def start(self) -> Served:
        """Start the engine; it may not be ready yet."""
        self.end()
        self.engine = self.home.start(prefix=self.prefix)
        return self.engine

    def begin(self) -> None:
        """Start the engine and wait until it serves."""
        self.start().wait_ready()

    def end(self) -> None:
        """Leave no engine behind."""
        if self.engine is not None:
            self.engine.end()

    def submit(self, client: Client, job: str) -> Submission:
        """Ask for a run, and note what was asked and what came back."""
        with self._lock:
            asked = Submission(f"order-{next(self._tokens)}", job)
        self.orders.note(asked)
        try:
            run = client.run_job(job, data={"token": asked.token})
        except (EngineUnreachable, CommitUnknown):
            return asked
        except MoontideError:
            answered = Submission(asked.token, job, Answer.REFUSED)
        else:
            answered = Submission(asked.token, job, Answer.ACCEPTED, run.id)
        self.orders.note(answered)
        return answered

    @contextmanager
    def load(self, jobs: Sequence[str] = tuple(ON_DEMAND), askers: int = 2) -> Iterator[None]:
        """Ask for runs of these jobs all the time until the block ends, also while nobody answers."""
        stopped = threading.Event()
        threads = [
            threading.Thread(target=self._ask, args=(stopped, random.Random(self.chance.random()), jobs))
            for _ in range(askers)
        ]
        for one in threads:
            one.start()
        try:
            yield
        finally:
            stopped.set()
            for one in threads:
                one.join(PATIENCE_SECONDS)

    def _ask(self, stopped: threading.Event, chance: random.Random, jobs: Sequence[str]) -> None:
        with Client(socket_in(self.home.path), actor="asker@here") as client:
            pause, unfinished = _PAUSE_SECONDS, deque[int]()
            while not stopped.wait(pause):
                if not _has_room(client, unfinished, self.most_open):
                    continue
                asked = self.submit(client, chance.choice(jobs))
                pause = _PAUSE_SECONDS if asked.answer is Answer.ACCEPTED else _PAUSE_UNHEARD_SECONDS
                if asked.run is not None:
                    unfinished.append(asked.run)

    def pass_time(self, seconds: float) -> None:
        """Let the load go on until a moment that chance has chosen."""
        moment = time.monotonic() + seconds
        until(lambda: time.monotonic() >= moment, seconds + PATIENCE_SECONDS)

    def serves(self, job: str = "quick") -> None:
        """Wait until a run of a job that is asked for now ends well, and note how long that took.

        Raises:
            AssertionError: it does not within `PATIENCE_SECONDS`.
        """
        began = time.monotonic()
        until(partial(self._carries_out, job), PATIENCE_SECONDS)
        self.recoveries.append(time.monotonic() - began)

    def _carries_out(self, job: str) -> bool:
        """Ask for one run and say whether it ended COMPLETE; any run that is asked for ends."""
        with Client(socket_in(self.home.path), actor="asker@here") as client, suppress(MoontideError):
            asked = self.submit(client, job)
            if asked.run is not None:
                return self.served.finished(asked.run, PATIENCE_SECONDS).status == "COMPLETE"
        return False

    def settle(self) -> None:
        """Wait until everything that was asked for has ended, its further attempts included."""
        self.progress.say("all that was asked for comes to its end")
        jobs = {asked.job for asked in self.orders.copied().submissions.values()}
        until(lambda: not self.records().busy(jobs), PATIENCE_SECONDS)

    def records(self) -> Records:
        """Return what the database says now."""
        return books.read(self.database)

    def seen(self) -> list[Sighting]:
        """Return what the witness was told so far."""
        return witnesses.read(self.witness.path)

    def conclude(self) -> Verdict:
        """Let all runs end, stop the engine in order, and let the checker judge."""
        self.settle()
        self.progress.say("the engine stops")
        self.served.stop()
        return self.check(self.database)

    def check(self, database: Path, *options: str) -> Verdict:
        """Let the checker, in its own process, judge a database."""
        self.progress.say("the checker judges")
        asked = self.witness.path.with_name("orders.json")
        self.orders.write(asked)
        return checked(asked, self.witness.path, database, *options)


def _has_room(client: Client, unfinished: deque[int], most_open: int) -> bool:
    """Forget runs that have ended, the oldest first; say whether another one may be asked for.

    An engine that does not answer is asked all the same.
    """
    while len(unfinished) >= most_open:
        try:
            status = client.run(unfinished[0]).status
        except MoontideError:
            return True
        if RunStatus(status) not in FINAL:
            return False
        unfinished.popleft()
    return True


@dataclass(frozen=True, slots=True)
class Verdict:
    """What the checker printed."""

    submissions: int
    runs: int
    starts: int
    times: int
    complaints: tuple[str, ...]

    def __str__(self) -> str:
        return (
            f"{self.submissions} asked for, {self.runs} runs, {self.starts} seen, {self.times} planned times"
        )


def checked(asked: Path, seen: Path, database: Path, *options: str) -> Verdict:
    """Start the checker and return what it says."""
    done = subprocess.run(
        [sys.executable, "-m", "tests.faults.checker", *options, str(asked), str(seen), str(database)],
        capture_output=True,
        text=True,
        cwd=Path(__file__).parent.parent.parent,
        timeout=PATIENCE_SECONDS,
    )
    assert done.returncode in (0, 1), done.stderr
    assert done.stdout, done.stderr
    told = json.loads(done.stdout)
    assert bool(told["complaints"]) == bool(done.returncode)
    return Verdict(**told | {"complaints": tuple(told["complaints"])})


@contextmanager
def opened(
    seed: int,
    *,
    settings: str = "",
    program: str = MOONTIDE,
    prefix: Sequence[str] = (),
    place: Path | None = None,
    schedule: str = f'every = "{EVERY_SECONDS:g}s"',
) -> Iterator[Scene]:
    """Give an engine that serves, with its jobs and a witness; whatever happens, nothing is left behind.

    Args:
        settings: more lines for moontide.toml.
        program: the command, `moontide` if it is not another build's.
        prefix: what comes before the command.
        schedule: of the scheduled jobs, by which they are due every `EVERY_SECONDS`.
        place: an empty folder for the engine's home, on whatever disk that is; a temporary one if None.
    """
    folder = Path(tempfile.mkdtemp(prefix="mf-"))
    try:
        with witnesses.watching(folder / "sightings") as witness:
            # The checker reads a file, also while the engine works, and most that strikes here strikes files;
            # engines on PostgreSQL are struck by `several` and `cluster`.
            home = Home((place or folder) / "h", program, database=SQLITE)
            home.start_seconds = PATIENCE_SECONDS
            home.settings(f"{SETTINGS}\n{settings}\n")
            scene = Scene(home, witness, furnish(home, witness, schedule), random.Random(seed), prefix)
            try:
                scene.begin()
                yield scene
            finally:
                scene.end()
                scene.progress.end()
    finally:
        shutil.rmtree(folder)


def furnish(home: Home, witness: Witness, schedule: str) -> Orders:
    """Put the jobs of the load and the scheduled ones into a home; return what is known of them."""
    home.write("lib/witness", witness.lua)
    orders = Orders()
    for name, (body, retries, timeout) in ON_DEMAND.items():
        settings = f'retries = {retries}, retry_delay = "100ms", timeout = "{timeout}", overlap = "allow"'
        home.write(name, job_file(body, settings))
        orders.retries[name] = retries
    for number in range(SCHEDULED):
        home.write(f"tick_{number}", job_file("", schedule))
        orders.every[f"tick_{number}"] = EVERY_SECONDS
    orders.witnessed = [*ON_DEMAND, *orders.every]
    return orders
