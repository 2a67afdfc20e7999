"""A database that takes no writes: nothing new is taken, nothing committed is lost, and then it goes on."""

from __future__ import annotations

import resource
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager

import pytest

from engine.errors import StoreUnavailable
from engine.views import RunView
from tests.e2e.conftest import Home, Served, job
from tests.e2e.processes import until

# The disk under the file is full, and another program holds the lock of the file. What a server may do
# instead is in `test_server_troubles`.
pytestmark = pytest.mark.sqlite_only

TICK = job('core.log("tick") return job.OK, { tick = true }', 'every = "1s"')
ON_DEMAND = job("return job.OK")
UNDER_WAY = job("core.sleep(2) return job.OK, 'kept'")


@contextmanager
def no_room(engine: Served) -> Iterator[None]:
    """Let the kernel refuse the engine every write past the first 16 KB of a file, as a full disk would."""
    pid = engine.process.pid
    before = resource.prlimit(pid, resource.RLIMIT_FSIZE)
    resource.prlimit(pid, resource.RLIMIT_FSIZE, (16_384, before[1]))
    try:
        yield
    finally:
        if engine.process.poll() is None:
            resource.prlimit(pid, resource.RLIMIT_FSIZE, before)


@contextmanager
def locked(engine: Served) -> Iterator[None]:
    """Hold the database as another program may."""
    database = sqlite3.connect(engine.home.path / "moontide.db", isolation_level=None)
    try:
        until(lambda: _takes_lock(database))
        yield
    finally:
        database.close()


def _takes_lock(database: sqlite3.Connection) -> bool:
    try:
        database.execute("begin immediate")
    except sqlite3.OperationalError:
        return False
    return True


@pytest.fixture
def ticking(home: Home) -> Iterator[Served]:
    """An engine with a job every second and one under way."""
    home.write("tick", TICK)
    home.write("on_demand", ON_DEMAND)
    home.write("under_way", UNDER_WAY)
    with home.serving() as engine:
        engine.ends("tick", 1)
        yield engine


@pytest.mark.parametrize(
    ("trouble", "words"), [(no_room, "disk"), (locked, "locked by another program")], ids=["full", "locked"]
)
def test_trouble_with_the_database_stops_the_work_is_told_and_loses_nothing(
    ticking: Served, trouble: Callable[[Served], AbstractContextManager[None]], words: str
) -> None:
    under_way = ticking.client.run_job("under_way").id
    committed = ticking.client.runs(limit=1000)
    with trouble(ticking):
        until(lambda: ticking.client.status().journal != "ok", 20)
        _tells_of_it(ticking, words)
        _takes_nothing_new(ticking, words)
        _still_shows(ticking, {run.id for run in committed if run.finished})
    until(lambda: ticking.client.status().journal == "ok", 20)
    _works_again(ticking)
    assert ticking.finished(under_way).result == "kept"
    _is_all_there(ticking, committed)
    assert "the database takes no writes" in ticking.output
    assert "the database takes writes again" in ticking.output


def _tells_of_it(engine: Served, words: str) -> None:
    status = engine.client.status()
    assert words in status.journal
    assert any(words in problem for problem in status.problems)
    shown = engine.home.moontide("status")
    assert shown.code == 0
    assert words in shown.out


def _takes_nothing_new(engine: Served, words: str) -> None:
    with pytest.raises(StoreUnavailable, match=words):
        engine.client.run_job("on_demand")
    refused = engine.home.moontide("run", "on_demand")
    assert (refused.code, refused.out) == (1, "")
    assert words in refused.err
    # What is due meanwhile starts no code: its row could not be committed before.
    assert engine.client.status().running <= 2


def _still_shows(engine: Served, ids: set[int]) -> None:
    assert ids <= {run.id for run in engine.client.runs(limit=1000)}
    assert engine.client.job("tick").status == "WAITING"


def _works_again(engine: Served) -> None:
    assert engine.run("on_demand").status == "COMPLETE"
    before = len(engine.ends("tick", 1))
    engine.ends("tick", before + 1)


def _is_all_there(engine: Served, committed: list[RunView]) -> None:
    ended = [run for run in committed if run.finished]
    assert [engine.client.run(run.id) for run in ended] == ended


def test_an_engine_killed_while_the_disk_is_full_loses_no_committed_row(home: Home) -> None:
    home.write("tick", TICK)
    with home.serving() as engine:
        engine.ends("tick", 2)
        with no_room(engine):
            until(lambda: engine.client.status().journal != "ok", 20)
            ended = [run for run in engine.client.runs(limit=1000) if run.finished]
            engine.kill()
    with home.serving() as engine:
        assert [engine.client.run(run.id) for run in ended] == ended
        assert {run.status for run in engine.client.runs(job="tick", limit=1000)} <= {
            "COMPLETE",
            "CRASHED",
            "RUNNING",
        }
        engine.ends("tick", len(ended) + 2)


def test_an_engine_can_be_stopped_also_while_the_disk_is_full(home: Home) -> None:
    home.settings('engine.stop_after = "1s"')
    home.write("tick", TICK)
    with home.serving() as engine:
        engine.ends("tick", 1)
        with no_room(engine):
            until(lambda: engine.client.status().journal != "ok", 20)
            ended = [run for run in engine.client.runs(limit=1000) if run.finished]
            engine.stop()
        assert "1 runs could not be ended on record" in engine.complaints
        assert "Traceback" not in engine.complaints
    with home.serving() as engine:
        assert [engine.client.run(run.id) for run in ended] == ended
        engine.ends("tick", len(ended) + 1)
