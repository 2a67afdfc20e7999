"""Hostile jobs against a real engine: in order, at random, many at a time, each followed by a benign one."""

from __future__ import annotations

import json
import os
import random
import shutil
import tempfile
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from engine.api.address import socket_in
from engine.api.client import Client
from engine.states import FINAL, RunStatus
from engine.views import RunView
from tests.e2e.conftest import MOONTIDE, Home, Served
from tests.e2e.processes import PAUSE_SECONDS
from tests.hostile import judge, library, vitals
from tests.hostile.attack import Attack
from tests.hostile.bait import Bait, laid
from tests.hostile.canaries import Canaries

WARM = 2
AT_A_TIME = 8

#: How long a run may take to end on a machine that is busy with other things. Its own limits are far shorter.
_END_SECONDS = 180.0
_LONGEST_PAUSE_SECONDS = 0.3
#: Some files take all the time that they get to be read.
_START_SECONDS = 180.0
#: For one of many further job files.
_FILE_SECONDS = 0.1

_BENIGN = """
local job = core.job { description = "Does honest work beside the others" }

function job.run(run)
  local sum, words = 0, {}
  for i = 1, 1000 do sum = sum + i end
  for word in ("the moon pulls the tide"):gmatch("%a+") do words[#words + 1] = word:upper() end
  core.log("honest work", run.data.number)
  return job.OK, { sum = sum, last = words[#words], number = run.data.number, globals = evil == nil }
end

return job
"""


@dataclass
class Report:
    """What a campaign found.

    Attributes:
        tried: how many attacks ran, repetitions included.
        fallen: what is wrong with the ends of single attacks, by the job's name.
        harmed: what is wrong with everything else: canaries, servers, the engine, benign jobs.
    """

    tried: int = 0
    fallen: dict[str, list[str]] = field(default_factory=dict)
    harmed: list[str] = field(default_factory=list)

    @property
    def complaints(self) -> list[str]:
        """All of it; empty if every wall held."""
        return [*(one for found in self.fallen.values() for one in found), *self.harmed]


class Campaign:
    """An engine with a corpus of hostile jobs in its folder."""

    def __init__(self, served: Served, attacks: Sequence[Attack], canaries: Canaries, bait: Bait) -> None:
        self.served = served
        self.attacks = [one for one in attacks if set(one.needs) <= set(bait.databases)]
        self.report = Report()
        self._canaries, self._bait = canaries, bait
        self._files = _picture(served.home)
        self._own = threading.local()
        self._clients: list[Client] = []
        self._numbers = iter(range(1, 10**9))
        self._warm_up()
        self._before = vitals.settle(served, WARM)

    def in_order(self) -> None:
        """Run each attack once, one after another."""
        for attack in self.attacks:
            self._try(attack)

    def at_random(self, seed: int) -> None:
        """Run each attack once, in an order that follows from a number."""
        for attack in random.Random(seed).sample(self.attacks, len(self.attacks)):
            self._try(attack)

    def for_a_while(self, seed: int, seconds: float) -> None:
        """Run attacks one after another, each time one that chance chooses, until the time is over."""
        chance, deadline = random.Random(seed), time.monotonic() + seconds
        while time.monotonic() < deadline:
            self._try(chance.choice(self.attacks))

    def many_at_a_time(self, seed: int) -> None:
        """Run each attack once, eight of them at the same time, in an order that follows from a number."""
        shuffled = random.Random(seed).sample(self.attacks, len(self.attacks))
        with ThreadPoolExecutor(AT_A_TIME) as threads:
            list(threads.map(self._try, shuffled))

    def conclude(self) -> Report:
        """Look at the canaries, the servers and the engine, and return what the whole campaign found."""
        for client in self._clients:
            client.close()
        after = vitals.settle(self.served, WARM)
        self.report.harmed += vitals.harm(self._before, after)
        self.report.harmed += self._canaries.touched() + self._bait.touched() + self._changed_files()
        self._blame()
        return self.report

    def _blame(self) -> None:
        """Count harm for the attack that has left its mark in it."""
        for attack in self.attacks:
            marked = [one for one in self.report.harmed if attack.mark in one]
            if marked:
                self.report.fallen.setdefault(attack.job, []).extend(marked)

    @property
    def vital_signs(self) -> str:
        """How the engine was, and how it is."""
        return f"{self._before} -> {vitals.take(self.served)}"

    def _try(self, attack: Attack) -> None:
        found = judge.complaints(attack, self._observe(attack), self._secrets())
        if found:
            self.report.fallen.setdefault(attack.job, []).extend(found)
        self.report.harmed += [f"after {attack.job}: {one}" for one in self._benign()]
        self.report.tried += 1

    def _observe(self, attack: Attack) -> judge.Observed:
        job = self._client.job(attack.job)
        if job.status == "INVALID":
            return judge.Observed("INVALID", job.reason)
        run = self._finished(attack.job, self._told())
        log = tuple(line.text for line in self._client.log(run.id, limit=10_000))
        texts = tuple(
            json.dumps(one, ensure_ascii=False) for one in (run.info, run.problems, run.result_note)
        )
        return judge.Observed(
            run.status,
            run.error or "",
            run.result,
            texts,
            log,
            run.cpu_ms,
            run.peak_memory_bytes,
            len(json.dumps(run.info)),
            len(run.problems or ()),
        )

    def _told(self) -> dict[str, object]:
        canaries = self._canaries
        return {
            "file": str(canaries.file),
            "folder": str(canaries.folder),
            "socket": str(canaries.socket),
            "port": canaries.port,
            "web": self._bait.web.url("").rstrip("/"),
            "home": str(self.served.home.path),
        }

    def _secrets(self) -> tuple[str, ...]:
        return (self._canaries.secret,)

    def _warm_up(self) -> None:
        assert self._benign() == []

    def _benign(self) -> list[str]:
        number = next(self._numbers)
        run = self._finished("benign", {"number": number})
        wanted = {"sum": 500500, "last": "TIDE", "number": number, "globals": True}
        if (run.status, run.result) == ("COMPLETE", wanted):
            return []
        return [f"the benign job ended {run.status} {run.error!r} {run.result!r}"]

    def _finished(self, job: str, data: object) -> RunView:
        number = self._client.run_job(job, data=data).id
        deadline, pause = time.monotonic() + _END_SECONDS, PAUSE_SECONDS
        while RunStatus((run := self._client.run(number)).status) not in FINAL:
            assert time.monotonic() < deadline, f"run {number} of {job} does not end"
            time.sleep(pause)
            # Many that ask all the time would keep the engine from its work.
            pause = min(pause * 1.5, _LONGEST_PAUSE_SECONDS)
        return run

    @property
    def _client(self) -> Client:
        if not hasattr(self._own, "client"):
            self._own.client = Client(socket_in(self.served.home.path), actor="hostile@here")
            self._clients.append(self._own.client)
        return self._own.client  # type: ignore[no-any-return]

    def _changed_files(self) -> list[str]:
        now = _picture(self.served.home)
        changed = {name for name in {*now, *self._files} if now.get(name) != self._files.get(name)}
        return [f"the engine's file {name} was changed" for name in sorted(changed)]


def _picture(home: Home) -> dict[str, bytes]:
    """Return the files that no job may change: settings, job files, templates."""
    files = [home.path / "moontide.toml", *home.jobs.rglob("*.lua")]
    return {str(path.relative_to(home.path)): path.read_bytes() for path in files}


SETTINGS = f"""
limits.cpu = "{judge.CPU_SECONDS}s"
limits.memory = "{judge.MEMORY_BYTES // 2**20}MB"
limits.log = "{judge.LOG_BYTES // 2**10}KB"
limits.log_line = "{judge.LOG_LINE_BYTES // 2**10}KB"
limits.result = "{judge.RESULT_BYTES // 2**10}KB"
limits.calls = 2000
pool.size = 16
sandbox.warm = {WARM}
sandbox.worker_idle = "1s"
alerts.enabled = false
"""


@contextmanager
def opened(
    attacks: Sequence[Attack],
    *,
    timeout: str = "60s",
    program: str = MOONTIDE,
    prefix: Sequence[str] = (),
    mighty: bool = False,
    more: Mapping[str, str] | None = None,
) -> Iterator[Campaign]:
    """Start an engine with these attacks among its jobs, and servers and canaries around it.

    Args:
        timeout: the operator's limit of a run's time.
        program: the command, `moontide` if it is not another build's.
        prefix: what comes before the command.
        mighty: let jobs use databases as their administrator.
        more: further job files, by their jobs' names.
    """
    folder = Path(tempfile.mkdtemp(prefix="mh-"))
    canaries = Canaries(_made(folder / "c"))
    try:
        with laid(canaries, mighty=mighty) as bait:
            home = Home(folder / "h", program)
            home.start_seconds = _START_SECONDS + _FILE_SECONDS * len(more or {})
            home.settings(f'limits.timeout = "{timeout}"\n{SETTINGS}\n{bait.settings}\n')
            _fill(home, attacks)
            for name, text in (more or {}).items():
                home.write(name, text)
            with home.serving(
                prefix=prefix, CANARY=canaries.secret, MOONTIDE_SECRET_CANARY=canaries.secret
            ) as served:
                yield Campaign(served, attacks, canaries, bait)
    finally:
        canaries.close()
        shutil.rmtree(folder)


def _made(folder: Path) -> Path:
    folder.mkdir()
    # For all, since a build without walls runs hostile code as nobody.
    folder.parent.chmod(0o755)
    folder.chmod(0o777)
    return folder


def _fill(home: Home, attacks: Sequence[Attack]) -> None:
    home.write("benign", _BENIGN)
    for attack in attacks:
        home.write(attack.job, attack.source)
    (home.path / "templates").mkdir()
    (home.path / "templates" / "letter.txt").write_text("Dear {{ name }}\n")
    for name, text in library.modules().items():
        home.write(f"lib/{name}", text)
    os.symlink("/etc/passwd", home.jobs / "lib" / "link.lua")
