"""Servers that are slow, broken or send too much."""

from __future__ import annotations

import asyncio
import gzip
import zlib

import pytest

from moontide import CoreError
from tests.plugins.network.book import Book
from tests.plugins.network.pages import (
    Desk,
    OpenDesk,
    ask,
    client_with,
    echo,
    in_module_loop,
    never,
    says,
)
from tests.plugins.web import Seen, Send, Web, answer, serve

pytestmark = in_module_loop


async def test_a_slow_host_is_given_up_after_the_timeout_asked_for(desk: Desk) -> None:
    async with serve(never) as web:
        message, code = await desk.failure(
            "core.network.get(run.data.url, nil, { timeout = '50ms' })", url=web.url()
        )
        await asyncio.wait_for(web.hung_up.wait(), 5)
    assert message == f"core.network.get: no whole answer from 127.0.0.1:{web.port} within 50 ms"
    assert code == 815


async def test_a_host_that_sends_drop_by_drop_is_given_up_too(open_desk: OpenDesk) -> None:
    async def drip(seen: Seen, send: Send, web: Web) -> None:
        await send(b"HTTP/1.1 200 OK\r\n\r\n")
        while True:
            await send(b"x")
            await asyncio.sleep(0.01)

    desk = await open_desk('allow = ["127.0.0.1"]\ntimeout = "200ms"')
    async with serve(drip) as web:
        message, _ = await desk.failure("core.network.get(run.data.url)", url=web.url())
    assert message.endswith("within 200 ms")


@pytest.mark.parametrize(
    "page",
    [
        b"not http at all\r\n\r\n",
        b"HTTP/1.1 abc OK\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
        b"HTTP/1.1 200 OK\r\nX: " + b"x" * 200_000 + b"\r\n\r\n",
    ],
)
async def test_an_answer_that_is_no_http_is_an_error(desk: Desk, page: bytes) -> None:
    async with serve(says(page)) as web:
        message, code = await desk.failure("core.network.get(run.data.url)", url=web.url())
    assert message.startswith(f"core.network.get: 127.0.0.1:{web.port} does not answer as HTTP says")
    assert code == 815


@pytest.mark.parametrize("page", [b"", b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nshort"])
async def test_an_answer_that_breaks_off_is_an_error(desk: Desk, page: bytes) -> None:
    async def hang_up(seen: Seen, send: Send, web: Web) -> None:
        await send(page)
        raise ConnectionError

    async with serve(hang_up) as web:
        message, code = await desk.failure("core.network.get(run.data.url)", url=web.url())
    assert "hung up before its answer was whole" in message
    assert code == 815


async def test_a_port_where_nobody_listens_is_an_error(desk: Desk) -> None:
    async with serve(echo) as web:
        url = web.url()
    message, code = await desk.failure("core.network.get(run.data.url)", url=url)
    assert message == f"core.network.get: 127.0.0.1:{web.port} refuses connections"
    assert code == 815


async def test_a_body_of_ten_megabytes_arrives(desk: Desk) -> None:
    async with serve(says(answer(200, b"x" * 10 * 2**20))) as web:
        assert await desk.run("return job.OK, { #core.network.get(run.data.url).body }", url=web.url()) == [
            10 * 2**20
        ]


async def test_a_body_of_ten_megabytes_is_sent(desk: Desk) -> None:
    async with serve(says(answer(200, b"taken"))) as web:
        script = "return job.OK, { core.network.post(run.data.url, ('x'):rep(10 * 2^20)).body }"
        assert await desk.run(script, url=web.url()) == ["taken"]
        (seen,) = web.seen
        assert len(seen.body) == 10 * 2**20


async def test_a_body_over_the_limit_is_an_error_and_is_not_read_to_its_end(open_desk: OpenDesk) -> None:
    async def endless(seen: Seen, send: Send, web: Web) -> None:
        await send(b"HTTP/1.1 200 OK\r\n\r\n")
        while True:
            await send(b"x" * 10_000)

    desk = await open_desk('allow = ["127.0.0.1"]\nmax_body = "100KB"')
    async with serve(endless) as web:
        message, code = await desk.failure("core.network.get(run.data.url)", url=web.url())
        await asyncio.wait_for(web.hung_up.wait(), 5)
    assert message == (
        f"core.network.get: 127.0.0.1:{web.port}: the answer is larger than 100 KB, the limit (max_body)"
    )
    assert code == 815


def raw_deflate(data: bytes) -> bytes:
    packer = zlib.compressobj(wbits=-15)
    return packer.compress(data) + packer.flush()


@pytest.mark.parametrize(
    ("encoding", "packed", "body"),
    [
        ("gzip", gzip.compress(b"ab" * 200_000, mtime=0), b"ab" * 200_000),
        ("GZIP", gzip.compress(b"a", mtime=0) + gzip.compress(b"b", mtime=0), b"ab"),
        ("gzip", gzip.compress(b"a", mtime=0) + b"rubbish", b"a"),
        ("deflate", zlib.compress(b"zlib"), b"zlib"),
        ("deflate", raw_deflate(b"bare"), b"bare"),
        ("gzip", b"", b""),
        ("br", b"as it is", b"as it is"),
    ],
)
async def test_packed_bodies_arrive_unpacked(encoding: str, packed: bytes, body: bytes) -> None:
    async with (
        serve(says(answer(200, packed, Content_Encoding=encoding))) as web,
        client_with(Book(), "127.0.0.1") as client,
    ):
        assert (await ask(client, web.url()))["body"] == body
    assert web.seen[0].headers["accept-encoding"] == "gzip, deflate"


@pytest.mark.parametrize(
    ("encoding", "packed", "words"),
    [
        ("gzip", b"no gzip", "is not in the format gzip that it claims"),
        ("deflate", b"\xff\xff\xff", "is not in the format deflate that it claims"),
        ("gzip", gzip.compress(b"x" * 1000, mtime=0)[:-10], "ended in the middle of its packed data"),
        ("gzip", gzip.compress(bytes(50 * 2**20), mtime=0), "the answer is larger than 10 MB, the limit"),
    ],
)
async def test_a_body_that_does_not_unpack_is_an_error(encoding: str, packed: bytes, words: str) -> None:
    async with (
        serve(says(answer(200, packed, Content_Encoding=encoding))) as web,
        client_with(Book(), "127.0.0.1") as client,
    ):
        with pytest.raises(CoreError, match=words):
            await ask(client, web.url())


async def test_the_answers_of_a_pipeline_share_the_limit(open_desk: OpenDesk) -> None:
    desk = await open_desk('allow = ["127.0.0.1"]\nmax_body = "100KB"')
    async with serve(says(answer(200, b"x" * 60_000))) as web:
        result = await desk.run(
            "local r = core.network.pipeline({ { path = '/' }, { path = '/' } }, run.data.url) "
            "local good = 0 for _, one in ipairs(r) do if one.body then good = good + 1 end end "
            "return job.OK, { good, r[1].error or r[2].error }",
            url=web.url(),
        )
    assert result[0] == 1
    assert "larger than 100 KB" in result[1]
