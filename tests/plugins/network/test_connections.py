"""Connections: shared, encrypted, closed."""

from __future__ import annotations

import asyncio
from pathlib import Path

import trustme

from plugins.network.addresses import Addresses
from plugins.network.client import Client
from plugins.network.settings import NetworkSettings
from tests.plugins.network.book import Book
from tests.plugins.network.pages import (
    JOB,
    Desk,
    ask,
    client_with,
    echo,
    in_module_loop,
    never,
    says,
    tls_context,
)
from tests.plugins.web import Seen, Send, Web, answer, serve, serve_http2

pytestmark = in_module_loop


async def test_runs_share_connections_but_no_cookies(desk: Desk) -> None:
    async with serve(says(answer(200, Set_Cookie="session=1"))) as web:
        for _ in range(3):
            await desk.run("core.network.get(run.data.url) return job.OK", url=web.url())
    assert [one.connection for one in web.seen] == [1, 1, 1]
    assert [one for one in web.seen if "cookie" in one.headers] == []


async def test_a_call_ends_with_its_run(desk: Desk) -> None:
    async with serve(never) as web:
        text = JOB.format(settings="timeout = '1s'", body="core.network.get(run.data.url) return job.OK")
        running = asyncio.create_task(desk.lab.run("web", text, {"url": web.url()}))
        await asyncio.wait_for(web.asked.wait(), 5)
        assert not web.hung_up.is_set()
        outcome = await running
        await asyncio.wait_for(web.hung_up.wait(), 5)
    assert outcome.status.value == "TIMEOUT"


async def test_https_hosts_must_prove_who_they_are(desk: Desk) -> None:
    stranger = tls_context(trustme.CA(), "127.0.0.1")
    async with serve(says(answer(200, b"good")), tls=stranger) as web:
        message, code = await desk.failure("core.network.get(run.data.url)", url=web.url())
        assert message.startswith(
            f"core.network.get: the certificate of 127.0.0.1:{web.port} is not trusted: "
        )
        assert code == 815
        body = (
            "local r = core.network.get(run.data.url, nil, { ssl_verify = false }) "
            "local again = core.network.get(run.data.url) return job.OK, { r.body, again == nil }"
        )
        assert await desk.run(body, url=web.url()) == ["good", True]


async def test_an_authority_of_the_operator_is_trusted(desk: Desk) -> None:
    tls = tls_context(desk.authority, "127.0.0.1")
    async with serve(says(answer(200, b"proven")), tls=tls) as web:
        body = "return job.OK, { core.network.get(run.data.url).body }"
        assert await desk.run(body, url=web.url()) == ["proven"]


async def test_a_certificate_for_another_name_is_refused(desk: Desk) -> None:
    async with serve(echo, tls=tls_context(desk.authority, "other.test")) as web:
        message, _ = await desk.failure("core.network.get(run.data.url)", url=web.url())
    assert "is not trusted: IP address mismatch" in message


async def test_a_certificate_is_checked_against_the_name_not_the_address(
    authority: trustme.CA, tmp_path: Path
) -> None:
    authority.cert_pem.write_to_path(str(tmp_path / "ca.pem"))
    settings = NetworkSettings(ca_file=str(tmp_path / "ca.pem"))
    addresses = Addresses(["127.0.0.1"], resolve=Book(name_test=[["127.0.0.1"]]))
    async with (
        serve(echo, tls=tls_context(authority, "name.test")) as web,
        Client(settings, addresses=addresses) as client,
    ):
        assert (await ask(client, web.url(host="name.test")))["status"] == 200


async def test_a_host_without_tls_is_an_error_in_words(desk: Desk) -> None:
    async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(answer(400, b"plain HTTP only"))
        writer.close()

    async with await asyncio.start_server(connected, "127.0.0.1", 0) as server:
        host = f"127.0.0.1:{server.sockets[0].getsockname()[1]}"
        message, code = await desk.failure("core.network.get(run.data.url)", url=f"https://{host}/")
    assert message == f"core.network.get: {host} does not speak TLS as it should"
    assert code == 815


async def test_http2_is_spoken_and_its_requests_share_one_connection(desk: Desk) -> None:
    async with serve_http2(tls_context(desk.authority, "127.0.0.1")) as web:
        result = await desk.run(
            "local first = core.network.get(run.data.url .. '/0') "
            "local r = core.network.pipeline("
            "{ { path = '/1' }, { path = '/2' }, { path = '/3' } }, run.data.url) "
            "return job.OK, { first.headers['x-protocol'], first.body, r[1].body, r[2].body, r[3].body }",
            url=web.url(""),
        )
    assert result == ["h2", "/0", "/1", "/2", "/3"]
    assert web.connections == 1


async def test_first_requests_at_the_same_time_end_up_on_one_http2_connection(
    authority: trustme.CA, tmp_path: Path
) -> None:
    authority.cert_pem.write_to_path(str(tmp_path / "ca.pem"))
    settings = NetworkSettings(allow=["127.0.0.1"], ca_file=str(tmp_path / "ca.pem"))
    async with serve_http2(tls_context(authority, "127.0.0.1")) as web, Client(settings) as client:
        for _ in range(2):
            answers = await asyncio.gather(*(ask(client, web.url(f"/{n}")) for n in range(5)))
            assert [one["body"] for one in answers] == [f"/{n}".encode() for n in range(5)]
    assert len({one.connection for one in web.seen[5:]}) == 1


async def test_a_connection_that_the_host_closed_is_not_used_again() -> None:
    async def once(seen: Seen, send: Send, web: Web) -> None:
        await send(answer(200, b"x"))
        raise ConnectionResetError

    async with serve(once) as web, client_with(Book(), "127.0.0.1") as client:
        for _ in range(3):
            assert (await ask(client, web.url()))["status"] == 200
            await asyncio.wait_for(web.hung_up.wait(), 5)
            web.hung_up.clear()
    assert [one.connection for one in web.seen] == [1, 2, 3]


async def test_a_handshake_that_takes_too_long_leaves_no_connection_behind(desk: Desk) -> None:
    gone = asyncio.Event()

    async def silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while await reader.read(1000):
            pass
        gone.set()
        writer.close()

    async with await asyncio.start_server(silent, "127.0.0.1", 0) as server:
        url = f"https://127.0.0.1:{server.sockets[0].getsockname()[1]}/"
        _, code = await desk.failure("core.network.get(run.data.url, nil, { timeout = 0.1 })", url=url)
        await asyncio.wait_for(gone.wait(), 5)
    assert code == 815


async def test_a_hundred_calls_at_once_are_under_way_together() -> None:
    everyone = asyncio.Event()

    async def respond(seen: Seen, send: Send, web: Web) -> None:
        if len(web.seen) == 100:
            everyone.set()
        await everyone.wait()
        await send(answer(200, b"x"))

    async with serve(respond) as web, client_with(Book(), "127.0.0.1") as client:
        answers = await asyncio.gather(*(ask(client, web.url()) for _ in range(100)))
    assert [one["status"] for one in answers] == [200] * 100
