"""Notices of alerts arrive by mail and by web, and what keeps them from arriving is told without secrets."""

from __future__ import annotations

import json
import logging
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from moontide import AlertItem, AlertNotice, CoreError, MoontideError, ServiceContext, Undeliverable
from plugins import alert_email, alert_webhook
from plugins.email import EmailSettings, PostOffice, open_post_office
from plugins.network import NetworkService, open_client
from plugins.network.settings import AlertHookSettings, NetworkSettings
from tests.plugins.mailserver import HOST, open_sink
from tests.plugins.web import Seen, Send, Web, answer, serve

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
ITEM = AlertItem(12, "report", "failing", "began", "run 7 ended ERROR: no connection", NOON, run=7)
NOTICE = AlertNotice(NOON, "report: failing", "report: failing\n  run 7 ended ERROR", (ITEM,))


@asynccontextmanager
async def office(tmp_path: Path, **settings: Any) -> AsyncIterator[PostOffice]:
    table = {
        "host": HOST,
        "tls": "none",
        "sender": "moontide@shop.example",
        "retry_delay": "10ms",
        **settings,
    }
    async with open_post_office(EmailSettings(**table), ServiceContext(tmp_path)) as opened:
        yield opened


@asynccontextmanager
async def hook(tmp_path: Path, **table: Any) -> AsyncIterator[NetworkService]:
    settings = NetworkSettings(alerts=AlertHookSettings(**table))
    async with open_client(settings, ServiceContext(tmp_path)) as opened:
        yield opened


def saying(status: int) -> Callable[[Seen, Send, Web], Any]:
    async def respond(seen: Seen, send: Send, web: Web) -> None:
        await send(answer(status, location="http://127.0.0.1:1/elsewhere"))

    return respond


# By mail


async def test_a_notice_is_mailed_to_whom_the_settings_name(tmp_path: Path) -> None:
    to = ["ops@shop.example", "Ann <ann@shop.example>"]
    async with open_sink() as sink, office(tmp_path, port=sink.port, alerts=to) as service:
        await alert_email.tell(NOTICE, service)
    (message,) = sink.messages
    assert message["Subject"] == "[moontide] report: failing"
    assert sink.envelopes[0].rcpt_tos == ["ops@shop.example", "ann@shop.example"]
    assert "run 7 ended ERROR" in message.get_content()


async def test_without_addresses_nothing_is_mailed(tmp_path: Path) -> None:
    async with open_sink() as sink, office(tmp_path, port=sink.port) as service:
        await alert_email.tell(NOTICE, service)
    assert sink.connections == 0


async def test_a_mail_server_that_cannot_be_reached_is_told_without_the_password(tmp_path: Path) -> None:
    table: dict[str, Any] = {"user": "me", "password": "opensesame", "timeout": "200ms", "port": 1}
    async with office(tmp_path, alerts=["ops@shop.example"], **table) as service:
        with pytest.raises(CoreError, match="cannot be reached") as failed:
            await alert_email.tell(NOTICE, service)
    assert "opensesame" not in str(failed.value)


async def test_a_refused_address_does_not_keep_the_others_from_hearing(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    to = ["gone@shop.example", "ops@shop.example"]
    async with open_sink() as sink, office(tmp_path, port=sink.port, alerts=to) as service:
        sink.replies["gone@shop.example"] = ["550 no such user"]
        with caplog.at_level(logging.WARNING, logger="moontide.alerts"):
            await alert_email.tell(NOTICE, service)
    assert sink.envelopes[0].rcpt_tos == ["ops@shop.example"]
    assert "gone@shop.example" in caplog.text


def test_addresses_for_alerts_are_checked_as_the_settings_are_read() -> None:
    with pytest.raises(ValueError, match="alerts needs host and from"):
        EmailSettings(alerts=["ops@shop.example"])
    with pytest.raises(ValueError, match="no mail address"):
        EmailSettings(host="x", sender="a@b.example", alerts=["nobody"])


async def test_a_receiver_of_a_job_is_told_alone(tmp_path: Path) -> None:
    table: dict[str, Any] = {"alerts": ["ops@shop.example"], "receivers": {"shop": ["ann@shop.example"]}}
    async with open_sink() as sink, office(tmp_path, port=sink.port, **table) as service:
        await alert_email.tell(replace(NOTICE, to="shop"), service)
        await alert_email.tell(replace(NOTICE, to="by web only"), service)
    assert [envelope.rcpt_tos for envelope in sink.envelopes] == [["ann@shop.example"]]


def test_a_receivers_addresses_are_checked_at_the_start() -> None:
    with pytest.raises(ValueError, match="receivers needs host and from"):
        EmailSettings(receivers={"shop": ["ann@shop.example"]})
    with pytest.raises(ValueError, match=r"receivers\.shop.*no mail address"):
        EmailSettings(host="x", sender="a@b.example", receivers={"shop": ["nobody"]})


# By web


async def test_a_receiver_of_a_job_has_its_own_web_address(tmp_path: Path) -> None:
    async with serve(saying(204)) as web:
        own = {"shop": AlertHookSettings(url=web.url("/shop"), only="text")}
        settings = NetworkSettings(alerts=AlertHookSettings(url=web.url("/all")), receivers=own)
        async with open_client(settings, ServiceContext(tmp_path)) as service:
            for to in ("shop", "by mail only", ""):
                await alert_webhook.tell(replace(NOTICE, to=to), service)
    assert [seen.path for seen in web.seen] == ["/shop", "/all"]


async def test_a_receivers_trouble_is_told_by_its_name_and_without_its_address(tmp_path: Path) -> None:
    settings = NetworkSettings(receivers={"shop": AlertHookSettings(url="${NOWHERE}")})
    async with open_client(settings, ServiceContext(tmp_path)) as service:
        with pytest.raises(MoontideError, match=r"\[network\.receivers\.shop\]: there is no secret NOWHERE"):
            await alert_webhook.tell(replace(NOTICE, to="shop"), service)
    secret = NetworkSettings(receivers={"shop": AlertHookSettings(url="https://x.example/token123")})
    assert "token123" not in repr(secret)


async def test_a_notice_is_posted_as_json_with_headers_from_secrets(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MOONTIDE_SECRET_HOOK", "token123")
    async with serve(saying(204)) as web:
        table = {"url": web.url("/hook/${HOOK}"), "headers": {"Authorization": "Bearer ${HOOK}"}}
        async with hook(tmp_path, **table) as service:
            await alert_webhook.tell(NOTICE, service)
    (seen,) = web.seen
    assert (seen.method, seen.path, seen.headers["authorization"]) == (
        "POST",
        "/hook/token123",
        "Bearer token123",
    )
    body = json.loads(seen.body)
    assert body["subject"] == "report: failing"
    assert body["items"][0] == {
        "alert": 12,
        "job": "report",
        "kind": "failing",
        "state": "began",
        "reason": "run 7 ended ERROR: no connection",
        "since": "2026-03-02T12:00:00Z",
        "ended": None,
        "count": 1,
        "run": 7,
    }


async def test_a_receiver_of_plain_texts_gets_nothing_else(tmp_path: Path) -> None:
    async with serve(saying(200)) as web, hook(tmp_path, url=web.url(), only="content") as service:
        await alert_webhook.tell(NOTICE, service)
    assert json.loads(web.seen[0].body) == {
        "content": "report: failing\n\nreport: failing\n  run 7 ended ERROR"
    }


async def test_without_an_address_nothing_is_posted(tmp_path: Path) -> None:
    async with hook(tmp_path) as service:
        await alert_webhook.tell(NOTICE, service)


@pytest.mark.parametrize(
    ("status", "error"),
    [(500, CoreError), (429, CoreError), (302, CoreError), (404, Undeliverable), (410, Undeliverable)],
)
async def test_an_answer_that_is_no_success_is_told_without_the_address(
    tmp_path: Path, status: int, error: type[MoontideError]
) -> None:
    async with serve(saying(status)) as web, hook(tmp_path, url=web.url("/hook/token123")) as service:
        with pytest.raises(error, match=rf"127\.0\.0\.1:{web.port} answered with status {status}") as failed:
            await alert_webhook.tell(NOTICE, service)
    assert "token123" not in str(failed.value)
    assert len(web.seen) == 1


async def test_a_secret_that_is_not_there_is_named(tmp_path: Path) -> None:
    async with hook(tmp_path, url="${NOWHERE}") as service:
        with pytest.raises(MoontideError, match="there is no secret NOWHERE"):
            await alert_webhook.tell(NOTICE, service)


async def test_metadata_addresses_are_refused_also_to_the_operator(tmp_path: Path) -> None:
    async with hook(tmp_path, url="http://169.254.169.254/latest") as service:
        with pytest.raises(CoreError, match="link-local"):
            await alert_webhook.tell(NOTICE, service)


def test_the_settings_tell_no_secret() -> None:
    settings = NetworkSettings(alerts=AlertHookSettings(url="https://x.example/token123"))
    assert "token123" not in repr(settings)
    with pytest.raises(ValueError, match=r"alerts\.url must begin with") as wrong:
        AlertHookSettings(url="token123")
    assert "token123" not in str(wrong.value)
