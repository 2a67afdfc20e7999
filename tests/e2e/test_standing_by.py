"""An engine that stands by: its commands, API and dashboard show what the engine that leads does."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from engine.api.client import Client
from engine.errors import EngineUnreachable, Forbidden, MoontideError, NotFound, Refused
from tests.e2e.conftest import Home, Served, job
from tests.e2e.processes import until
from tests.homebases import POSTGRESQL, make_homebase
from tests.services import free_port

PATIENCE_SECONDS = 120
ON_DEMAND = job("core.log.info('did it') return job.OK, run.data")
SETTINGS = """
[node]
name = "{name}"
[api]
tcp = "127.0.0.1:{port}"
token = "opens-all"
tokens.wall = {{ role = "viewer", token = "only-looks" }}
"""


@pytest.fixture(scope="module")
def homes(tmp_path_factory: pytest.TempPathFactory) -> list[Home]:
    folder = tmp_path_factory.mktemp("standing")
    base = make_homebase(POSTGRESQL, folder)
    homes = []
    for name in ("first", "second"):
        home = Home(folder / name)
        home.base = base
        home.write("on_demand", ON_DEMAND)
        home.settings(SETTINGS.format(name=name, port=free_port()))
        homes.append(home)
    return homes


@pytest.fixture(scope="module")
def pair(homes: list[Home]) -> Iterator[tuple[Served, Served]]:
    """An engine that leads, and one that stands by."""
    with ExitStack() as started:
        leader = homes[0].start()
        started.callback(leader.end)
        leader.wait_ready()
        other = homes[1].start()
        started.callback(other.end)
        until(lambda: answers(other), PATIENCE_SECONDS)
        yield leader, other


def answers(served: Served) -> bool:
    try:
        return served.client.status().state == "Running"
    except EngineUnreachable:
        assert served.process.poll() is None, served.complaints
        return False


def states(served: Served) -> dict[str, str]:
    return {view.name: view.state for view in served.client.nodes.nodes()}


def test_it_shows_what_the_engine_that_leads_does(pair: tuple[Served, Served]) -> None:
    leader, other = pair
    assert other.client.status().pid == leader.process.pid
    assert [view.name for view in other.client.jobs()] == [view.name for view in leader.client.jobs()]
    listed = other.home.moontide("jobs", "--json")
    assert listed.code == 0, listed.err
    assert {one["name"] for one in listed.json} >= {"on_demand"}


def test_runs_are_started_and_watched_through_it(pair: tuple[Served, Served]) -> None:
    leader, other = pair
    done = other.home.moontide("run", "on_demand", "--data", '{"n": 7}', "--wait", "--json")
    assert done.code == 0, done.err
    run = leader.client.runs(job="on_demand", limit=1)[0]
    assert run.result == {"n": 7}
    assert other.log(run.id) == ["did it"]


def test_the_audit_trail_says_who_asked(pair: tuple[Served, Served]) -> None:
    leader, other = pair
    other.client.deactivate("on_demand")
    other.client.activate("on_demand")
    [entry] = leader.client.audit.entries(target="on_demand", limit=1)
    assert (entry.actor, entry.origin, entry.action) == ("tester@here", "socket", "activate")


def test_a_role_goes_with_who_asks(pair: tuple[Served, Served]) -> None:
    _, other = pair
    address = f"http://{api_of(other)}"
    with Client(address, token="only-looks") as wall:
        assert wall.me().role == "viewer"
        assert wall.me().name == "wall"
        with pytest.raises(Forbidden):
            wall.run_job("on_demand")
    with Client(address, token="wrong") as stranger, pytest.raises(MoontideError, match="token"):
        stranger.jobs()
    with Client(address, token="opens-all") as admin:
        assert admin.run_job("on_demand").job == "on_demand"


def api_of(served: Served) -> str:
    text = (served.home.path / "moontide.toml").read_text()
    return text.partition('tcp = "')[2].partition('"')[0]


def test_what_the_engine_refuses_is_refused_in_its_words(pair: tuple[Served, Served]) -> None:
    _, other = pair
    with pytest.raises(NotFound, match="did you mean on_demand"):
        other.client.job("on_demant")


def test_all_nodes_are_listed_by_each(pair: tuple[Served, Served]) -> None:
    for served in pair:
        assert states(served) == {"first": "leading", "second": "standby"}
        listed = served.home.moontide("nodes", "--json")
        assert [one["name"] for one in listed.json] == ["first", "second"]
        table = served.home.moontide("nodes").out
        assert "first" in table
        assert "standby" in table
    until(lambda: pair[0].client.status().nodes == 2, PATIENCE_SECONDS)
    assert pair[0].client.status().node_troubles == []


def test_a_jobs_folder_that_differs_is_told_of(pair: tuple[Served, Served]) -> None:
    leader, other = pair
    other.home.write("more", ON_DEMAND)

    def warned() -> bool:
        [second] = [view for view in leader.client.nodes.nodes() if view.name == "second"]
        return any("jobs folder differs from that of first" in words for words in second.warnings)

    until(warned, PATIENCE_SECONDS)
    until(
        lambda: any("node second: its jobs folder" in one for one in leader.client.status().problems),
        PATIENCE_SECONDS,
    )
    (other.home.jobs / "more.lua").unlink()
    until(lambda: not warned(), PATIENCE_SECONDS)


def test_a_node_that_is_there_is_not_forgotten_and_one_that_is_not_cannot_be_drained(
    pair: tuple[Served, Served],
) -> None:
    leader, _ = pair
    with pytest.raises(Refused, match="is there"):
        leader.client.nodes.forget("second")
    with pytest.raises(NotFound, match="no node named"):
        leader.client.nodes.drain("third")


def test_a_node_that_is_drained_ends_and_can_be_forgotten(homes: list[Home], tmp_path: Path) -> None:
    third = Home(tmp_path / "third")
    third.base = homes[0].base
    third.settings('[node]\nname = "third"\n')
    served = third.start()
    try:
        until(lambda: answers(served), PATIENCE_SECONDS)
        asked = homes[0].moontide("nodes", "drain", "third", "--json")
        assert [one["drain"] for one in asked.json] == [True]
        assert served.process.wait(PATIENCE_SECONDS) == 0
    finally:
        served.end()
    gone = json.loads(homes[0].moontide("nodes", "--json").out)
    assert {one["name"]: one["state"] for one in gone}["third"] == "gone"
    left = homes[0].moontide("nodes", "forget", "third", "--json")
    assert "third" not in {one["name"] for one in left.json}


def test_it_leads_when_the_first_one_stops_and_the_first_one_stands_by_when_it_is_back(
    homes: list[Home], pair: tuple[Served, Served]
) -> None:
    leader, other = pair
    with other.client.events() as happening:
        leader.stop()
        kinds = {type(event).__name__ for event in happening}
    assert "EngineStateChanged" in kinds
    until(lambda: answers(other) and other.client.status().pid == other.process.pid, PATIENCE_SECONDS)
    again = homes[0].start()
    try:
        until(lambda: answers(again), PATIENCE_SECONDS)
        assert again.client.status().pid == other.process.pid
        assert states(again) == {"first": "standby", "second": "leading"}
        again.stop()
    finally:
        again.end()
    other.stop()


@pytest.mark.both_databases
def test_an_engine_by_itself_is_listed_alone(engine: Served) -> None:
    [view] = engine.client.nodes.nodes()
    assert (view.state, view.pid, view.kind, view.warnings) == ("leading", engine.process.pid, "engine", [])
