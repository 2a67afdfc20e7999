"""Alerts as people get them: by mail, by web, on the command line, and from the engine's own heartbeat."""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session

from tests.e2e.conftest import Home, job
from tests.e2e.processes import until
from tests.e2e.test_store_troubles import no_room
from tests.homebases import POSTGRESQL, cut_off

MOODY = job('if run.data == "bad" then error("no connection") end\nreturn job.OK', 'on_error = "continue"')


class Receiver:
    """A web server and what was sent to it; it answers with `status`."""

    def __init__(self, port: int) -> None:
        self.port = port
        self.status = 200
        self.posts: list[dict[str, object]] = []
        self.paths: list[str] = []

    def url(self, path: str) -> str:
        return f"http://127.0.0.1:{self.port}{path}"

    def subjects(self) -> list[object]:
        return [post["subject"] for post in self.posts]


@contextmanager
def receiving() -> Iterator[Receiver]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            receiver.paths.append(self.path)
            self._answer(200)

        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["content-length"])))
            if receiver.status == 200:
                receiver.posts.append(body | {"token": self.headers["x-token"]})
            receiver.paths.append(self.path)
            self._answer(receiver.status)

        def _answer(self, status: int) -> None:
            self.send_response(status)
            self.send_header("content-length", "0")
            self.end_headers()

        def log_message(self, format: str, *arguments: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    receiver = Receiver(server.server_address[1])
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield receiver
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


class Mailbox:
    """Takes every mail."""

    def __init__(self) -> None:
        self.envelopes: list[Envelope] = []

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        self.envelopes.append(envelope)
        return "250 OK"

    def subjects(self) -> list[str]:
        texts = [bytes(envelope.content or b"").decode() for envelope in self.envelopes]
        lines = [line for text in texts for line in text.splitlines()]
        return [line.removeprefix("Subject: ") for line in lines if line.startswith("Subject: ")]


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with receiving() as opened:
        yield opened


@pytest.fixture
def mailbox() -> Iterator[tuple[Mailbox, int]]:
    box = Mailbox()
    # The controller connects to its own port, so it cannot have one of the system's choice.
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = int(free.getsockname()[1])
    controller = Controller(box, hostname="127.0.0.1", port=port)
    controller.start()
    try:
        yield box, port
    finally:
        controller.stop()


def hooked(receiver: Receiver, more: str = "") -> str:
    return (
        f'[network.alerts]\nurl = "{receiver.url("/hook/${HOOK}")}"\n'
        f'headers = {{ "X-Token" = "${{HOOK}}" }}\n{more}'
    )


def test_a_failure_and_its_end_reach_people_by_mail_and_by_web(
    home: Home, receiver: Receiver, mailbox: tuple[Mailbox, int]
) -> None:
    box, port = mailbox
    mail = f'[email]\nhost = "127.0.0.1"\nport = {port}\ntls = "none"\nfrom = "moontide@shop.example"\n'
    home.settings(hooked(receiver, mail + 'alerts = ["ops@shop.example"]\n'))
    home.write("report", MOODY)
    with home.serving(MOONTIDE_SECRET_HOOK="token123") as engine:
        for _ in range(2):
            engine.run("report", "bad")
        until(lambda: receiver.posts and box.envelopes)
        assert home.moontide("alerts").out.splitlines()[1].split("\t")[1:3] == ["report", "failing"]
        acked = home.moontide("alerts", "ack", "1", "--note", "disk ordered")
        assert acked.code == 0, acked.err
        (alert,) = home.moontide("show", "report", "--json").json["alerts"]
        assert (alert["count"], alert["note"]) == (2, "disk ordered")
        assert home.moontide("status", "--json").json["alerts"] == 1
        engine.run("report")
        until(lambda: len(receiver.posts) == 2 and len(box.envelopes) == 2)
        assert home.moontide("alerts", "--json").json == []
        (over,) = home.moontide("alerts", "--all", "--json").json
        assert over["lasted_seconds"] > 0
    assert receiver.subjects()[0] == "report: failing"
    assert str(receiver.subjects()[1]).startswith("report: failing is over after ")
    assert receiver.paths == ["/hook/token123"] * 2
    assert receiver.posts[0]["token"] == "token123"
    assert box.subjects()[0] == "[moontide] report: failing"
    assert "token123" not in engine.output + engine.complaints


def test_a_notice_that_does_not_arrive_is_a_problem_and_is_told_at_last(
    home: Home, receiver: Receiver
) -> None:
    home.settings(hooked(receiver))
    home.write("report", MOODY)
    receiver.status = 503
    with home.serving(MOONTIDE_SECRET_HOOK="token123") as engine:
        engine.run("report", "bad")
        until(lambda: engine.client.status().problems)
        (problem,) = engine.client.status().problems
        assert "alerts are not told by alert_webhook" in problem
        assert "status 503" in problem
        assert engine.client.alerts.list()[0].told is None
    # The engine stopped before anybody took the notice: the next one tells.
    receiver.status = 200
    with home.serving(MOONTIDE_SECRET_HOOK="token123") as engine:
        until(lambda: receiver.posts)
        until(lambda: engine.client.alerts.list()[0].told is not None)
        assert engine.client.status().problems == []
    with home.serving(MOONTIDE_SECRET_HOOK="token123") as engine:
        engine.run("report", "bad")
        until(lambda: engine.client.alerts.list()[0].count == 2)
    assert receiver.subjects() == ["report: failing"]
    assert "token123" not in engine.output + engine.complaints + problem


def test_an_alert_survives_a_killed_engine(home: Home, receiver: Receiver) -> None:
    home.settings(hooked(receiver))
    home.write("report", MOODY)
    with home.serving(MOONTIDE_SECRET_HOOK="token123") as engine:
        engine.run("report", "bad")
        until(lambda: engine.client.alerts.list() and engine.client.alerts.list()[0].told is not None)
        engine.kill()
    with home.serving(MOONTIDE_SECRET_HOOK="token123") as engine:
        (alert,) = engine.client.job("report").alerts
        assert alert.kind == "failing"
        engine.run("report")
        until(lambda: len(receiver.posts) == 2)
    assert str(receiver.subjects()[1]).startswith("report: failing is over")


def test_the_heartbeat_goes_on_while_the_engine_lives(home: Home, receiver: Receiver) -> None:
    home.settings(f'[heartbeat]\nurl = "{receiver.url("/beat/token123")}"\nevery = "100ms"\n')
    with home.serving() as engine:
        until(lambda: receiver.paths.count("/beat/token123") >= 3)
        assert engine.client.status().problems == []
        engine.kill()
    count = len(receiver.paths)
    assert set(receiver.paths) == {"/beat/token123"}
    assert count >= 3
    assert "token123" not in engine.output + engine.complaints


@pytest.mark.both_databases
def test_the_heartbeat_says_so_while_the_database_takes_no_writes(home: Home, receiver: Receiver) -> None:
    home.settings(f'[heartbeat]\nurl = "{receiver.url("/beat")}"\nevery = "100ms"\n')
    home.write("tick", job("return job.OK", 'every = "1s"'))
    with home.serving() as engine:
        until(lambda: "/beat" in receiver.paths)
        with cut_off(home.base) if home.base.kind == POSTGRESQL else no_room(engine):
            until(lambda: receiver.paths[-1] == "/beat/fail")
        until(lambda: receiver.paths[-1] == "/beat")


def test_a_wrong_heartbeat_address_is_not_told(home: Home) -> None:
    home.settings('[heartbeat]\nurl = "token123"\n')
    failed = home.moontide("serve")
    assert failed.code == 1
    assert "heartbeat.url: allowed is a web address" in failed.err
    assert "token123" not in failed.err
