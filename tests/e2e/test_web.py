"""The dashboard in a browser: what opens it, and a real Chromium in front of it."""

from __future__ import annotations

import asyncio
import base64
import json
import os
import re
import shutil
import signal
import subprocess
from collections.abc import AsyncIterator, Callable, Iterator
from itertools import count
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from engine.api.address import socket_in
from engine.api.client import AsyncClient
from tests.e2e.conftest import MOONTIDE, environment
from tests.e2e.processes import descendants, until
from tests.engine.conftest import until as until_async

BEAT = """
local job = core.job { description = "Beats" }
function job.run() core.log("beat") return job.OK end
return job
"""

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")


@pytest.fixture
def home(tmp_path: Path) -> Path:
    (tmp_path / "jobs").mkdir()
    (tmp_path / "jobs" / "beat.lua").write_text(BEAT)
    return tmp_path


@pytest.fixture
def engine(home: Path) -> Iterator[None]:
    engine = subprocess.Popen([MOONTIDE, "--home", str(home), "serve"], stdout=subprocess.DEVNULL)
    until(lambda: (home / "moontide.sock").exists(), 60)
    yield
    engine.terminate()
    engine.wait(60)


@pytest.fixture
def options() -> tuple[str, ...]:
    return ()


@pytest.fixture
def server(home: Path, engine: None, options: tuple[str, ...]) -> Iterator[subprocess.Popen[str]]:
    command = [MOONTIDE, "--home", str(home), "web", "--port", "0", *options]
    # A home of its own: what a person likes is remembered there.
    server = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment(HOME=str(home)))
    yield server
    family = descendants(server.pid)
    server.send_signal(signal.SIGINT)
    assert server.wait(30) == 0
    until(lambda: not any(one.alive for one in family), 20)
    assert server.stdout is not None
    server.stdout.close()


@pytest.fixture
def address(server: subprocess.Popen[str]) -> str:
    assert server.stdout is not None
    found = re.fullmatch(r"open (http://127\.0\.0\.1:\d+/\?key=\S+)\n", server.stdout.readline())
    assert found is not None
    return found[1]


async def test_only_the_key_opens_it_and_no_other_page_may_use_it(address: str) -> None:
    base, _, key = address.partition("?key=")
    async with aiohttp.ClientSession() as stranger:
        for path in ("", "ws", "static/js/textual.js", "?key=guess"):
            async with stranger.get(base + path) as answer:
                assert answer.status == 403, path
    jar = aiohttp.CookieJar(unsafe=True)
    async with aiohttp.ClientSession(cookie_jar=jar) as browser:
        async with browser.get(address) as answer:
            assert (answer.status, str(answer.url)) == (200, base)
            page = await answer.text()
        assert key not in page
        assert "googleapis" not in page
        assert re.findall(r'(?:src|href)="(https?://(?!127\.0\.0\.1)[^"]*)', page) == []
        for headers in ({"origin": "https://evil.example"}, {"host": "evil.example"}):
            async with browser.get(f"{base}ws", headers=headers) as answer:
                assert answer.status == 403


async def test_it_draws_the_jobs(address: str) -> None:
    base = address.partition("?")[0]
    async with aiohttp.ClientSession(cookie_jar=aiohttp.CookieJar(unsafe=True)) as browser:
        async with browser.get(address):
            pass
        async with browser.ws_connect(f"{base}ws?width=100&height=30", origin=base.rstrip("/")) as socket:
            drawn = b""
            async with asyncio.timeout(60):
                while b"beat" not in drawn:
                    message = await socket.receive()
                    drawn += message.data if isinstance(message.data, bytes) else b""


@pytest.mark.parametrize("options", [("--role", "viewer")])
async def test_who_may_only_look_reads_so_and_is_refused_what_changes_something(
    server: subprocess.Popen[str], address: str, home: Path
) -> None:
    assert server.stdout is not None
    assert "who has this address may look and change nothing" in server.stdout.readline()
    base = address.partition("?")[0]
    async with aiohttp.ClientSession(cookie_jar=aiohttp.CookieJar(unsafe=True)) as browser:
        async with browser.get(address):
            pass
        async with browser.ws_connect(f"{base}ws?width=100&height=30", origin=base.rstrip("/")) as socket:
            drawn = b""

            async def reads(word: bytes) -> None:
                nonlocal drawn
                async with asyncio.timeout(60):
                    while word not in drawn:
                        message = await socket.receive()
                        drawn += message.data if isinstance(message.data, bytes) else b""

            await reads(b"read-only")
            await reads(b"beat")
            await socket.send_json(["stdin", "r"])
            await reads(b"not for you")
    async with AsyncClient(socket_in(home)) as client:
        assert await client.runs(job="beat") == []


class Chromium:
    """A page of a real browser, by the DevTools protocol."""

    def __init__(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        self._socket = socket
        self._ids = count(1)
        self.session: str | None = None
        self.asked_for: list[str] = []
        self.drawn = b""
        self.is_loaded = False

    async def do(self, method: str, **params: Any) -> dict[str, Any]:
        """Carry out a command, and return its result."""
        number = next(self._ids)
        message = {"id": number, "method": method, "params": params}
        await self._socket.send_json(message | ({"sessionId": self.session} if self.session else {}))
        async with asyncio.timeout(60):
            while (answer := await self._hear()).get("id") != number:
                pass
        assert "error" not in answer, answer
        return answer["result"]

    async def until(self, condition: Callable[[], bool], seconds: float = 90) -> None:
        """Listen until a condition is true of what was heard."""
        async with asyncio.timeout(seconds):
            while not condition():
                await self._hear()

    async def _hear(self) -> dict[str, Any]:
        message = json.loads((await self._socket.receive()).data)
        self._note(message)
        return message

    def _note(self, message: dict[str, Any]) -> None:
        match message:
            case {"method": "Page.loadEventFired"}:
                self.is_loaded = True
            case {"method": "Network.requestWillBeSent", "params": {"request": {"url": url}}}:
                self.asked_for.append(url)
            case {"method": "Network.webSocketFrameReceived", "params": {"response": frame}}:
                binary = frame["opcode"] == 2
                self.drawn += base64.b64decode(frame["payloadData"]) if binary else b""

    async def open(self, url: str) -> None:
        target = await self.do("Target.createTarget", url="about:blank")
        attached = await self.do("Target.attachToTarget", targetId=target["targetId"], flatten=True)
        self.session = attached["sessionId"]
        await self.do("Network.enable")
        await self.do("Page.enable")
        await self.do("Page.navigate", url=url)
        # What is asked of a page that is on its way to another one is not answered.
        await self.until(lambda: self.is_loaded)

    async def press(self, key: str) -> None:
        code = ord(key.upper())
        await self.do("Input.dispatchKeyEvent", type="keyDown", key=key, text=key, windowsVirtualKeyCode=code)
        await self.do("Input.dispatchKeyEvent", type="keyUp", key=key, windowsVirtualKeyCode=code)


@pytest.fixture
async def chromium(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Chromium]:
    if CHROMIUM is None:
        if os.environ.get("CI"):
            pytest.fail("no Chromium, which .ci/run installs")
        pytest.skip("no Chromium: apt-get install chromium")
    folder = tmp_path_factory.mktemp("chromium")
    options = [
        "--headless=new",
        "--no-sandbox",
        "--disable-gpu",
        "--disable-dev-shm-usage",
        "--no-first-run",
        "--window-size=1000,700",
    ]
    process = await asyncio.create_subprocess_exec(
        *(CHROMIUM, *options, "--remote-debugging-port=0", f"--user-data-dir={folder}", "about:blank"),
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.DEVNULL,
    )
    try:
        port = folder / "DevToolsActivePort"
        await until_async(lambda: port.exists() and len(port.read_text().split()) == 2, 90)
        number, path = port.read_text().split()
        async with (
            aiohttp.ClientSession() as http,
            http.ws_connect(f"ws://127.0.0.1:{number}{path}", max_msg_size=0) as socket,
        ):
            yield Chromium(socket)
    finally:
        process.terminate()
        await process.wait()


async def test_in_a_real_browser_a_person_sees_the_jobs_and_runs_one(
    address: str, home: Path, chromium: Chromium
) -> None:
    await chromium.open(address)

    await chromium.until(lambda: b"beat" in chromium.drawn)
    await chromium.do("Runtime.evaluate", expression="document.querySelector('textarea').focus()")
    await chromium.press("r")

    async def has_run() -> bool:
        async with AsyncClient(socket_in(home)) as client:
            return bool(await client.runs(job="beat"))

    await until_async(has_run, 60)
    base = address.partition("?")[0]
    outside = [url for url in chromium.asked_for if not url.startswith((base, "data:", "blob:"))]
    assert outside == []
