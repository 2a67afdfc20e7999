"""The heartbeat reaches its watcher while all is well, says when it is not, and tells nobody the address."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta

import httpx
import pytest
from pydantic import SecretStr

from engine.alerts.heartbeat import Heartbeat, ailment, failing
from engine.settings.alerts import HeartbeatSettings
from tests.engine.conftest import until
from tests.plugins.web import Seen, Send, Web, answer, serve

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)


async def say_ok(seen: Seen, send: Send, web: Web) -> None:
    await send(answer(404 if "gone" in seen.path else 200))


@asynccontextmanager
async def beating(
    url: str, ill: Callable[[], str | None] = lambda: None, **settings: object
) -> AsyncIterator[Heartbeat]:
    values = {"every": 0.02, "timeout": 5, **settings}
    heartbeat = Heartbeat(HeartbeatSettings(url=SecretStr(url), **values), ailment=ill)  # type: ignore[arg-type]
    heartbeat.start()
    try:
        yield heartbeat
    finally:
        await heartbeat.stop()


async def test_it_beats_until_it_is_stopped() -> None:
    async with serve(say_ok) as web, beating(web.url("/ping/secret")) as heartbeat:
        await until(lambda: len(web.seen) >= 3)
        assert heartbeat.problems() == []
    assert {(seen.method, seen.path) for seen in web.seen} == {("GET", "/ping/secret")}


async def test_it_says_while_the_engine_is_not_healthy() -> None:
    ills: list[str] = ["no writes"]
    async with serve(say_ok) as web, beating(web.url("/ping"), lambda: ills[0] if ills else None):
        await until(lambda: len(web.seen) >= 2)
        ills.clear()
        await until(lambda: web.seen[-1].path == "/ping")
    assert web.seen[0].path == "/ping/fail"


async def test_it_is_silent_about_ills_where_the_watcher_has_no_word_for_them() -> None:
    asked: list[str | None] = []

    def ill() -> str | None:
        asked.append("no writes" if len(asked) < 5 else None)
        return asked[-1]

    async with serve(say_ok) as web, beating(web.url("/ping"), ill, fail=""):
        await until(lambda: len(web.seen) >= 1)
        assert asked.count(None) >= len(web.seen)
    assert {seen.path for seen in web.seen} == {"/ping"}


async def test_a_watcher_that_does_not_hear_is_a_problem_that_holds_no_address(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async with serve(say_ok) as web:
        async with beating(web.url("/gone/secret")) as heartbeat:
            await until(lambda: bool(heartbeat.problems()))
        port = web.port
    async with beating(f"http://127.0.0.1:{port}/secret") as unreachable:
        await until(lambda: bool(unreachable.problems()))
    assert heartbeat.problems() == ["the heartbeat does not arrive: the watcher answered with status 404"]
    assert "no connection to the watcher" in unreachable.problems()[0]
    shown = caplog.text + "".join(heartbeat.problems() + unreachable.problems())
    assert "secret" not in shown
    assert caplog.text.count("the heartbeat does not arrive") == 2


async def test_without_an_address_there_is_no_heartbeat() -> None:
    async with beating("") as heartbeat:
        assert heartbeat.problems() == []


def test_an_engine_is_ill_when_it_is_behind_or_writes_nothing() -> None:
    def ill(*, behind: float = 0.0, stalled: str | None = None) -> str | None:
        return ailment(now=NOON, first_due=NOON - timedelta(seconds=behind), stalled=stalled)

    assert ill() is None
    assert ill(behind=29) is None
    assert ill(behind=90) == "the scheduler is 1 min 30 s behind"
    assert ill(stalled="disk full") == "no writes to the database: disk full"
    assert ailment(now=NOON, first_due=None, stalled=None) is None


@pytest.mark.parametrize(
    ("url", "suffix", "wanted"),
    [
        ("https://hc.example/abc", "/fail", "https://hc.example/abc/fail"),
        ("https://hc.example/abc/", "/fail", "https://hc.example/abc/fail"),
        ("https://hc.example/abc?x=1", "/fail", "https://hc.example/abc/fail?x=1"),
        ("https://cron.example/p/abc", "?state=fail", "https://cron.example/p/abc?state=fail"),
        ("https://cron.example/p?key=abc", "?state=fail", "https://cron.example/p?key=abc&state=fail"),
    ],
)
def test_the_word_for_ills_is_put_where_it_belongs(url: str, suffix: str, wanted: str) -> None:
    assert str(failing(httpx.URL(url), suffix)) == wanted
