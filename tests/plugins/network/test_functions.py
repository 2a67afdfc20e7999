"""What the functions of core.network send and return."""

from __future__ import annotations

import asyncio
import json

import pytest

from tests.plugins.network.pages import (
    Desk,
    echo,
    in_module_loop,
    says,
)
from tests.plugins.web import Seen, Send, Web, answer, serve

pytestmark = in_module_loop


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
