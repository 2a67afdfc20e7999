"""The plugin against a web server that stands in for Slack."""

import asyncio
import json
import threading
from collections.abc import Iterator
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import httpx
import pytest
from moontide_slack import Slack, SlackSettings

from moontide import JobView, RunFinished


class Channel:
    """A web server that keeps what is posted to it."""

    def __init__(self) -> None:
        self.texts: list[str] = []
        self.status = 200
        channel = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                channel.texts.append(json.loads(body)["text"])
                self.send_response(channel.status)
                self.end_headers()

            def log_message(self, *words: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}/hook"
        self._thread = threading.Thread(target=self._server.serve_forever)
        self._thread.start()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


@pytest.fixture
def channel() -> Iterator[Channel]:
    channel = Channel()
    yield channel
    channel.close()


def greet(job, url: str, text: object):
    return job("greet.lua", {"text": text}, real=["slack"], settings={"slack": {"webhook": url}})


def test_a_job_posts(job, channel: Channel) -> None:
    run = greet(job, channel.url, "ebb <now>")
    assert run.result == {"posted": True}
    assert channel.texts == ["ebb &lt;now&gt;"]


def test_a_refusal_is_an_error_of_the_network(job, channel: Channel) -> None:
    channel.status = 403
    run = greet(job, channel.url, "ebb")
    assert run.result == {"problem": "core.slack.post: Slack answered 403", "code": 815}


def test_a_channel_that_is_not_reached_is_not_named(job) -> None:
    run = greet(job, "http://127.0.0.1:9/secret", "ebb")
    assert run.result["code"] == 815
    assert "secret" not in run.result["problem"]


def test_a_text_is_required(job, channel: Channel) -> None:
    run = greet(job, channel.url, None)
    assert run.result == {"problem": "core.slack.post: text must be a string, got nil", "code": 804}
    assert channel.texts == []


def ended(run: int, status: str, error: str | None = None) -> RunFinished:
    return RunFinished(datetime.now(UTC), run, "report", status, None, 1.0, error)


def job_view(name: str, **settings: object) -> JobView:
    return JobView(
        name=name,
        path=f"{name}.lua",
        status="WAITING",
        reason="",
        active=True,
        activity="idle",
        schedule="every 2m",
        next_run=None,
        last_run=None,
        last_status=None,
        settings=settings,
    )


def tell(channel: Channel, *events: RunFinished, slack_tell: str = "failures", **settings: object) -> None:
    async def work() -> None:
        async with httpx.AsyncClient() as client:
            slack = Slack(
                client,
                SlackSettings(webhook=channel.url, **settings),
                lambda name: job_view(name, slack_tell=slack_tell),
            )
            for event in events:
                await slack.tell(event)

    asyncio.run(work())


def test_a_job_that_fails_and_recovers_is_told_once_each(channel: Channel) -> None:
    tell(
        channel,
        ended(1, "COMPLETE"),
        ended(2, "ERROR", "no moon\nstack traceback:"),
        ended(3, "TIMEOUT"),
        ended(4, "COMPLETE"),
        ended(5, "COMPLETE"),
    )
    assert channel.texts == [
        "Job report failed (ERROR, run 2): no moon",
        "Job report works again (run 4)",
    ]


def test_nothing_is_told_where_the_settings_say_so(channel: Channel) -> None:
    tell(channel, ended(1, "ERROR"), tell=False)
    assert channel.texts == []


def test_a_job_may_ask_for_more_or_for_nothing(channel: Channel) -> None:
    tell(channel, ended(1, "ERROR"), slack_tell="never")
    tell(channel, ended(2, "COMPLETE"), ended(3, "ERROR"), slack_tell="always")
    assert channel.texts == ["Job report: COMPLETE (run 2)", "Job report: ERROR (run 3)"]
