"""core.network from Lua, in the real sandbox, against real servers on loopback."""

from __future__ import annotations

import asyncio
import gzip
import json
import ssl
import zlib
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
import trustme

from engine.extensions.plugins import Plugins
from engine.sandbox.pool import WorkerPool
from engine.settings import load_settings
from moontide import CoreError
from plugins.network.addresses import Addresses
from plugins.network.client import Client
from plugins.network.request import Request, check_url
from plugins.network.settings import NetworkSettings
from tests.lab import Lab, open_lab, open_pool, plugins_with
from tests.plugins.test_network_addresses import Book
from tests.plugins.web import Seen, Send, Web, answer, serve, serve_http2

in_module_loop = pytest.mark.asyncio(loop_scope="module")
pytestmark = in_module_loop

JOB = "local job = core.job {{ {settings} }} function job.run(run) {body}\nend return job"


@dataclass
class Desk:
    """A lab whose jobs may reach 127.0.0.1, and what they are given."""

    lab: Lab
    authority: trustme.CA

    async def run(self, body: str, *, settings: str = "", **data: Any) -> Any:
        """Run the body of a job that must succeed, and return its result."""
        outcome = await self.lab.run("web", JOB.format(settings=settings, body=body), data)
        assert outcome.error is None, outcome.error
        assert outcome.result_note is None, outcome.result_note
        return outcome.result

    async def failure(self, call: str, **data: Any) -> tuple[str, int]:
        """Return message and code of a call that must fail."""
        value, message, code = await self.run(
            f"local v, m, c = {call} return job.OK, {{ v == nil, m or 'no error', c or 0 }}", **data
        )
        assert value is True, f"{call} did not fail"
        return message, code


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    return trustme.CA()


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def workers() -> AsyncIterator[tuple[WorkerPool, Plugins]]:
    plugins = plugins_with()
    async with open_pool(plugins) as pool:
        yield pool, plugins


OpenDesk = Callable[..., Awaitable[Desk]]


@pytest_asyncio.fixture(loop_scope="module")
async def open_desk(
    workers: tuple[WorkerPool, Plugins], tmp_path: Path, authority: trustme.CA
) -> AsyncIterator[OpenDesk]:
    """Open a lab with lines for moontide.toml."""
    closing: list[Any] = []

    async def open_with(network: str = 'allow = ["127.0.0.1"]', engine: str = "") -> Desk:
        (tmp_path / "jobs").mkdir()
        authority.cert_pem.write_to_path(str(tmp_path / "ca.pem"))
        ca_file = f"ca_file = '{tmp_path / 'ca.pem'}'"
        (tmp_path / "moontide.toml").write_text(f"{engine}\n[network]\n{network}\n{ca_file}\n")
        opened = open_lab(
            *workers, tmp_path / "jobs", tmp_path, home=tmp_path, settings=load_settings(tmp_path)
        )
        closing.append(opened)
        return Desk(await opened.__aenter__(), authority)

    yield open_with
    for opened in closing:
        await opened.__aexit__(None, None, None)


@pytest_asyncio.fixture(loop_scope="module")
async def desk(open_desk: OpenDesk) -> Desk:
    return await open_desk()


def tls_context(authority: trustme.CA, *names: str) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert(*names).configure_cert(context)
    return context


async def echo(seen: Seen, send: Send, web: Web) -> None:
    """Answer with what was asked."""
    told = {
        "method": seen.method,
        "path": seen.path,
        "headers": seen.headers,
        "body": seen.body.decode("latin-1"),
    }
    await send(answer(200, json.dumps(told).encode(), Content_Type="application/json"))


def says(*answers: bytes) -> Callable[[Seen, Send, Web], Awaitable[None]]:
    """Return an answering function that sends these, one for each request, the last again and again."""
    waiting = list(answers)

    async def respond(seen: Seen, send: Send, web: Web) -> None:
        await send(waiting.pop(0) if len(waiting) > 1 else waiting[0])

    return respond


async def never(seen: Seen, send: Send, web: Web) -> None:
    await asyncio.get_running_loop().create_future()


# The functions


async def test_get_returns_body_headers_and_status(desk: Desk) -> None:
    page = answer(200, b"\x00\xff page", X_Two="a", x_two="b", Set_Cookie="c=1, 2")
    async with serve(says(page)) as web:
        result = await desk.run(
            "local r = core.network.get(run.data.url) "
            "local h = r.headers "
            "return job.OK, { r.status, r.body == '\\0\\xff page', h['x-two'], h['set-cookie'] }",
            url=web.url("/a?b=c"),
        )
    assert result == [200, True, "a, b", "c=1, 2"]
    assert (web.seen[0].method, web.seen[0].path, web.seen[0].body) == ("GET", "/a?b=c", b"")
    assert web.seen[0].headers["user-agent"] == "Moontide"


@pytest.mark.parametrize("status", [404, 500, 304])
async def test_an_http_error_is_an_answer(desk: Desk, status: int) -> None:
    async with serve(says(answer(status, b"" if status == 304 else b"sorry"))) as web:
        assert await desk.run(
            "local r, e = core.network.get(run.data.url) return job.OK, { r.status, tostring(e) }",
            url=web.url(),
        ) == [status, "nil"]


async def test_request_sends_method_headers_and_body(desk: Desk) -> None:
    async with serve(echo) as web:
        await desk.run(
            "core.network.request(run.data.url, { method = 'put', body = 'a\\xffb', "
            "headers = { ['X-Job'] = 7, Accept = 'text/plain' } }) return job.OK",
            url=web.url(),
        )
    seen = web.seen[0]
    assert (seen.method, seen.body) == ("PUT", b"a\xffb")
    assert (seen.headers["x-job"], seen.headers["accept"]) == ("7", "text/plain")
    assert "content-type" not in seen.headers


async def test_post_sends_a_form_unless_told_otherwise(desk: Desk) -> None:
    async with serve(echo) as web:
        await desk.run(
            "local url = run.data.url core.network.post(url, core.network.encode({ a = 1 })) "
            "core.network.post(url, 'x', { ['content-type'] = 'text/plain' }) core.network.post(url) "
            "return job.OK",
            url=web.url(),
        )
    assert [one.body for one in web.seen] == [b"a=1", b"x", b""]
    assert [one.headers["content-type"] for one in web.seen] == [
        "application/x-www-form-urlencoded",
        "text/plain",
        "application/x-www-form-urlencoded",
    ]
    assert web.seen[2].headers["content-length"] == "0"


async def test_get_json_returns_the_decoded_table(desk: Desk) -> None:
    async with serve(says(answer(200, b'{"a": [1, null, 2.5], "b": {"c": true}, "n": null}'))) as web:
        result = await desk.run(
            "local t = core.network.getJson(run.data.url) "
            "return job.OK, { t.a[1], t.a[2] == core.NULL, t.a[3], t.b.c, t.n == nil }",
            url=web.url(),
        )
    assert result == [1, True, 2.5, True, True]
    assert web.seen[0].headers["accept"] == "application/json"


@pytest.mark.parametrize(
    ("page", "words"),
    [
        (answer(200, b"<html>"), "did not send JSON"),
        (answer(200, b""), "did not send JSON"),
        (answer(200, b"null"), "sent null"),
        (answer(200, b"[" * 100 + b"]" * 100), "sent JSON nested deeper than 30 levels"),
        (answer(200, b"[" * 100_000), "did not send JSON"),
        (
            answer(200, b" " * 2**20 + b"1"),
            "sent more than 1 MB of JSON; take core.network.get and core.json.decode",
        ),
        (answer(404, b"{}"), "answered with status 404"),
    ],
)
async def test_get_json_answers_830_for_what_is_no_json(desk: Desk, page: bytes, words: str) -> None:
    async with serve(says(page)) as web:
        message, code = await desk.failure("core.network.getJson(run.data.url)", url=web.url())
    assert (message, code) == (f"core.network.getJson: 127.0.0.1:{web.port} {words}", 830)


async def test_json_of_nine_megabytes_is_fetched_and_read_in_two_steps(desk: Desk) -> None:
    page = b'{"rows": ["' + b"x" * 9 * 2**20 + b'"]}'
    async with serve(says(answer(200, page))) as web:
        body = (
            "local page = core.network.get(run.data.url) return job.OK, #core.json.decode(page.body).rows[1]"
        )
        assert await desk.run(body, url=web.url()) == 9 * 2**20


async def test_post_json_sends_a_table_and_returns_the_answer(desk: Desk) -> None:
    async with serve(says(answer(201, b"made"))) as web:
        result = await desk.run(
            "local r = core.network.postJson(run.data.url, { a = { 1, 2.0, core.NULL }, b = 'ü' }) "
            "return job.OK, { r.status, r.body }",
            url=web.url(),
        )
    assert result == [201, "made"]
    assert json.loads(web.seen[0].body) == {"a": [1, 2, None], "b": "ü"}
    assert b"2.0" not in web.seen[0].body
    assert web.seen[0].headers["content-type"] == "application/json"


async def test_post_json_refuses_text_that_is_not_utf8(desk: Desk) -> None:
    call = "core.network.postJson('http://127.0.0.1:1/', { a = '\\xff' })"
    assert await desk.failure(call) == (
        "core.network.postJson: a string in the table is not UTF-8 text",
        831,
    )


@pytest.mark.parametrize(
    ("table", "text"),
    [
        ("{}", ""),
        ("{ b = 2, a = 'x y&z=ü' }", "a=x%20y%26z%3D%C3%BC&b=2"),
        ("{ t = true, f = false, n = 1.0, m = 1.5 }", "f=false&m=1.5&n=1&t=true"),
        ("{ raw = '\\xff/' }", "raw=%FF%2F"),
    ],
)
async def test_encode_writes_a_flat_table_for_a_url(desk: Desk, table: str, text: str) -> None:
    assert await desk.run(f"return job.OK, {{ core.network.encode({table}) }}") == [text]


async def test_encode_refuses_tables_inside_tables(desk: Desk) -> None:
    message, code = await desk.failure("core.network.encode({ a = {} })")
    assert message.startswith("core.network.encode: values.a must be")
    assert code == 801


async def test_a_pipeline_answers_in_order_and_at_the_same_time(desk: Desk) -> None:
    started: list[str] = []
    all_started = asyncio.Event()

    async def respond(seen: Seen, send: Send, web: Web) -> None:
        started.append(seen.path)
        if len(started) == 3:
            all_started.set()
        await all_started.wait()
        await send(answer(200, f"{seen.method} {seen.path} {seen.body.decode()}".encode()))

    async with serve(respond) as web:
        result = await desk.run(
            "local r = core.network.pipeline({ { path = '/1' }, { path = '/2', method = 'POST', "
            "body = 'x' }, { path = '//other.test/' } }, run.data.url) "
            "return job.OK, { r[1].body, r[2].body, r[3].body, #r }",
            url=web.url("/base/"),
        )
    assert result == ["GET /base/1 ", "POST /base/2 x", "GET /base//other.test/ ", 3]


async def test_a_request_of_a_pipeline_that_fails_leaves_the_others(desk: Desk) -> None:
    async def respond(seen: Seen, send: Send, web: Web) -> None:
        await send(b"what?\r\n\r\n" if seen.path == "/bad" else answer(200, b"good"))

    async with serve(respond) as web:
        result = await desk.run(
            "local r = core.network.pipeline({ { path = '/bad' }, { path = '/' } }, run.data.url) "
            "return job.OK, { r[1].error, r[1].code, r[1].status == nil, r[2].body }",
            url=web.url(),
        )
    assert result[0].startswith(f"core.network.pipeline: requests[1]: 127.0.0.1:{web.port} does not answer")
    assert result[1:] == [815, True, "good"]


async def test_an_empty_pipeline_has_no_answers(desk: Desk) -> None:
    assert await desk.run("return job.OK, { #core.network.pipeline({}, 'http://127.0.0.1:1') }") == [0]


# Wrong arguments


@pytest.mark.parametrize(
    ("call", "words", "code"),
    [
        ("get()", "core.network.get: url must be a string, got nil", 804),
        ("get({})", "core.network.get: url must be a string, got a table", 801),
        ("get('ftp://a.test/')", "must begin with http:// or https://", 801),
        ("get('file:///etc/passwd')", "must begin with http:// or https://", 801),
        ("get('nonsense')", "must begin with http:// or https://", 801),
        ("get('http:///x')", "must begin with http:// or https://", 801),
        ("get('http://a.test/\\r\\nHost: b')", "the URL cannot be understood", 801),
        ("get('http://localho\u017ft/')", "the URL cannot be understood", 801),
        ("get('http://[/')", "the host in the URL is none", 801),
        ("get('http://a%2eb/')", "the host in the URL is none", 801),
        ("get('http://' .. ('x'):rep(20000))", "the URL is longer than 16384 characters", 801),
        ("get('http://me:secret@a.test/')", "send it in the header Authorization", 801),
        ("get('http://a.test:25/')", "port 25 is not for web requests", 801),
        ("get('http://a.test:0/')", "port 0 is not for web requests", 801),
        ("get('http://a.test/', 'x')", "headers must be a table, got a string", 801),
        ("get('http://a.test/', { host = 'b.test' })", "the header host cannot be set by a job", 801),
        ("get('http://a.test/', { ['Proxy-Auth'] = 'x' })", "the header Proxy-Auth cannot be set", 801),
        ("get('http://a.test/', { x = 'a\\r\\nHost: b' })", "the header x has a line break", 801),
        ("get('http://a.test/', { ['a b'] = 'x' })", "headers has a name that is none", 801),
        ("get('http://a.test/', nil, { timeout = 0 })", "must be more than 0 and at most 600 s", 801),
        ("get('http://a.test/', nil, { timeout = 'soon' })", "'soon' is not a duration", 801),
        ("get('http://a.test/', nil, { tiemout = 1 })", "options.tiemout is not known", 801),
        ("get('http://a.test/', nil, { max_redirects = 9 })", "must be between 0 and 5", 801),
        ("request('http://a.test/')", "core.network.request: params must be a table, got nil", 804),
        ("request('http://a.test/', {})", "params.method is required", 804),
        ("request('http://a.test/', { method = 'CONNECT' })", "method must be one of GET, HEAD", 801),
        ("postJson('http://a.test/')", "value must be", 804),
        ("pipeline({ {} }, 'http://a.test')", "path is required", 804),
        ("pipeline({ { path = 'x' } }, 'http://a.test')", "requests[1].path must begin with /", 801),
        ("pipeline({ { path = '/' } })", "url must be a string, got nil", 804),
    ],
)
async def test_wrong_arguments_are_answered_in_words(desk: Desk, call: str, words: str, code: int) -> None:
    message, told = await desk.failure(f"core.network.{call}")
    assert words in message
    assert told == code
    assert message.startswith("core.network.")
    assert "secret" not in message


async def test_more_requests_than_a_pipeline_takes_are_refused(desk: Desk) -> None:
    message, code = await desk.failure(
        "(function() local r = {} for i = 1, 101 do r[i] = { path = '/' } end "
        "return core.network.pipeline(r, 'http://127.0.0.1:1') end)()"
    )
    assert (message, code) == ("core.network.pipeline: requests may hold 100 at most", 801)


# Who may be reached


async def test_a_private_address_is_refused_with_the_line_to_add(open_desk: OpenDesk) -> None:
    desk = await open_desk("")
    message, code = await desk.failure("core.network.get('http://127.0.0.1:8080/')")
    assert message == (
        "core.network.get: 127.0.0.1:8080 is a loopback address; to let jobs reach it, add to moontide.toml: "
        '[network] allow = ["127.0.0.1:8080"]'
    )
    assert code == 815


@pytest.mark.parametrize(
    "url", ["http://169.254.169.254/", "http://[fd00:ec2::254]/", "http://[::ffff:169.254.169.254]/"]
)
async def test_metadata_addresses_are_refused_even_if_listed(open_desk: OpenDesk, url: str) -> None:
    desk = await open_desk('allow = ["0.0.0.0/0", "::/0"]')
    message, code = await desk.failure(f"core.network.get('{url}')")
    assert message.endswith("which no job may reach")
    assert code == 815


async def test_a_redirect_to_an_address_that_is_refused_is_not_followed(open_desk: OpenDesk) -> None:
    async with serve(echo) as inner, serve(says(answer(302, Location=inner.url("/secret")))) as outer:
        desk = await open_desk(f'allow = ["127.0.0.1:{outer.port}"]')
        message, code = await desk.failure("core.network.get(run.data.url)", url=outer.url())
        assert f"127.0.0.1:{inner.port} is a loopback address" in message
        assert code == 815
        assert inner.seen == []


def client_with(book: Book, *allow: str) -> Client:
    return Client(NetworkSettings(allow=list(allow)), addresses=Addresses(allow, resolve=book))


def get_request(url: str, **other: Any) -> Request:
    given = {"headers": (), "body": None, "timeout_seconds": 5.0, "max_redirects": 5, **other}
    return Request("get", "GET", check_url("get", url), **given)


async def ask(client: Client, url: str, **other: Any) -> dict[str, Any]:
    return await client.send(get_request(url, **other), permit=lambda _: None, room=client.room())


async def test_a_name_that_changes_its_address_between_requests_gets_nowhere() -> None:
    close = answer(200, b"first", Connection="close")
    async with serve(says(close)) as web:
        book = Book(good_test=[["127.0.0.1"], ["127.0.0.2"]])
        async with client_with(book, f"127.0.0.1:{web.port}") as client:
            assert (await ask(client, web.url(host="good.test")))["body"] == b"first"
            with pytest.raises(CoreError, match=r"leads to 127\.0\.0\.2, a loopback address"):
                await ask(client, web.url(host="good.test"))
    assert book.asked == ["good.test", "good.test"]
    assert len(web.seen) == 1


async def test_the_connection_goes_to_the_checked_address_and_keeps_the_name() -> None:
    async with serve(echo) as web:
        book = Book(name_test=[["127.0.0.1"], ["10.255.255.1"]])
        async with client_with(book, "127.0.0.1") as client:
            await ask(client, web.url(host="name.test"))
            await ask(client, web.url(host="name.test"))
    assert book.asked == ["name.test"]
    assert [one.headers["host"] for one in web.seen] == [f"name.test:{web.port}"] * 2


async def test_an_address_that_refuses_gives_way_to_the_next() -> None:
    async with serve(echo) as web:
        book = Book(two_test=[["127.0.0.9", "127.0.0.1"]])
        async with client_with(book, "127.0.0.0/8") as client:
            assert (await ask(client, web.url(host="two.test")))["status"] == 200


async def test_a_name_with_one_private_address_is_refused_whole() -> None:
    async with serve(echo) as web:
        book = Book(mixed_test=[["127.0.0.1", "10.0.0.1"]])
        async with client_with(book, "127.0.0.1") as client:
            with pytest.raises(CoreError, match=r"leads to 10\.0\.0\.1"):
                await ask(client, web.url(host="mixed.test"))
    assert web.seen == []


async def test_proxies_of_the_environment_are_not_used(
    open_desk: OpenDesk, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with serve(echo) as proxy, serve(says(answer(200, b"direct"))) as web:
        for name in ("http_proxy", "https_proxy", "all_proxy", "HTTP_PROXY", "ALL_PROXY"):
            monkeypatch.setenv(name, proxy.url())
        desk = await open_desk()
        result = await desk.run("return job.OK, { core.network.get(run.data.url).body }", url=web.url())
    assert result == ["direct"]
    assert proxy.connections == 0


async def test_a_job_reaches_only_what_it_declares(open_desk: OpenDesk) -> None:
    desk = await open_desk(engine='permissions = "declared"')
    async with serve(echo) as inner, serve(says(answer(302, Location=inner.url()))) as outer:
        allow = f"allow = {{ network = {{ '127.0.0.1:{outer.port}' }} }}"
        body = "local _, m, c = core.network.get(run.data.url) return job.OK, { m, c }"
        direct = await desk.run(body, settings=allow, url=inner.url())
        redirected = await desk.run(body, settings=allow, url=outer.url())
    words = f"job web may not reach 127.0.0.1:{inner.port} by core.network; its allow does not list it"
    assert direct == [words, 801]
    assert redirected == [words, 801]
    assert inner.connections == 0


# Redirects


async def test_redirects_are_followed_to_the_end(desk: Desk) -> None:
    pages = says(answer(301, b"moved", Location="/b?x=1"), answer(307, Location="c"), answer(200, b"end"))
    async with serve(pages) as web:
        result = await desk.run(
            "local r = core.network.get(run.data.url) return job.OK, { r.status, r.body }", url=web.url("/a/")
        )
    assert result == [200, "end"]
    assert [one.path for one in web.seen] == ["/a/", "/b?x=1", "/c"]
    assert web.connections == 1


@pytest.mark.parametrize(
    ("status", "method", "body"),
    [(301, "GET", b""), (302, "GET", b""), (303, "GET", b""), (307, "POST", b"x"), (308, "POST", b"x")],
)
async def test_a_redirected_post_is_sent_again_only_where_the_status_says_so(
    desk: Desk, status: int, method: str, body: bytes
) -> None:
    async with serve(says(answer(status, Location="/next"), answer())) as web:
        await desk.run("core.network.post(run.data.url, 'x') return job.OK", url=web.url())
    assert (web.seen[1].method, web.seen[1].body) == (method, body)
    assert ("content-type" in web.seen[1].headers) == (method == "POST")


async def test_a_loop_of_redirects_ends(desk: Desk) -> None:
    async with serve(says(answer(302, Location="/again"))) as web:
        message, code = await desk.failure("core.network.get(run.data.url)", url=web.url())
    assert message == f"core.network.get: more than 5 redirects, the last to 127.0.0.1:{web.port}"
    assert (code, len(web.seen)) == (815, 6)


async def test_headers_with_secrets_stay_with_their_host(desk: Desk) -> None:
    async with (
        serve(echo) as other,
        serve(says(answer(302, Location="/same"), answer(302, Location=other.url()))) as first,
    ):
        await desk.run(
            "core.network.get(run.data.url, { Authorization = 'x', ['X-Key'] = 'y', Accept = 'a/b' }) "
            "return job.OK",
            url=first.url(),
        )
    assert [one.headers.get("x-key") for one in [*first.seen, *other.seen]] == ["y", "y", None]
    assert "authorization" not in other.seen[0].headers
    assert other.seen[0].headers["accept"] == "a/b"


@pytest.mark.parametrize(
    "location", ["ftp://a.test/", "http://me:pw@a.test/", "http://[", "http://a.test:25/"]
)
async def test_a_redirect_to_something_else_than_the_web_is_an_error(desk: Desk, location: str) -> None:
    async with serve(says(answer(302, Location=location))) as web:
        message, code = await desk.failure("core.network.get(run.data.url)", url=web.url())
    assert message.startswith(f"core.network.get: a redirect of 127.0.0.1:{web.port}")
    assert code == 815


async def test_a_job_can_ask_to_see_the_redirect_itself(desk: Desk) -> None:
    async with serve(says(answer(302, Location="/b"))) as web:
        result = await desk.run(
            "local r = core.network.get(run.data.url, nil, { max_redirects = 0 }) "
            "return job.OK, { r.status, r.headers.location }",
            url=web.url(),
        )
    assert result == [302, "/b"]


# Slow, broken, huge


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


# Connections


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


# Settings


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"allow": ["http://nas"]}, "is neither a host nor an address"),
        ({"timeout": "0s"}, "timeout = '0s': must be more than 0"),
        ({"timeout": "soon"}, "is not a duration"),
        ({"max_body": "11MB"}, "must be between 1 byte and 10 MB"),
        ({"max_redirects": -1}, "must be between 0 and 20"),
        ({"user_agent": "a\nb"}, "user_agent: must be plain ASCII text"),
    ],
)
async def test_a_wrong_setting_is_refused_in_words(values: dict[str, Any], words: str) -> None:
    with pytest.raises(ValueError, match=words):
        NetworkSettings(**values)


async def test_settings_of_the_operator_hold(open_desk: OpenDesk) -> None:
    desk = await open_desk('allow = ["127.0.0.1"]\nuser_agent = "Shop/1"\nmax_redirects = 0')
    async with serve(says(answer(302, Location="/b"))) as web:
        assert await desk.run("return job.OK, { core.network.get(run.data.url).status }", url=web.url()) == [
            302
        ]
    assert web.seen[0].headers["user-agent"] == "Shop/1"


async def test_a_job_that_runs_once_fetches_its_configuration_and_keeps_it(desk: Desk) -> None:
    body = """
      local wanted, problem = core.network.getJson(run.data.url)
      if not wanted then core.log(problem) return job.EXIT end
      local store = core.data("configuration")
      local id, refused = store:save(wanted)
      return job.OK, { id = id, refused = refused, kept = store:get(id) }"""
    async with serve(says(answer(200, b'{"theme": "dark", "level": 3}'))) as web:
        kept = await desk.run(body, url=web.url("/config.json"))
    assert kept["kept"] == {"_id": kept["id"], "theme": "dark", "level": 3}
    assert await desk.run(body.replace("return job.EXIT", "return job.OK, 0"), url="http://127.0.0.1:9/") == 0
