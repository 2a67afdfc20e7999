"""Redirects: which are followed, and what goes along."""

from __future__ import annotations

import pytest

from tests.plugins.network.pages import (
    Desk,
    echo,
    in_module_loop,
    says,
)
from tests.plugins.web import answer, serve

pytestmark = in_module_loop


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
