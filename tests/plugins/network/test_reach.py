"""Which addresses jobs reach: those that the operator lists, checked where the connection goes."""

from __future__ import annotations

import pytest

from moontide import CoreError
from tests.plugins.network.book import Book
from tests.plugins.network.pages import (
    OpenDesk,
    ask,
    client_with,
    echo,
    in_module_loop,
    says,
)
from tests.plugins.web import answer, serve

pytestmark = in_module_loop


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
