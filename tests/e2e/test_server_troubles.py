"""A database server that goes away under a running engine: all goes on when it is back, nothing twice."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from engine.errors import StoreUnavailable
from tests.e2e.conftest import Home, Served, job
from tests.e2e.processes import until
from tests.homebases import homebase_on
from tests.services import OwnServer, own_pg, own_server

#: What a run did is a line in a file of its own: whether it is on record or not.
DOES = 'core.files.append(run.job .. ".txt", run.id .. "\\n") return job.OK, { id = run.id }'
JOBS = {f"tick_{n}": job(DOES, 'every = "1s"') for n in range(3)}
ON_DEMAND = job("return job.OK, run.data")
RESTARTS = 4
BACK_SECONDS = 60


@pytest.fixture(scope="module")
def running() -> Iterator[OwnServer]:
    with own_server(own_pg, "postgresql") as own:
        yield own


@pytest.fixture
def server(running: OwnServer) -> Iterator[OwnServer]:
    """A server that the test may stop; the next one finds it started."""
    yield running
    running.start()


@pytest.fixture
def home(tmp_path: Path, server: OwnServer) -> Home:
    home = Home(tmp_path / "home")
    home.base = homebase_on(server.server)
    return home


def crash(server: OwnServer) -> None:
    """Let all processes of the server end at once, without writing anything more."""
    server.stop(signal.SIGQUIT)


def test_an_engine_goes_on_by_itself_after_restarts_of_the_server_and_no_run_is_lost_or_doubled(
    home: Home, server: OwnServer
) -> None:
    for name, text in JOBS.items():
        home.write(name, text)
    with home.serving() as engine:
        for _ in range(RESTARTS):
            wait_for_more(engine)
            crash(server)
            until(lambda: engine.client.status().journal != "ok", BACK_SECONDS)
            server.start()
            until(lambda: engine.client.status().journal == "ok", BACK_SECONDS)
        wait_for_more(engine)
    did = [int(line) for name in JOBS for line in (home.path / "files" / f"{name}.txt").read_text().split()]
    rows = dict(home.base.rows("SELECT id, status FROM run"))
    assert len(did) == len(set(did))
    assert set(did) == {run for run, status in rows.items() if status == "COMPLETE"}
    assert set(rows.values()) == {"COMPLETE"}
    assert home.base.rows("SELECT count(*) FROM session") == [(1,)]
    assert engine.output.count("the database takes writes again") == RESTARTS
    assert "Traceback" not in engine.complaints


def wait_for_more(engine: Served) -> None:
    """Wait until each job has ended a run that is not there yet."""
    before = {name: len(engine.ends(name, 0)) for name in JOBS}
    for name, count in before.items():
        engine.ends(name, count + 1, BACK_SECONDS)


def test_while_the_server_is_away_the_engine_says_so_and_takes_nothing_new(
    home: Home, server: OwnServer
) -> None:
    home.write("on_demand", ON_DEMAND)
    home.write("tick", job("return job.OK", 'every = "1s"'))
    with home.serving() as engine:
        engine.ends("tick", 1)
        server.stop()
        until(lambda: engine.client.status().journal != "ok", BACK_SECONDS)
        assert "the connection to the database is lost" in engine.client.status().journal
        with pytest.raises(StoreUnavailable, match="connection to the database"):
            engine.client.run_job("on_demand")
        with pytest.raises(StoreUnavailable, match="connection to the database"):
            engine.client.runs()
        server.start()
        until(lambda: engine.client.status().journal == "ok", BACK_SECONDS)
        assert engine.run("on_demand", {"n": 1}).result == {"n": 1}


def test_an_engine_can_be_stopped_while_the_server_is_away(home: Home, server: OwnServer) -> None:
    home.settings('engine.stop_after = "1s"')
    home.write("tick", job("return job.OK", 'every = "1s"'))
    with home.serving() as engine:
        ended = engine.ends("tick", 1)
        server.stop()
        until(lambda: engine.client.status().journal != "ok", BACK_SECONDS)
        engine.stop()
    server.start()
    with home.serving() as engine:
        assert [engine.client.run(run.id) for run in ended] == ended


def test_a_start_without_the_server_is_refused_in_words(home: Home, server: OwnServer) -> None:
    server.stop()
    refused = home.moontide("serve")
    assert (refused.code, refused.out) == (1, "")
    assert refused.err.startswith("moontide: the connection to the database is lost")
    assert "Traceback" not in refused.err


def test_a_second_engine_that_does_not_stand_by_is_refused_and_told_of_the_first(
    home: Home, tmp_path: Path
) -> None:
    other = Home(tmp_path / "other")
    other.base = home.base
    with home.serving() as engine:
        refused = other.moontide("up")
        assert (refused.code, refused.out) == (1, "")
        assert refused.err.startswith("moontide: an engine already works on postgresql+psycopg://")
        assert f"process {engine.process.pid} " in refused.err
    with other.serving():
        pass


def test_an_engine_whose_database_was_taken_over_ends_by_itself_and_writes_nothing_more(home: Home) -> None:
    home.write("long", job("core.sleep(600) return job.OK", 'every = "1h"'))
    home.write("tick", job("return job.OK", 'every = "1s"'))
    with home.serving() as engine:
        engine.ends("tick", 1)
        run = engine.client.run_job("long").id
        until(lambda: engine.client.run(run).status == "RUNNING")
        # So does an engine that took the database while this one was cut off.
        home.base.rows("UPDATE session SET ended = now(), clean = false")
        before = home.base.rows("SELECT id, status FROM run ORDER BY id")
        assert engine.process.wait(BACK_SECONDS) == 1
        assert "moontide: another engine has taken the database over" in engine.complaints
        assert home.base.rows("SELECT id, status FROM run ORDER BY id") == before
    with home.serving() as engine:
        assert engine.client.run(run).status == "CRASHED"
