from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import pytest

from engine.api.address import socket_in
from engine.api.client import AsyncClient
from engine.errors import EngineUnreachable

OK = b"HTTP/1.1 200 OK\r\n"
LIST = OK + b"Content-Length: 2\r\n\r\n[]"


class Engine:
    """Answers each request with the next of some texts; after the last one it hangs up."""

    def __init__(self, *answers: bytes) -> None:
        self.answers = list(answers)
        self.heads: list[bytes] = []
        self.serving: list[asyncio.Task[None]] = []
        self.asked = asyncio.Event()
        self.hung_up = asyncio.Event()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self.serving.append(task)
        while self.answers:
            try:
                self.heads.append(await reader.readuntil(b"\r\n\r\n"))
            except (asyncio.IncompleteReadError, ConnectionError):
                break
            writer.write(self.answers.pop(0))
            self.asked.set()
        writer.close()
        with suppress(ConnectionError):
            await writer.wait_closed()
        self.hung_up.set()


@asynccontextmanager
async def answering(home: Path, *answers: bytes) -> AsyncIterator[tuple[Engine, AsyncClient]]:
    engine = Engine(*answers)
    listening = await asyncio.start_unix_server(engine.serve, socket_in(home))
    async with listening, AsyncClient(socket_in(home), actor="anna@web1") as client:
        yield engine, client
    await asyncio.gather(*engine.serving)


@pytest.mark.parametrize(
    "answer",
    [
        LIST,
        OK + b"transfer-encoding: chunked\r\n\r\n1;what=ever\r\n[\r\n1\r\n]\r\n0\r\nTold: later\r\n\r\n",
        OK + b"\r\n[]",
        b"HTTP/1.0 200 OK\r\n\r\n[]",
        b"HTTP/1.1 103 Early Hints\r\nLink: </>\r\n\r\n" + LIST,
        b"HTTP/1.1 200\nContent-Length:2\n\n[]",
    ],
)
async def test_an_answer_ends_where_http_says(tmp_path: Path, answer: bytes) -> None:
    async with answering(tmp_path, answer) as (_, client):
        assert await client.listed_jobs() == []


@pytest.mark.parametrize(
    "answer",
    [
        b"",
        b"HTTP/1.1 200 O",
        b"SSH-2.0-OpenSSH_9.2\r\n",
        b"HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: other\r\n\r\n",
        b"HTTP/1.1 2x0 OK\r\n\r\n[]",
        OK + b"Content-Length: 3\r\n\r\n[]",
        OK + b"Content-Length: -2\r\n\r\n[]",
        OK + b"Transfer-Encoding: chunked\r\n\r\n2\r\n[]\r\n",
        OK + b"Transfer-Encoding: chunked\r\n\r\n5\r\n[]",
        OK + b"Transfer-Encoding: chunked\r\n\r\n-2\r\n[]\r\n0\r\n\r\n",
        OK + b"Name: " + b"x" * 2**22,
    ],
)
async def test_what_is_no_whole_answer_is_told_as_an_engine_that_went_away(
    tmp_path: Path, answer: bytes
) -> None:
    async with answering(tmp_path, answer) as (_, client):
        with pytest.raises(EngineUnreachable, match="went away"):
            await client.listed_jobs()


async def test_a_connection_is_used_again(tmp_path: Path) -> None:
    async with answering(tmp_path, *[LIST] * 3) as (engine, client):
        assert [await client.listed_jobs() for _ in range(3)] == [[]] * 3
    assert len(engine.serving) == 1


@pytest.mark.parametrize(
    "last", [LIST.replace(b"\r\n", b"\r\nConnection: close\r\n", 1), LIST.replace(b"1.1", b"1.0")]
)
async def test_a_connection_that_ends_with_its_answer_is_not_used_again(tmp_path: Path, last: bytes) -> None:
    async with answering(tmp_path, last) as (engine, client):
        assert await client.listed_jobs() == []
        engine.answers.append(LIST)
        assert await client.listed_jobs() == []
    assert len(engine.serving) == 2


async def test_a_connection_that_the_engine_closes_later_is_not_used_again(tmp_path: Path) -> None:
    async with answering(tmp_path, LIST) as (engine, client):
        await client.listed_jobs()
        await engine.hung_up.wait()
        engine.answers.append(LIST)
        assert await client.listed_jobs() == []


async def test_requests_at_the_same_time_do_not_wait_for_each_other(tmp_path: Path) -> None:
    async with answering(tmp_path, LIST, LIST) as (engine, client):
        both = await asyncio.gather(client.listed_jobs(), client.listed_jobs())
    assert both == [[], []]
    assert len(engine.serving) == 2


async def test_a_request_that_is_given_up_leaves_its_answer_to_none(tmp_path: Path) -> None:
    async with answering(tmp_path, b"HTTP/1.1 200 OK\r\n", LIST) as (engine, client):
        asking = asyncio.ensure_future(client.listed_jobs())
        await engine.asked.wait()
        asking.cancel()
        with pytest.raises(asyncio.CancelledError):
            await asking
        assert await client.listed_jobs() == []
    assert len(engine.serving) == 2


@pytest.mark.parametrize(
    ("url", "host"),
    [
        ("http://localhost:{}", b"localhost:%d"),
        ("http://LOCALHOST:{}/behind/a/proxy/", b"localhost:%d"),
        ("http://127.0.0.1:{}", b"127.0.0.1:%d"),
    ],
)
async def test_the_engine_is_called_by_its_host_and_port(url: str, host: bytes) -> None:
    engine = Engine(LIST)
    listening = await asyncio.start_server(engine.serve, "127.0.0.1", 0)
    port = listening.sockets[0].getsockname()[1]
    async with listening, AsyncClient(url.format(port)) as client:
        assert await client.listed_jobs() == []
    await asyncio.gather(*engine.serving)
    first, *fields = engine.heads[0].split(b"\r\n")
    assert first.endswith(b"/v1/listed-jobs HTTP/1.1")
    assert b"host: " + host % port in fields
