"""The dashboard in a browser on this machine: textual-serve, behind a key and the checks that it lacks."""

from __future__ import annotations

import asyncio
import hmac
import re
import secrets
import signal
import socket
from collections.abc import Awaitable, Callable

from aiohttp import web
from textual_serve.server import Server

HOST = "127.0.0.1"
#: What is under way when the server stops gets so long.
STOP_SECONDS = 2.0

_FOREIGN_FONT = re.compile(r'<link\s[^>]*href="https://fonts\.googleapis\.com/[^>]*>')
_OWN_FONT = (
    "<style>@font-face{font-family:'Roboto Mono';"
    "src:url(/static/fonts/RobotoMono-VariableFont_wght.ttf)}</style>"
)

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


class DashboardServer(Server):
    """Serves one command to browsers of this machine that know the key.

    Other users of the machine can reach its loopback address too, and so can any page that somebody visits.
    So a key opens it, once by the address and then by a cookie, and only pages of its own may talk to it.
    """

    def __init__(self, command: str, bound: socket.socket) -> None:
        """Make a server.

        Args:
            command: shows the dashboard, as a shell would carry it out.
            bound: the socket to listen on, of the loopback address.
        """
        port = bound.getsockname()[1]
        super().__init__(command, host=HOST, port=port, title="Moontide")
        self._bound = bound
        self._key = secrets.token_urlsafe(24)
        self._cookie = f"moontide-{port}"

    @property
    def address(self) -> str:
        """The address to open, with the key in it."""
        return f"{self.public_url}/?key={self._key}"

    async def serve_until(self, stopped: asyncio.Event) -> None:
        """Serve until an event is set."""
        runner = web.AppRunner(await self._make_app(), shutdown_timeout=STOP_SECONDS, access_log=None)
        await runner.setup()
        try:
            await web.SockSite(runner, self._bound).start()
            await stopped.wait()
        finally:
            await runner.cleanup()

    async def _make_app(self) -> web.Application:
        app = await super()._make_app()

        @web.middleware
        async def guard(request: web.Request, handler: Handler) -> web.StreamResponse:
            return await self._guard(request, handler)

        app.middlewares.append(guard)
        return app

    async def on_startup(self, app: web.Application) -> None:
        """Say nothing; the command says where it is."""

    async def _guard(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        self._check_origin(request)
        if self._is_key(request.query.get("key", "")):
            # Away from the address bar, and out of the history's next entries.
            answer = web.HTTPFound("/")
            answer.set_cookie(self._cookie, self._key, httponly=True, samesite="Strict", path="/")
            raise answer
        if not self._is_key(request.cookies.get(self._cookie, "")):
            raise web.HTTPForbidden(text="open the address that `moontide web` printed: it holds the key\n")
        response = await handler(request)
        if isinstance(response, web.Response) and request.path == "/":
            response.text = _FOREIGN_FONT.sub(_OWN_FONT, response.text or "")
            response.headers["content-security-policy"] = "frame-ancestors 'none'"
        return response

    def _check_origin(self, request: web.Request) -> None:
        """Refuse names that lead here by a foreign name server, and requests of other pages."""
        if request.host != f"{HOST}:{self.port}":
            raise web.HTTPForbidden(text=f"this is {self.public_url}, and no other name of it is taken\n")
        if request.headers.get("origin", self.public_url) != self.public_url:
            raise web.HTTPForbidden(text="no other page may talk to the dashboard\n")

    def _is_key(self, given: str) -> bool:
        return hmac.compare_digest(given.encode("utf-8", "replace"), self._key.encode())


async def serve(command: str, port: int, announce: Callable[[str], object]) -> None:
    """Serve a command's dashboard on the loopback address until SIGINT or SIGTERM.

    Args:
        port: 0 for any.
        announce: told the address to open.

    Raises:
        OSError: the port is taken.
    """
    stopped, loop = asyncio.Event(), asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stopped.set)
    with socket.create_server((HOST, port)) as bound:
        server = DashboardServer(command, bound)
        announce(server.address)
        await server.serve_until(stopped)
