from __future__ import annotations

import asyncio
import gc
import os
import socket
import stat
import time
import warnings
from contextlib import suppress
from pathlib import Path

import httpx
import pytest
from fastapi.routing import APIRoute
from starlette.types import Message

from engine.api.address import socket_in, split_tcp
from engine.api.breaking import BrokenOff
from engine.api.client import AsyncClient
from engine.api.guards import BODY_BYTES
from engine.api.server import ROUTERS, ApiServer, bind_unix, create_app
from engine.errors import HomeInUse, MoontideError, SettingsError
from engine.events import EngineStateChanged
from tests.engine.api.conftest import TOKEN
from tests.engine.api.memory_engine import START, MemoryEngine

RUN_FIELDS = {
    "id",
    "job",
    "status",
    "returned",
    "trigger",
    "attempt",
    "due",
    "started",
    "finished",
    "duration_ms",
    "error",
    "result",
    "info",
}
JOB_FIELDS = {
    "name",
    "path",
    "status",
    "reason",
    "active",
    "activity",
    "schedule",
    "next_run",
    "last_run",
    "last_status",
}


@pytest.fixture
async def http(server: ApiServer, engine: MemoryEngine):
    transport = httpx.AsyncHTTPTransport(uds=str(socket_in(engine.home)))
    async with httpx.AsyncClient(transport=transport, base_url="http://moontide") as http:
        yield http


def tcp(server: ApiServer, **headers: str) -> httpx.AsyncClient:
    return httpx.AsyncClient(base_url=f"http://127.0.0.1:{server.tcp_port}", headers=headers, trust_env=False)


def test_the_socket_is_never_open_to_others_even_with_a_wide_umask(tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        bound = bind_unix(tmp_path / "s")
    finally:
        os.umask(before)
    with bound:
        assert stat.S_IMODE((tmp_path / "s").stat().st_mode) == 0o600


async def test_the_serving_socket_has_mode_0600(server: ApiServer, engine: MemoryEngine) -> None:
    assert stat.S_IMODE(socket_in(engine.home).stat().st_mode) == 0o600


async def test_a_home_with_a_long_path_is_served_and_reached(tmp_path: Path) -> None:
    home = tmp_path / ("x" * 120) / ("y" * 120)
    home.mkdir(parents=True)
    server = ApiServer(MemoryEngine(home), socket_path=socket_in(home))
    await server.start()
    try:
        async with AsyncClient(socket_in(home)) as client:
            assert (await client.status()).home == str(home)
    finally:
        await server.stop()
    assert list(home.iterdir()) == []


async def test_a_socket_left_by_a_killed_engine_is_replaced(tmp_path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as left:
        left.bind(str(socket_in(tmp_path)))
    server = ApiServer(MemoryEngine(tmp_path), socket_path=socket_in(tmp_path))
    await server.start()
    await server.stop()
    assert not socket_in(tmp_path).exists()


async def test_a_second_server_leaves_the_first_ones_socket_alone(
    server: ApiServer, engine: MemoryEngine, client: AsyncClient
) -> None:
    second = ApiServer(engine, socket_path=socket_in(engine.home))
    with pytest.raises(HomeInUse, match="already runs in"):
        await second.start()
    assert (await client.status()).pid == 4242


def test_a_file_in_the_sockets_place_is_not_removed(tmp_path: Path) -> None:
    (tmp_path / "s").write_text("mine")
    with pytest.raises(SettingsError, match="in the way"):
        bind_unix(tmp_path / "s")
    assert (tmp_path / "s").read_text() == "mine"


async def test_a_tcp_address_that_is_taken_is_named_and_leaves_no_socket(
    server: ApiServer, tmp_path: Path
) -> None:
    home = tmp_path / "other"
    home.mkdir()
    address = f"127.0.0.1:{server.tcp_port}"
    second = ApiServer(MemoryEngine(home), socket_path=socket_in(home), tcp=address)
    with pytest.raises(SettingsError, match=f"api.tcp = '{address}': cannot listen"):
        await second.start()
    assert not socket_in(home).exists()


def test_tcp_addresses_are_hosts_with_ports() -> None:
    assert split_tcp("127.0.0.1:7424") == ("127.0.0.1", 7424)
    assert split_tcp("[::1]:80") == ("::1", 80)
    for wrong in ("7424", ":7424", "nas:", "nas:http", "nas:70000"):
        with pytest.raises(ValueError, match="a host and a port"):
            split_tcp(wrong)


@pytest.mark.parametrize("header", [{}, {"authorization": "Bearer wrong"}, {"authorization": TOKEN}])
async def test_tcp_without_the_right_token_is_refused(server: ApiServer, header: dict[str, str]) -> None:
    async with tcp(server, **header) as http:
        for path in ("/v1/jobs", "/openapi.json", "/nothing"):
            response = await http.get(path)
            assert response.status_code == 401
            assert response.json()["error"]["code"] == "unauthorized"


async def test_tcp_with_the_token_is_answered(server: ApiServer) -> None:
    async with tcp(server, authorization=f"Bearer {TOKEN}") as http:
        assert (await http.get("/v1/status")).status_code == 200


async def test_tcp_without_any_token_set_lets_nobody_in(engine: MemoryEngine) -> None:
    server = ApiServer(engine, socket_path=socket_in(engine.home), tcp="127.0.0.1:0")
    await server.start()
    try:
        async with tcp(server, authorization="Bearer None") as http:
            assert (await http.get("/v1/status")).status_code == 401
    finally:
        await server.stop()


async def test_the_engine_is_told_who_asks_and_by_which_way(
    server: ApiServer, http: httpx.AsyncClient, engine: MemoryEngine
) -> None:
    await http.post("/v1/reload", headers={"x-moontide-actor": "anna@web1"})
    await http.post("/v1/reload")
    async with tcp(server, authorization=f"Bearer {TOKEN}") as network:
        await network.post("/v1/reload", headers={"x-moontide-actor": "x" * 500})
    assert engine.actors == ["anna@web1 via socket", "api via socket", "x" * 100 + " via tcp"]


async def test_jobs_and_runs_have_the_promised_fields_and_times_with_offset(http: httpx.AsyncClient) -> None:
    job = (await http.get("/v1/jobs")).json()[0]
    started = await http.post("/v1/runs", json={"job": "report", "data": {"a": [1, None]}})
    run = (await http.get("/v1/runs")).json()[0]
    assert started.status_code == 202
    assert set(job) >= JOB_FIELDS
    assert set(run) >= RUN_FIELDS
    assert run["data"] == {"a": [1, None]}
    assert job["next_run"] == run["due"] == "2026-03-01T12:00:00Z"


ROUTES = sum(
    len(route.methods) for router in ROUTERS for route in router.routes if isinstance(route, APIRoute)
)


async def test_openapi_describes_every_route_with_its_answer(http: httpx.AsyncClient) -> None:
    document = (await http.get("/openapi.json")).json()
    operations = [op for path in document["paths"].values() for op in path.values()]
    assert len(operations) == len({op["operationId"] for op in operations}) == ROUTES
    assert all(op["summary"] for op in operations)
    assert set(document["components"]["schemas"]["JobView"]["properties"]) >= JOB_FIELDS
    assert set(document["components"]["schemas"]["RunView"]["properties"]) >= RUN_FIELDS


async def test_unknown_addresses_are_answered_in_words(http: httpx.AsyncClient) -> None:
    response = await http.get("/v2/jobs")
    assert response.status_code == 404
    assert "the API has no GET /v2/jobs" in response.json()["error"]["message"]


async def test_an_unknown_job_is_a_404_with_the_nearest_names(http: httpx.AsyncClient) -> None:
    response = await http.get("/v1/jobs/reprot")
    error = response.json()["error"]
    assert response.status_code == 404
    assert (error["code"], error["nearest"]) == ("job_not_found", ["report"])


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (b"{", "the body is not JSON"),
        (b"\xff", "body"),
        (b"[]", "body"),
        (b'{"job": 3}', "body.job: Input should be a valid string"),
        (b'{"job": "report", "dta": 1}', "body.dta: Extra inputs"),
        (b'{"job": "report", "data": NaN}', "body.data"),
    ],
)
async def test_a_bad_body_is_a_422_that_says_what_is_wrong(
    http: httpx.AsyncClient, body: bytes, words: str
) -> None:
    response = await http.post("/v1/runs", content=body, headers={"content-type": "application/json"})
    assert response.status_code in (400, 422)
    assert words in response.json()["error"]["message"]


async def test_a_bad_query_is_a_422_that_names_the_parameter(http: httpx.AsyncClient) -> None:
    response = await http.get("/v1/runs", params={"status": "LOST"})
    assert response.status_code == 422
    assert "query.status" in response.json()["error"]["message"]


async def test_a_body_above_the_limit_is_refused_whether_announced_or_not(http: httpx.AsyncClient) -> None:
    async def chunks():
        for _ in range(3):
            yield b" " * 2**20

    for content in (b" " * (BODY_BYTES + 1), chunks()):
        response = await http.put("/v1/sources/report", content=content)
        assert response.status_code == 413
        assert response.json()["error"]["message"] == "the request is larger than 2 MiB"


async def test_an_error_inside_the_engine_is_a_500_in_json_and_the_server_goes_on(
    http: httpx.AsyncClient, engine: MemoryEngine, caplog: pytest.LogCaptureFixture
) -> None:
    del engine.texts["report"]
    response = await http.get("/v1/sources/report")
    assert response.status_code == 500
    assert response.json()["error"]["code"] == "failed"
    assert "KeyError: 'report'" in caplog.text
    assert (await http.get("/v1/status")).status_code == 200


async def test_ten_thousand_jobs_are_listed_in_one_answer(
    http: httpx.AsyncClient, engine: MemoryEngine
) -> None:
    for number in range(10_000):
        engine.add(f"many/{number}")
    assert len((await http.get("/v1/jobs")).json()) == len(engine.views)


async def test_stopping_ends_open_streams_at_once(server: ApiServer, client: AsyncClient) -> None:
    async with client.events() as events:
        began = time.monotonic()
        await server.stop()
        assert [event async for event in events] == []
    assert time.monotonic() - began < 1.5


async def test_stopping_cuts_off_a_stream_whose_reader_does_not_read(
    server: ApiServer, engine: MemoryEngine
) -> None:
    reader = await silent_reader(engine)
    await fill(engine, rounds=20)
    async with asyncio.timeout(3.5):
        await server.stop()
    reader.close()


async def test_a_request_that_is_broken_off_by_the_end_of_the_engine_leaves_no_traceback(
    server: ApiServer,
    engine: MemoryEngine,
    client: AsyncClient,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    asked = asyncio.Event()

    async def never(*arguments: object, **named: object) -> None:
        asked.set()
        await asyncio.Event().wait()

    monkeypatch.setattr(engine, "run_job", never)
    asking = asyncio.ensure_future(client.run_job("report"))
    await asked.wait()
    await server.stop()
    with pytest.raises(MoontideError):
        await asking
    assert "POST /v1/runs was broken off, as the engine ends" in caplog.text
    assert "Traceback" not in caplog.text


async def test_a_request_whose_task_is_cancelled_is_answered_as_one_whose_end_is_not_known(
    caplog: pytest.LogCaptureFixture,
) -> None:
    sent: list[Message] = []
    begun = asyncio.Event()

    async def never(*_: object) -> None:
        begun.set()
        await asyncio.Event().wait()

    async def send(message: Message) -> None:
        sent.append(message)

    scope = {"type": "http", "method": "POST", "path": "/v1/reload", "headers": []}
    task = asyncio.ensure_future(BrokenOff(never)(scope, never, send))
    await begun.wait()
    task.cancel()
    await task
    assert (sent[0]["status"], b"commit_unknown" in sent[1]["body"]) == (503, True)


async def test_what_a_request_waits_for_being_cancelled_is_no_end_of_the_request() -> None:
    gone: asyncio.Future[None] = asyncio.get_running_loop().create_future()
    gone.cancel()

    async def waits(*_: object) -> None:
        await gone

    with pytest.raises(asyncio.CancelledError):
        await BrokenOff(waits)({"type": "http"}, waits, waits)


async def test_a_reader_that_does_not_read_costs_nothing_and_learns_that_it_lagged(
    server: ApiServer, engine: MemoryEngine, client: AsyncClient
) -> None:
    reader = await silent_reader(engine)
    await fill(engine, rounds=20)
    assert (await client.status()).state == "Running"
    loop = asyncio.get_running_loop()
    taken = b""
    async with asyncio.timeout(10):
        while b"event: Lagged" not in taken[-200_000:]:
            taken += await loop.sock_recv(reader, 65536)
    reader.close()


async def silent_reader(engine: MemoryEngine) -> socket.socket:
    """Open the event stream, take its head, and read no more."""
    reader = socket.socket(socket.AF_UNIX)
    reader.setblocking(False)
    loop = asyncio.get_running_loop()
    await loop.sock_connect(reader, str(socket_in(engine.home)))
    await loop.sock_sendall(reader, b"GET /v1/events HTTP/1.1\r\nhost: moontide\r\n\r\n")
    head = b""
    while b": heartbeat" not in head:
        head += await loop.sock_recv(reader, 4096)
    return reader


async def fill(engine: MemoryEngine, rounds: int) -> None:
    """Publish more than a socket's buffers and a feed's queue hold together."""
    for _ in range(rounds):
        for _ in range(500):
            engine.events.publish(EngineStateChanged(START, "Running", "x" * 200))
        await asyncio.sleep(0)


@pytest.mark.parametrize("turns", range(6))
async def test_a_connection_that_comes_while_it_stops_is_closed(
    server: ApiServer, engine: MemoryEngine, turns: int
) -> None:
    with socket.socket(socket.AF_UNIX) as caller, warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        caller.setblocking(False)
        caller.connect(str(socket_in(engine.home)))
        for _ in range(turns):
            await asyncio.sleep(0)
        await server.stop()
        with suppress(ConnectionResetError):
            assert caller.recv(1) == b""
        gc.collect()
    assert [str(one.message) for one in told] == []


async def test_a_request_on_a_stopped_server_finds_no_engine(server: ApiServer, client: AsyncClient) -> None:
    await server.stop()
    with pytest.raises(MoontideError, match="no engine is running in"):
        await client.status()


async def test_figures_are_given_as_text_for_prometheus(http: httpx.AsyncClient) -> None:
    answer = await http.get("/v1/metrics")
    assert answer.headers["content-type"].startswith("text/plain; version=0.0.4")
    assert "moontide_runs_running" in answer.text


def test_the_routes_of_the_api_are_made_once(engine: MemoryEngine) -> None:
    """`include_router` would make each anew at the first request, while the engine stands still."""
    ours = [route for router in ROUTERS for route in router.routes]
    assert all(any(route is one for one in create_app(engine).routes) for route in ours)
