"""core.email in real runs, over SMTP to a real server."""

from __future__ import annotations

import asyncio
import json
import socket
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from engine.errors import CoreError, SettingsError
from engine.extensions.modules import module_settings
from engine.extensions.plugins import Plugins
from engine.run import Outcome
from engine.sandbox.pool import WorkerPool
from engine.settings import load_settings
from engine.states import RunStatus
from plugins.email import EmailSettings
from plugins.mail.message import check_fields
from tests.lab import Lab, open_lab, open_pool, plugins_with
from tests.plugins.mailserver import HOST, Sink, certificates, open_dying, open_sink

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def workers() -> AsyncIterator[tuple[WorkerPool, Plugins]]:
    plugins = plugins_with()
    async with open_pool(plugins) as pool:
        yield pool, plugins


@pytest_asyncio.fixture(loop_scope="module")
async def sink() -> AsyncIterator[Sink]:
    async with open_sink() as sink:
        yield sink


@pytest.fixture(scope="module")
def tls(tmp_path_factory: pytest.TempPathFactory) -> tuple[ssl.SSLContext, str]:
    folder = tmp_path_factory.mktemp("certificates")
    return certificates(folder), str(folder / "ca.pem")


class Post:
    """Runs jobs that send mail, with a table [email] of their own."""

    def __init__(self, workers: tuple[WorkerPool, Plugins], home: Path) -> None:
        self._workers = workers
        self._home = home

    @asynccontextmanager
    async def lab(self, port: int, **settings: Any) -> AsyncIterator[Lab]:
        table = {
            "host": HOST,
            "port": port,
            "tls": "none",
            "retry_delay": "20ms",
            "timeout": "10s",
        } | settings
        lines = "".join(f"{key} = {json.dumps(value)}\n" for key, value in table.items())
        (self._home / "moontide.toml").write_text(f"[email]\n{lines}")
        loaded = load_settings(self._home)
        async with open_lab(*self._workers, self._home, self._home, home=self._home, settings=loaded) as lab:
            yield lab

    async def send(self, port: int, body: str = "", data: Any = None, **settings: Any) -> list[Any]:
        """Send one message, with more Lua lines before, and return the values of `send`."""
        async with self.lab(port, **settings) as lab:
            return (await run(lab, body, data)).result


async def run(lab: Lab, body: str, data: Any = None) -> Outcome:
    text = f"""
local job = core.job()
function job.run(run)
  local msg, data = core.email.new(), run.data
  msg:from("Shop <jobs@shop.example>"):to("ann@x.example"):subject("Hello"):text("One line")
  {body}
  local answer, problem, code = msg:send()
  return job.OK, {{ answer or core.NULL, problem, code }}
end
return job
"""
    outcome = await lab.run("mail", text, data)
    assert outcome.status is RunStatus.COMPLETE, outcome.error
    return outcome


@pytest.fixture
def post(workers: tuple[WorkerPool, Plugins], tmp_path: Path) -> Post:
    return Post(workers, tmp_path)


async def test_a_message_arrives_as_it_was_set(post: Post, sink: Sink) -> None:
    (answer,) = await post.send(
        sink.port,
        """msg:to("Bob <bob@x.example>", "carl@x.example"):cc("dora@x.example"):bcc("eve@x.example")
        msg:replyTo("office@shop.example"):tag("monthly")""",
    )
    (message,) = sink.messages
    assert answer == {"id": message["Message-ID"], "refused": {}}
    assert message["From"] == "Shop <jobs@shop.example>"
    assert message["To"] == "ann@x.example, Bob <bob@x.example>, carl@x.example"
    assert (message["Cc"], message["Reply-To"], message["Bcc"]) == (
        "dora@x.example",
        "office@shop.example",
        None,
    )
    assert (message["Subject"], message["X-Tag"]) == ("Hello", "monthly")
    assert message.get_content() == "One line\r\n"
    assert sink.envelopes[0].mail_from == "jobs@shop.example"
    assert sink.envelopes[0].rcpt_tos == [
        f"{name}@x.example" for name in ("ann", "bob", "carl", "dora", "eve")
    ]


async def test_the_plain_calls_of_the_reference_work_without_chaining(post: Post, sink: Sink) -> None:
    text = """
local job = core.job()
function job.run()
  local m = core.email.new()
  m:to("ann@x.example", "Bob <bob@x.example>")
  m:from("jobs@x.example")
  m:body("done")
  local resp, err = m:send()
  assert(resp and not err, err)
  return job.OK
end
return job
"""
    async with post.lab(sink.port) as lab:
        outcome = await lab.run("plain", text)
    assert outcome.status is RunStatus.COMPLETE, outcome.error
    (message,) = sink.messages
    assert (message["Subject"], message.get_content()) == ("(no subject)", "done\r\n")


async def test_text_and_html_and_attachments_go_together(post: Post, sink: Sink) -> None:
    await post.send(
        sink.port,
        """msg:html("<b>Grüße</b>"):attach("kites.csv", "a,b")
        msg:attach("Bericht ü.bin", "\\0\\xff\\r\\n.\\r\\n")""",
    )
    (message,) = sink.messages
    plain, html = message.get_body(("plain",)), message.get_body(("html",))
    assert plain is not None
    assert html is not None
    assert (plain.get_content(), html.get_content()) == ("One line\r\n", "<b>Grüße</b>\r\n")
    found = [(p.get_filename(), p.get_content_type(), p.get_content()) for p in message.iter_attachments()]
    assert found == [
        ("kites.csv", "text/csv", "a,b"),
        ("Bericht ü.bin", "application/octet-stream", b"\0\xff\r\n.\r\n"),
    ]


async def test_a_message_with_attachments_of_sixteen_megabytes_arrives(post: Post, sink: Sink) -> None:
    await post.send(
        sink.port,
        """msg:attach("zeros.bin", ("\\0"):rep(8 * 2^20)):attach("text.txt", ("x"):rep(8 * 2^20 - 1000))""",
        timeout="60s",
    )
    (message,) = sink.messages
    sizes = [len(part.get_content()) for part in message.iter_attachments()]
    assert sizes == [8 * 2**20, 8 * 2**20 - 1000]


async def test_text_with_dots_and_long_lines_and_umlauts_stays_itself(post: Post, sink: Sink) -> None:
    text = ".\n..\n.\r\nGrüße " + "x" * 3000 + "\nQUIT\nend\n"
    await post.send(
        sink.port, 'msg:text(data.text):subject("Grüße an alle " .. ("ü"):rep(200))', {"text": text}
    )
    (message,) = sink.messages
    assert message.get_content().replace("\r\n", "\n") == text.replace("\r\n", "\n")
    assert message["Subject"] == "Grüße an alle " + "ü" * 200
    assert isinstance(sink.envelopes[0].content, bytes)
    assert max(len(line) for line in sink.envelopes[0].content.split(b"\r\n")) <= 998


async def test_starttls_and_login_are_used(post: Post, tls: tuple[ssl.SSLContext, str]) -> None:
    context, authority = tls
    async with open_sink(starttls=context, login=True) as sink:
        (answer,) = await post.send(
            sink.port, tls="starttls", user="shop", password="opensesame", ca_file=authority
        )
    assert answer["refused"] == {}
    assert (sink.logins, sink.encrypted) == ([("shop", True)], [True])


async def test_tls_from_the_first_byte_is_used(post: Post, tls: tuple[ssl.SSLContext, str]) -> None:
    async with open_sink(tls=tls[0]) as sink:
        (answer,) = await post.send(sink.port, "msg:requireTls(true)", tls="tls", ca_file=tls[1])
    assert answer["refused"] == {}
    assert len(sink.envelopes) == 1


@pytest.mark.parametrize("way", ["tls", "starttls"])
async def test_a_certificate_that_is_not_trusted_is_refused(
    post: Post, tls: tuple[ssl.SSLContext, str], way: str
) -> None:
    async with open_sink(**{way: tls[0]}) as sink:  # type: ignore[arg-type]
        nothing, message, code = await post.send(sink.port, tls=way)
    assert (nothing, code, sink.envelopes) == (None, 702, [])
    assert "certificate is not trusted" in message


async def test_verification_is_skipped_only_where_the_operator_lets_it(
    post: Post, tls: tuple[ssl.SSLContext, str]
) -> None:
    async with open_sink(tls=tls[0]) as sink:
        refused = await post.send(sink.port, "msg:skipVerification(true)", tls="tls")
        (answer,) = await post.send(
            sink.port, "msg:skipVerification(true)", tls="tls", allow_skip_verification=True
        )
    assert (refused[0], refused[2], answer["refused"], len(sink.envelopes)) == (None, 702, {}, 1)


async def test_a_server_without_starttls_gets_no_mail_in_the_clear(post: Post, sink: Sink) -> None:
    nothing, message, code = await post.send(sink.port, tls="starttls")
    assert (nothing, code, sink.envelopes) == (None, 702, [])
    assert "offers no STARTTLS" in message
    assert (await post.send(sink.port, "msg:requireTls(true)"))[2] == 702


async def test_a_refused_login_is_told_without_the_password(
    post: Post, tls: tuple[ssl.SSLContext, str]
) -> None:
    async with open_sink(starttls=tls[0], login=True) as sink:
        _, message, code = await post.send(
            sink.port, tls="starttls", user="shop", password="wrong-secret", ca_file=tls[1]
        )
    assert code == 702
    assert "refused the login (535)" in message
    assert "wrong-secret" not in message


async def test_the_password_is_masked_in_what_the_run_leaves(post: Post, sink: Sink) -> None:
    async with post.lab(sink.port, password="opensesame") as lab:
        await run(lab, "")
        outcome = await run(lab, 'msg:send() core.log("it is opensesame")')
    assert outcome.result[0]["refused"] == {}
    assert "info: it is ***" in lab.log


async def test_a_temporary_answer_is_tried_again_after_a_pause(post: Post, sink: Sink) -> None:
    sink.replies["ann@x.example"] = ["451 4.7.1 Greylisted", "451 4.7.1 Greylisted"]
    sink.data_replies = ["452 4.3.1 Out of space"]
    (answer,) = await post.send(sink.port)
    assert answer["refused"] == {}
    assert (len(sink.envelopes), sink.connections) == (1, 4)


async def test_only_those_who_did_not_get_it_are_tried_again(post: Post, sink: Sink) -> None:
    sink.replies["bob@x.example"] = ["450 Busy"]
    (answer,) = await post.send(sink.port, 'msg:to("bob@x.example")')
    assert answer["refused"] == {}
    assert [envelope.rcpt_tos for envelope in sink.envelopes] == [["ann@x.example"], ["bob@x.example"]]
    assert len({message["Message-ID"] for message in sink.messages}) == 1


async def test_tries_end_with_the_time_of_the_call(post: Post, sink: Sink) -> None:
    sink.replies["ann@x.example"] = ["451 Later"] * 1000
    nothing, message, code = await post.send(sink.port, timeout="300ms")
    assert (nothing, code) == (None, 701)
    assert "tries: the mail server said 451 Later" in message
    assert 2 <= sink.connections <= 5


async def test_refused_recipients_are_named_and_the_others_get_it(post: Post, sink: Sink) -> None:
    sink.replies["bob@x.example"] = ["550 5.1.1 No such user"]
    async with post.lab(sink.port) as lab:
        (answer,) = (await run(lab, 'msg:to("bob@x.example")')).result
    assert answer["refused"] == {"bob@x.example": "the mail server said 550 5.1.1 No such user"}
    assert [envelope.rcpt_tos for envelope in sink.envelopes] == [["ann@x.example"]]
    assert any(line.startswith("warn: core.email: bob@x.example was refused") for line in lab.log)


async def test_a_message_that_nobody_may_get_is_not_sent(post: Post, sink: Sink) -> None:
    sink.replies["ann@x.example"] = ["550 No such user"]
    nothing, message, code = await post.send(sink.port)
    assert (nothing, code, sink.connections) == (None, 701, 1)
    assert message == "core.email: not sent: the mail server said 550 No such user"


async def test_a_refused_text_is_not_tried_again(post: Post, sink: Sink) -> None:
    sink.data_replies = ["554 Spam"]
    _, message, code = await post.send(sink.port)
    assert (code, sink.connections, "554 Spam" in message) == (701, 1, True)


async def test_a_server_that_dies_before_the_text_is_asked_again(post: Post) -> None:
    async with open_dying(lines=2) as (port, got):
        _, message, code = await post.send(port, timeout="300ms")
    assert (code, "broke the connection" in message) == (701, True)
    assert len([line for line in got if line.startswith(b"MAIL")]) >= 2


async def test_a_server_that_dies_with_the_text_is_not_asked_twice(post: Post) -> None:
    async with open_dying(lines=8) as (port, got):
        _, message, code = await post.send(port)
    assert (code, "it may have arrived" in message) == (701, True)
    assert got.count(b"DATA\r\n") == 1


async def test_a_server_that_is_not_there_is_told(post: Post) -> None:
    with socket.create_server((HOST, 0)) as free:
        port = free.getsockname()[1]
    _, message, code = await post.send(port, timeout="200ms")
    assert (code, "cannot be reached" in message) == (701, True)


async def test_a_silent_server_is_given_up_in_time(post: Post) -> None:
    async def silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()
        writer.close()

    server = await asyncio.start_server(silent, HOST, 0)
    async with server:
        started = asyncio.get_running_loop().time()
        _, message, code = await post.send(server.sockets[0].getsockname()[1], timeout="300ms")
    assert (code, "did not answer in time" in message) == (701, True)
    assert asyncio.get_running_loop().time() - started < 5


async def test_without_a_server_the_settings_are_asked_for(post: Post) -> None:
    _, message, code = await post.send(0, host="")
    assert (code, 'add [email] host = "..."' in message) == (702, True)


async def test_the_test_mode_checks_and_sends_nothing(post: Post, sink: Sink) -> None:
    (answer,) = await post.send(sink.port, "msg:testMode(true)")
    assert (answer["test"], answer["refused"], sink.connections) == (True, {}, 0)
    assert (await post.send(sink.port, 'msg:testMode(true):to("nobody")'))[2] == 704


async def test_the_sender_of_the_settings_stands_in(post: Post, sink: Sink) -> None:
    await post.send(sink.port, "msg:from(nil)", **{"from": "Engine <engine@shop.example>"})
    assert sink.messages[0]["From"] == "Engine <engine@shop.example>"
    assert (await post.send(sink.port, "msg:from(nil)"))[1:] == [
        "core.email: from is missing; msg:from(address), or [email] from",
        704,
    ]


async def test_arguments_for_mailgun_are_ignored_with_a_warning(post: Post, sink: Sink) -> None:
    async with post.lab(sink.port) as lab:
        await run(
            lab,
            """msg = core.email.new("key-1", "mg.x.example", "EU")
            msg:to("a@x.example"):from("b@x.example"):text("x")""",
        )
    assert len(sink.envelopes) == 1
    assert any("key, domain and region are ignored" in line for line in lab.log)
    assert not any("key-1" in line for line in lab.log)


INJECTIONS = [
    'msg:subject("Hi\\r\\nBcc: eve@x.example")',
    'msg:subject("Hi\\nX-Injected: 1")',
    'msg:subject("Hi\\rX-Injected: 1")',
    'msg:subject("=?utf-8?q?a=0d=0aX-Injected:_1?=")',
    'msg:subject("Hi\\u{85}X-Injected: 1")',
    'msg:subject("Hi\\u{2028}X-Injected: 1")',
    'msg:subject("Hi\\u{2029}X-Injected: 1")',
    'msg:subject("Hi\\0")',
    'msg:tag("a\\r\\nX-Injected: 1")',
    'msg:tag("=?utf-8?q?a=0d=0aX-Injected:_1?=")',
    'msg:attach("a\\r\\nX-Injected: 1.txt", "x")',
    'msg:attach("../../etc/passwd", "x")',
]
BAD_ADDRESSES = [
    "a@b.c>\r\nRCPT TO:<eve@x.example",
    "ann@x.example, eve@x.example",
    "ann@x.example;eve@x.example",
    "Ann\r\nBcc: eve@x.example <ann@x.example>",
    "=?utf-8?q?a=0d=0aX-Injected:_1?= <ann@x.example>",
    "Ann <ann@x.example> <eve@x.example>",
    "Ann <ann@x.example>, eve@x.example",
    "ann",
    "@x.example",
    "ann@",
    "ann@x_y.example",
    "ann@-x.example",
    "ann@@x.example",
    "an n@x.example",
    "ann..b@x.example",
    "änn@x.example",
    "ann@[127.0.0.1]",
    f"{'a' * 65}@x.example",
    f"a@{'b.' * 130}example",
    "",
]


@pytest.mark.parametrize("line", INJECTIONS)
async def test_no_text_becomes_another_header(post: Post, sink: Sink, line: str) -> None:
    nothing, message, code = await post.send(sink.port, line)
    assert (nothing, code, sink.connections) == (None, 801, 0), message


@pytest.mark.parametrize("field", ["to", "cc", "bcc", "from", "replyTo"])
async def test_each_text_holds_one_address_and_nothing_else(post: Post, sink: Sink, field: str) -> None:
    async with post.lab(sink.port) as lab:
        for address in BAD_ADDRESSES:
            nothing, message, code = (
                await run(lab, f"msg:{field}(data.address)", {"address": address})
            ).result
            assert (nothing, code) == (None, 704), (address, message)
    assert sink.connections == 0


async def test_names_and_foreign_domains_survive_the_way(post: Post, sink: Sink) -> None:
    await post.send(sink.port, 'msg:to("Müller, Jörg <j.m+x@x.example>", \'"Dr. No" <no@müller.example>\')')
    assert [str(a) for a in sink.messages[0]["To"].addresses][1:] == [
        '"Müller, Jörg" <j.m+x@x.example>',
        '"Dr. No" <no@xn--mller-kva.example>',
    ]
    assert sink.envelopes[0].rcpt_tos[1:] == ["j.m+x@x.example", "no@xn--mller-kva.example"]


@pytest.mark.parametrize("name", ["a, b", "a\\", 'x" y', "@@", "(comment)", "x:y;", "eve@x.example,", "Zoë"])
async def test_no_name_becomes_another_address(post: Post, sink: Sink, name: str) -> None:
    await post.send(sink.port, "msg:replyTo(data.text)", {"text": f"{name} <office@x.example>"})
    (address,) = sink.messages[0]["Reply-To"].addresses
    assert (address.addr_spec, address.display_name) == ("office@x.example", name)


async def test_everybody_gets_it_once_however_often_named(post: Post, sink: Sink) -> None:
    await post.send(
        sink.port, 'msg:to("ANN@x.example"):cc("ann@X.example"):bcc({ "ann@x.example", "b@x.example" })'
    )
    assert sink.envelopes[0].rcpt_tos == ["ann@x.example", "b@x.example"]


@pytest.mark.parametrize(
    ("line", "words", "code"),
    [
        ("msg:subject(5)", "message.subject must be a string, got a number", 801),
        ("msg:to(nil)", "message.to[2] must be a string, got nil", 801),
        ('msg:attach("a.txt")', "message.attachments[1].content is required", 804),
        ('msg:testMode("yes")', "message.testMode must be true or false, got a string", 801),
        (
            'msg:text("\\xff")',
            "message.text must be a string, got a string that is no UTF-8 text",
            801,
        ),
        ("msg:text(nil)", "there is nothing to send", 804),
        ("msg = core.email.new():from('a@b.example'):text('x')", "to is missing", 704),
    ],
)
async def test_wrong_values_are_named(post: Post, sink: Sink, line: str, words: str, code: int) -> None:
    nothing, message, given = await post.send(sink.port, line)
    assert (nothing, given) == (None, code), message
    assert words in message


async def test_recipients_size_and_number_are_limited(post: Post, sink: Sink) -> None:
    body = 'for i = 1, 3 do msg:to("a" .. i .. "@x.example") end'
    assert (await post.send(sink.port, body, max_recipients=3))[2] == 701
    large = 'msg:attach("a.bin", ("x"):rep(20000))'
    assert "email.max_message" in (await post.send(sink.port, large, max_message="10KB"))[1]
    async with post.lab(sink.port, max_per_run=2) as lab:
        _, message, code = (await run(lab, "msg:send() msg:send()")).result
        assert (code, "email.max_per_run" in message) == (701, True)
        assert (await run(lab, "msg:send()")).result[0]["refused"] == {}
    assert len(sink.envelopes) == 4


async def test_permissions_cover_the_recipients(post: Post, workers: Any, sink: Sink, tmp_path: Path) -> None:
    toml = f'permissions = "declared"\n[email]\nhost = "{HOST}"\nport = {sink.port}\ntls = "none"\n'
    (tmp_path / "moontide.toml").write_text(toml)
    text = """
local job = core.job { allow = { email = { "*@x.example" } } }
function job.run()
  local function to(address)
    return (select(3, core.email.new():from("a@b.example"):text("x"):to("ann@x.example"):bcc(address):send()))
  end
  return job.OK, { to("bob@x.example") or "sent", to("eve@y.example") or "sent" }
end
return job
"""
    async with open_lab(*workers, tmp_path, tmp_path, settings=load_settings(tmp_path)) as lab:
        outcome = await lab.run("permitted", text)
    assert outcome.result == ["sent", 801], outcome.error
    assert len(sink.envelopes) == 1


@pytest.mark.parametrize(
    "data",
    [
        b"Subject: a\r\nX-Injected: 1\r\n\r\ntext",
        b"Subject: a\r\nSubject: b\r\n\r\ntext",
        b"From: a\r\n\r\ntext",
        b"Subject: a\r\nMIME-Version: 1.0\r\nMIME-Version: 1.0\r\n\r\ntext",
        b"Subject: a\r\nContent-Type: multipart/mixed; boundary=x\r\n\r\n--x\r\nBcc: e\r\n\r\nt\r\n--x--",
    ],
)
async def test_a_message_with_other_fields_than_were_set_is_refused(data: bytes) -> None:
    check_fields(b"Subject: a\r\nMIME-Version: 1.0\r\n\r\ntext", ["subject"])
    with pytest.raises(CoreError, match="fields that were not set"):
        check_fields(data, ["subject"])


@pytest.mark.parametrize(
    ("table", "words"),
    [
        ({"tls": "maybe"}, r"\[email\] tls: "),
        ({"port": 70000}, "port must be"),
        ({"from": "nobody"}, "no mail address"),
        ({"timeout": "soon"}, "is not a duration"),
        ({"tag_header": "Bcc"}, "tag_header"),
        ({"passwort": "geheim"}, "unknown field `passwort`"),
    ],
)
async def test_a_wrong_table_is_refused(table: dict[str, Any], words: str) -> None:
    modules = {"email": plugins_with().modules["email"]}
    with pytest.raises(SettingsError, match=words) as refused:
        module_settings(modules, {"email": table})
    assert "geheim" not in str(refused.value)


async def test_the_settings_do_not_show_the_password() -> None:
    assert "opensesame" not in repr(EmailSettings(host="x", password="opensesame"))
