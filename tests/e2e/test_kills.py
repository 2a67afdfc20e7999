"""SIGKILL at any instant: no run is lost, invented, or in two states."""

from __future__ import annotations

import random
import threading
import time
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial

from engine.api.address import socket_in
from engine.api.client import Client
from engine.errors import MoontideError
from engine.events import RunFinished
from engine.states import FINAL, RunStatus
from engine.views import RunView
from tests.e2e.conftest import Home, Served, job
from tests.e2e.processes import until
from tests.homebases import POSTGRESQL

KILLS = 12
SCHEDULED = 8

JOBS = {
    f"tick_{n}": job(f'core.log("{n}") core.sleep(0.{n}) return job.OK, {n}', 'every = "1s"')
    for n in range(SCHEDULED)
}
JOBS |= {
    "quick": job("return job.OK, run.data"),
    "saver": job('assert(core.data("kills"):save({ name = "n" .. run.id })) return job.OK'),
    "long": job("core.sleep(600) return job.OK"),
}


@dataclass
class Witness:
    """What was seen from outside, to be held against the database after each kill."""

    accepted: dict[int, str] = field(default_factory=dict)
    reported: dict[int, tuple[str, str]] = field(default_factory=dict)
    ended: dict[int, tuple[object, ...]] = field(default_factory=dict)


def facts(run: RunView) -> tuple[object, ...]:
    """Return what may never change once a run has ended."""
    return (
        run.job,
        run.status,
        run.returned,
        run.started,
        run.finished,
        run.error,
        str(run.result),
        run.log_lines,
    )


def test_no_run_is_lost_or_doubled_wherever_the_engine_is_killed(home: Home) -> None:
    seed = random.randrange(10**6)
    print(f"seed {seed}")
    chance = random.Random(seed)
    for name, text in JOBS.items():
        home.write(name, text)
    witness = Witness()
    for life in range(1, KILLS + 1):
        engine = home.start()
        try:
            if chance.random() < 0.25:
                # While it starts: migrating, recovering, or reading the jobs.
                pass_time(chance.uniform(0.1, 1.2))
            else:
                engine.wait_ready()
                check(engine, witness, sessions_before=engine.client.status().session)
                live_under_load(engine, witness, chance.uniform(0.05, 1.5), chance)
            engine.kill()
        finally:
            engine.end()
        assert is_sound(home), f"life {life}"
    with home.serving() as engine:
        check(engine, witness, sessions_before=engine.client.status().session)
        goes_on(engine)
    assert len(witness.ended) > KILLS


def pass_time(seconds: float) -> None:
    """Do nothing until a time that chance has chosen."""
    instant = time.monotonic() + seconds
    until(lambda: time.monotonic() >= instant)


def live_under_load(engine: Served, witness: Witness, seconds: float, chance: random.Random) -> None:
    """Start runs, and note what is answered and told, until the time is up."""
    until_when = time.monotonic() + seconds
    listener = threading.Thread(target=listen, args=(engine, witness), daemon=True)
    listener.start()
    while time.monotonic() < until_when:
        name = chance.choice(["quick", "quick", "saver", "long"])
        witness.accepted[engine.client.run_job(name, data={"n": 1}).id] = name


def listen(engine: Served, witness: Witness) -> None:
    """Note each run that is told to have ended, until the engine is gone."""
    with suppress(MoontideError), Client(socket_in(engine.home.path)) as client, client.events() as events:
        for event in events:
            if isinstance(event, RunFinished):
                witness.reported[event.run] = (event.job, event.status)


def check(engine: Served, witness: Witness, *, sessions_before: int) -> None:
    """Hold what the database says against what was seen before."""
    runs = {run.id: run for run in engine.client.runs(limit=10_000)}
    unfinished = [
        r for r in runs.values() if r.session != sessions_before and RunStatus(r.status) not in FINAL
    ]
    assert unfinished == []
    assert witness.accepted.items() <= {id: run.job for id, run in runs.items()}.items()
    assert witness.reported.items() <= {id: (run.job, run.status) for id, run in runs.items()}.items()
    ended = {id: facts(run) for id, run in runs.items() if RunStatus(run.status) in FINAL}
    assert witness.ended.items() <= ended.items()
    witness.ended |= ended
    for run in runs.values():
        if run.status == "CRASHED":
            assert run.error in (
                "the engine ended before this run started",
                "the engine ended while this run was under way",
            )
    assert {view.status for view in engine.client.jobs()} == {"WAITING"}
    assert all(engine.client.job(f"tick_{n}").next_run for n in range(SCHEDULED))


def goes_on(engine: Served) -> None:
    """The schedules are alive."""
    session = engine.client.status().session
    for n in range(SCHEDULED):
        until(partial(has_run, engine, f"tick_{n}", session))


def has_run(engine: Served, name: str, session: int) -> bool:
    """Whether a run of the job has ended in the session."""
    return any(run.session == session for run in engine.ends(name, 1))


def is_sound(home: Home) -> bool:
    """Whether the database is whole."""
    if home.base.kind == POSTGRESQL:
        return home.base.rows("select 1") == [(1,)]
    if not (home.path / "moontide.db").exists():
        return True
    return home.base.rows("pragma integrity_check") == [("ok",)]


def test_runs_under_way_and_waiting_are_each_closed_once_and_told(home: Home) -> None:
    home.settings('pool.size = 1\nengine.stop_after = "0.1s"')
    home.write("long", job('core.log("here") core.sleep(600) return job.OK', 'every = "1h"'))
    with home.serving() as engine:
        runs = [engine.client.run_job("long").id for _ in range(3)]
        until(lambda: engine.log(runs[0]) == ["here"])
        due = engine.client.job("long").next_run
        engine.kill()
    with home.serving() as engine:
        closed = [engine.client.run(run) for run in runs]
        assert [run.status for run in closed] == ["CRASHED"] * 3
        assert closed[0].error == "the engine ended while this run was under way"
        assert closed[1].error == closed[2].error == "the engine ended before this run started"
        assert engine.log(runs[0]) == ["here"]
        assert (engine.client.job("long").status, engine.client.job("long").next_run) == ("WAITING", due)
        engine.kill()
        assert engine.output.count("3 runs that an earlier engine left unfinished are CRASHED") == 1
    with home.serving() as engine:
        assert [engine.client.run(run) for run in runs] == closed
        assert engine.output.count("left unfinished") == 1
        assert engine.client.run_job("long").id > max(runs)


def test_workers_die_with_their_engine_also_in_an_endless_loop(home: Home) -> None:
    texts = {
        "spin": job("while true do end"),
        "turn": job("repeat until false"),
        "long": job("core.sleep(600)"),
    }
    for name, text in texts.items():
        home.write(name, text)
    with home.serving() as engine:
        for name in texts:
            engine.client.run_job(name)
        until(lambda: engine.client.status().running == 3)
        assert len(engine.workers()) >= 3
        engine.kill()
