"""A home that goes from its file to a server, and back, by the command and two lines of settings."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest

from engine.views import RunView
from tests.e2e.conftest import Home, Result, Served, job
from tests.homebases import SQLITE, Homebase, make_empty_homebase, make_homebase

KEEPER = job(
    'job.save_state({ n = run.data.n }) core.data("shelf"):save({ n = run.data.n, word = "Mond 🌙" })'
    'core.log("kept " .. run.data.n) return job.OK, run.data'
)


@pytest.fixture
def file(home: Home) -> Homebase:
    return make_homebase(SQLITE, home.path)


@pytest.fixture
def server(home: Home) -> Homebase:
    return make_empty_homebase()


def works_on(home: Home, base: Homebase) -> Home:
    """Let the home's settings name a database."""
    home.base = dataclasses.replace(base, environment={})
    home.settings(f'database = "{base.url}"\n')
    return home


def runs(engine: Served) -> list[RunView]:
    return engine.client.runs(job="keeper", limit=100)


def found(home: Home) -> list[Any]:
    """Return the runs whose log holds a word."""
    return list(home.moontide("runs", "--text", "kept", "--json").json)


def move(home: Home, source: Homebase, target: Homebase) -> Result:
    return home.moontide("move-database", source.url, target.url, "--json")


def test_a_home_goes_to_a_server_and_back_with_all_that_it_holds(
    home: Home, file: Homebase, server: Homebase
) -> None:
    home.write("keeper", KEEPER)
    with works_on(home, file).serving() as engine:
        for n in range(3):
            engine.run("keeper", {"n": n})
        assert len(found(home)) == 3
        before = runs(engine)
        refused = move(home, file, server)
    assert (refused.code, refused.out) == (1, "")
    assert "an engine works on" in refused.err

    there = move(home, file, server)
    assert there.code == 0, there.err
    with works_on(home, server).serving() as engine:
        assert runs(engine) == before
        assert len(found(home)) == 3
        engine.run("keeper", {"n": 3})
        before = runs(engine)
        assert len(before) == 4
        refused = move(home, server, file)
    assert "an engine already works on postgresql+psycopg://" in refused.err

    (home.path / "moontide.db").rename(home.path / "old.db")
    back = move(home, server, file)
    assert back.code == 0, back.err
    assert {table["name"] for table in back.json["tables"]} >= {"run", "document", "job_state", "log_line"}
    with works_on(home, file).serving() as engine:
        assert runs(engine) == before
        assert engine.run("keeper", {"n": 4}).id > before[0].id


def test_a_move_prints_what_it_moved(home: Home, file: Homebase, server: Homebase) -> None:
    home.write("keeper", KEEPER)
    with works_on(home, file).serving() as engine:
        engine.run("keeper", {"n": 1})
    moved = home.moontide("move-database", "moontide.db", server.url)
    assert moved.code == 0, moved.err
    lines = [line.split("\t") for line in moved.out.splitlines()]
    assert lines[0] == ["TABLE", "ROWS", "CHECKSUM"]
    assert ["document", "1"] in [line[:2] for line in lines]
    assert "set `database` in moontide.toml" in moved.out
