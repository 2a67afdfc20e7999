from __future__ import annotations

import asyncio
import socket
import subprocess
import sys
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest

from engine.api.address import socket_in
from engine.api.client import AsyncClient, Client
from engine.api.server import ApiServer
from engine.errors import (
    EngineUnreachable,
    JobFileError,
    JobNotFound,
    MoontideError,
    NotFound,
    Refused,
    RunNotFound,
    SettingsError,
    StoreUnavailable,
)
from engine.events import Event, RunFinished, RunLogged, RunQueued, RunStarted
from engine.states import RunStatus
from engine.views import listed
from tests.engine.api.conftest import TOKEN
from tests.engine.api.memory_engine import MemoryEngine


async def until_finished(events: AsyncIterator[Event]) -> list[Event]:
    seen: list[Event] = []
    async with asyncio.timeout(10):
        async for event in events:
            seen.append(event)
            if isinstance(event, RunFinished):
                break
    return seen


async def test_a_list_of_jobs_is_the_jobs_without_what_no_list_shows(
    client: AsyncClient, engine: MemoryEngine
) -> None:
    assert await client.listed_jobs() == [listed(job) for job in engine.jobs()]
    assert len(engine.jobs()) > 1


async def test_views_arrive_as_the_engine_made_them(client: AsyncClient, engine: MemoryEngine) -> None:
    assert await client.status() == engine.status()
    assert await client.jobs() == engine.jobs()
    assert await client.job("admin/cleanup") == engine.job("admin/cleanup")
    assert await client.plugins() == engine.plugins()
    assert (await client.check())[0].line == 3
    assert await client.check(["report.lua"]) == []


async def test_a_job_is_switched_reloaded_and_deleted(client: AsyncClient, engine: MemoryEngine) -> None:
    assert (await client.deactivate("admin/cleanup")).active is False
    assert (await client.activate("admin/cleanup")).active is True
    assert (await client.reload("admin/cleanup")).changed == ["admin/cleanup"]
    assert (await client.reload()).unchanged == len(engine.views)
    assert await client.delete_job("admin/cleanup") is None
    assert "admin/cleanup" not in engine.views


async def test_what_a_job_keeps_is_seen_set_and_cleared(client: AsyncClient, engine: MemoryEngine) -> None:
    assert (await client.states.show("admin/cleanup")).value is None
    kept = await client.states.set("admin/cleanup", {"page": 3}, lasting=True)
    assert (kept.job, kept.lasting, kept.value) == ("admin/cleanup", True, {"page": 3})
    assert await client.states.show("admin/cleanup", lasting=True) == kept
    assert (await client.states.show("admin/cleanup")).value is None
    assert (await client.states.clear("admin/cleanup", lasting=True)).value is None
    with pytest.raises(JobNotFound):
        await client.states.show("nobody")


async def test_settings_are_changed_and_left_to_the_file_again(
    client: AsyncClient, engine: MemoryEngine
) -> None:
    view = await client.overrides.set("admin/cleanup", {"retries": 3}, {"every": "5m"})
    assert view.origins == {"retries": "operator", "every": "operator"}
    assert (await client.reload(override=True)).dropped["admin/cleanup"]["every"] == "5m"
    assert (await client.overrides.unset("admin/cleanup", ["every"])).origins == {"retries": "operator"}
    assert (await client.overrides.unset("admin/cleanup")).origins == {}
    with pytest.raises(JobNotFound):
        await client.overrides.set("nobody", {"retries": 3})


async def test_a_draft_is_looked_at_before_it_is_written(client: AsyncClient, engine: MemoryEngine) -> None:
    draft = await client.drafts.draft("admin/new", "return core.job()")
    assert (draft.text, draft.schedule) == ("return core.job()", "every 1m")
    assert [coming.job for coming in draft.coming] == ["admin/new"]
    assert "admin/new" not in engine.views
    with pytest.raises(JobFileError, match="no settings to change"):
        await client.drafts.draft("admin/new", "", {"every": "5m"})
    assert [setting.name for setting in await client.drafts.settings()] == ["every"]


@pytest.mark.parametrize(
    "name", ["a b", "ünïcode", "what?", "50%", "x#y", "admin/run", "a/b/source", "a%2Fb"]
)
async def test_any_name_reaches_the_engine_as_it_is(
    client: AsyncClient, engine: MemoryEngine, name: str
) -> None:
    engine.add(name, "text")
    assert (await client.job(name)).name == name
    assert (await client.job_source(name)).text == "text"
    assert (await client.activate(name)).name == name


async def test_a_write_is_guarded_by_the_hash_of_what_was_seen(client: AsyncClient) -> None:
    source = await client.job_source("report")
    await client.write_job("report", "second", expected_hash=source.hash, create=False)
    with pytest.raises(Refused, match="changed by somebody else"):
        await client.write_job("report", "third", expected_hash=source.hash, create=False)
    assert (await client.job_source("report")).text == "second"


async def test_errors_of_the_engine_arrive_as_themselves(client: AsyncClient, engine: MemoryEngine) -> None:
    with pytest.raises(JobNotFound, match="did you mean report") as unknown:
        await client.job("reprot")
    assert unknown.value.nearest == ["report"]
    with pytest.raises(RunNotFound, match="no run 99; `moontide runs`") as missing:
        await client.run(99)
    assert missing.value.run_id == 99
    with pytest.raises(Refused, match="exists already"):
        await client.write_job("report", "", expected_hash=None, create=True)
    with pytest.raises(JobFileError, match="cannot be a job's name"):
        await client.write_job("../x", "", expected_hash=None, create=True)
    engine.store_fails = True
    with pytest.raises(StoreUnavailable, match="disk is full"):
        await client.run_job("report")


async def test_a_stream_brings_all_that_happens_after_it_is_open(client: AsyncClient) -> None:
    async with client.events() as events:
        run = await client.run_job("report", data={"n": 1}, user_id=7)
        seen = await until_finished(events)
    assert [type(event) for event in seen] == [RunQueued, RunStarted, *[RunLogged] * 3, RunFinished]
    assert (run.data, run.user_id) == ({"n": 1}, 7)
    assert isinstance(seen[-1], RunFinished)
    assert seen[-1].status == "COMPLETE"


async def test_a_stream_of_one_run_brings_nothing_of_others(client: AsyncClient) -> None:
    async with client.events(run=2) as events:
        await client.run_job("report")
        await client.run_job("admin/cleanup")
        seen = await until_finished(events)
    assert {event.job for event in seen} == {"admin/cleanup"}


async def test_leaving_a_stream_ends_it_in_the_engine(
    client: AsyncClient, server: ApiServer, engine: MemoryEngine
) -> None:
    feeds = server._app.state.feeds
    async with client.events():
        assert len(feeds) == 1
    for _ in range(10_000):
        await asyncio.sleep(0)
    assert len(feeds) == 0


async def test_runs_are_listed_by_job_status_and_page(client: AsyncClient) -> None:
    for name in ("report", "endless", "report"):
        await client.run_job(name)
    assert [run.id for run in await client.runs()] == [3, 2, 1]
    assert [run.id for run in await client.runs(job="report")] == [3, 1]
    assert [run.id for run in await client.runs(before=3, limit=1)] == [2]
    assert [run.id for run in await client.runs(status=RunStatus.RUNNING)] == [2]
    assert (await client.cancel(2)).status == "CANCELLED"
    with pytest.raises(Refused, match="ended already"):
        await client.cancel(2)


async def test_a_log_is_read_from_any_line_on(client: AsyncClient) -> None:
    async with client.events() as events:
        run = await client.run_job("report")
        await until_finished(events)
    assert [line.text for line in await client.log(run.id, after=1)] == ["line 2", "line 3"]
    assert [line.number for line in await client.log(run.id, limit=1)] == [1]


async def test_the_same_client_reaches_a_tcp_listener_with_the_token(server: ApiServer) -> None:
    url = f"http://127.0.0.1:{server.tcp_port}"
    async with AsyncClient(url, token=TOKEN) as client:
        assert (await client.status()).pid == 4242
    async with AsyncClient(url) as client:
        with pytest.raises(MoontideError, match="Authorization: Bearer"):
            await client.status()


@pytest.mark.parametrize("token", ["two\nlines", " blanks around ", "töken", "\x1b[2J", "\ud800"])
@pytest.mark.parametrize("made", [Client, AsyncClient])
def test_a_token_that_no_request_can_hold_is_told_before_any_is_made(
    made: Callable[..., object], token: str
) -> None:
    with pytest.raises(SettingsError, match="the token for the engine must be one line of ASCII"):
        made("http://127.0.0.1:1", token=token)


async def test_a_person_with_a_strange_name_is_let_in(server: ApiServer, engine: MemoryEngine) -> None:
    name = " bö\r\nx-moontide-role: admin\x1b[2J\ud800@web2"
    async with AsyncClient(socket_in(engine.home), actor=name) as client:
        await client.run_job("report")
    with Client(socket_in(engine.home), actor=name) as waiting:
        await asyncio.to_thread(waiting.run_job, "report")
    assert engine.actors == ["böx-moontide-role: admin[2J@web2 via socket"] * 2


async def test_the_waiting_client_asks_the_same(server: ApiServer, engine: MemoryEngine) -> None:
    def ask() -> list[object]:
        with Client(socket_in(engine.home), actor="bo@web2") as client, client.events() as events:
            run = client.run_job("report")
            seen = next(event for event in events if isinstance(event, RunFinished))
            return [seen.run == run.id, client.run(run.id).status, len(client.log(run.id))]

    assert await asyncio.to_thread(ask) == [True, "COMPLETE", 3]
    assert engine.actors == ["bo@web2 via socket"]


@pytest.mark.parametrize("ask", [lambda client: client.status(), lambda client: client.events().__enter__()])
def test_without_an_engine_the_client_says_how_to_start_one(
    tmp_path: Path, ask: Callable[[Client], object]
) -> None:
    with Client(socket_in(tmp_path)) as client, pytest.raises(EngineUnreachable) as error:
        ask(client)
    assert str(error.value) == f"no engine is running in {tmp_path}; start one with `moontide up`"


def test_a_home_that_does_not_exist_has_no_engine(tmp_path: Path) -> None:
    with pytest.raises(EngineUnreachable, match="no engine is running"):
        Client(socket_in(tmp_path / ("x" * 120)))


def test_an_engine_that_goes_away_in_the_middle_of_an_answer_is_told_from_none(tmp_path: Path) -> None:
    script = (
        "import socket, sys; s = socket.socket(socket.AF_UNIX); s.bind(sys.argv[1]); s.listen();"
        "print(flush=True); c, _ = s.accept(); c.recv(9999); c.close()"
    )
    command = [sys.executable, "-c", script, str(socket_in(tmp_path))]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        process.stdout.readline()
        with Client(socket_in(tmp_path)) as client, pytest.raises(EngineUnreachable, match="went away"):
            client.status()


def test_importing_the_client_brings_no_server_and_no_database() -> None:
    heavy = "fastapi starlette pydantic pydantic_settings sqlmodel sqlalchemy uvicorn lupa textual"
    script = f"import sys, engine.api.client; print([m for m in {heavy.split()} if m in sys.modules])"
    assert subprocess.check_output([sys.executable, "-c", script], text=True).strip() == "[]"


def test_importing_what_the_command_line_uses_brings_no_http_library() -> None:
    heavy = "httpx httpcore h2 h11 rich pydantic asyncio sqlalchemy"
    script = f"import sys, engine.api.syncclient; print([m for m in {heavy.split()} if m in sys.modules])"
    assert subprocess.check_output([sys.executable, "-c", script], text=True).strip() == "[]"


async def test_the_waiting_client_reaches_a_tcp_listener_with_the_token(server: ApiServer) -> None:
    url = f"http://127.0.0.1:{server.tcp_port}/"

    def ask(token: str | None) -> int:
        with Client(url, token=token) as client:
            return client.status().pid

    assert await asyncio.to_thread(ask, TOKEN) == 4242
    with pytest.raises(MoontideError, match="Authorization: Bearer"):
        await asyncio.to_thread(ask, None)
    with pytest.raises(MoontideError, match="Authorization: Bearer"), Client(url) as client:
        await asyncio.to_thread(client.events().__enter__)


async def test_the_waiting_client_sends_every_kind_of_value(server: ApiServer, engine: MemoryEngine) -> None:
    at = datetime(2026, 3, 1, 9, 30, tzinfo=timezone(timedelta(hours=2)))

    def ask() -> list[object]:
        with Client(socket_in(engine.home)) as client:
            (slot,) = client.ledger.slots("admin/cleanup", since=at)
            with pytest.raises(JobNotFound):
                client.job("größe/ä b?&#")
            return [slot.due, client.job("admin/cleanup").name, client.delete_job("admin/cleanup")]

    assert await asyncio.to_thread(ask) == [at, "admin/cleanup", None]


HEAD = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n12\r\n: a comment only\n\n\r\n"


def test_a_stream_that_ends_has_no_more_events(tmp_path: Path) -> None:
    socket_path = socket_in(tmp_path)
    with (
        answering(socket_path, HEAD + b"0\r\n\r\n"),
        Client(socket_path) as client,
        client.events() as events,
    ):
        assert list(events) == []


@pytest.mark.parametrize("end", [b"", b"ff\r\nid: 1", b"ff"])
def test_a_stream_that_breaks_off_is_told_from_one_that_ends(tmp_path: Path, end: bytes) -> None:
    socket_path = socket_in(tmp_path)
    with (
        answering(socket_path, HEAD + end),
        Client(socket_path) as client,
        client.events() as events,
        pytest.raises(EngineUnreachable, match="went away"),
    ):
        list(events)


def test_an_error_of_whoever_reads_the_stream_stays_what_it_is(tmp_path: Path) -> None:
    socket_path = socket_in(tmp_path)
    with (
        answering(socket_path, HEAD + b"0\r\n\r\n"),
        Client(socket_path) as client,
        pytest.raises(BrokenPipeError),
        client.events(),
    ):
        raise BrokenPipeError


@contextmanager
def answering(path: Path, answer: bytes) -> Iterator[None]:
    """Answer one request at a socket with these bytes, then hang up."""

    def serve() -> None:
        connection, _ = listener.accept()
        with connection:
            connection.recv(65_536)
            connection.sendall(answer)

    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(path))
        listener.listen()
        thread = threading.Thread(target=serve)
        thread.start()
        yield
        thread.join()


async def test_planned_times_are_asked_for_with_their_zone(client: AsyncClient) -> None:
    at = datetime(2026, 3, 1, 9, 30, tzinfo=timezone(timedelta(hours=2)))
    (slot,) = await client.ledger.slots("admin/cleanup", since=at)
    assert (slot.job, slot.due, slot.fate) == ("admin/cleanup", at, "skipped")
    view = await client.ledger.why("report", at=at, within_seconds=1)
    assert (view.at, view.until) == (at, at + timedelta(seconds=1))


async def test_alerts_are_listed_and_acknowledged(client: AsyncClient, engine: MemoryEngine) -> None:
    over = engine.alerts.add(1, "report", ended=datetime(2026, 3, 1, tzinfo=UTC))
    engine.alerts.add(2, "report")
    other = engine.alerts.add(3, "other")
    assert [one.id for one in await client.alerts.list()] == [3, 2]
    assert await client.alerts.list(ended=True, before=2) == [over]
    assert await client.alerts.list(job="other") == [other]
    acked = await client.alerts.ack(3, note="disk ordered")
    assert acked == engine.alerts.views[3]
    assert engine.alerts.actors[0].endswith(" via socket")
    with pytest.raises(NotFound, match="no alert 9"):
        await client.alerts.ack(9)
    with pytest.raises(Refused, match="is over already"):
        await client.alerts.ack(1)
