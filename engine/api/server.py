"""The HTTP API inside the engine's loop: on a Unix socket in the home folder, and on TCP where asked."""

from __future__ import annotations

import asyncio
import os
import socket
import stat
from collections.abc import Sequence
from pathlib import Path
from typing import cast

import uvicorn
from fastapi import APIRouter, FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp

from engine.api import (
    alertroutes,
    auditroutes,
    bulkroutes,
    draftroutes,
    historyroutes,
    holdroutes,
    ledgerroutes,
    noderoutes,
    overrideroutes,
    overviewroutes,
    reloadroutes,
    routes,
    scheduleroutes,
    stateroutes,
)
from engine.api.address import short_path, split_tcp
from engine.api.breaking import BrokenOff
from engine.api.callers import Callers
from engine.api.failures import Failure, FailureDetail, describe
from engine.api.feed import Feeds
from engine.api.guards import BodyLimit, CallerGuard, LocalListener, RoleGuard, failure_response
from engine.api.operations import Operations
from engine.api.rights import Rights
from engine.api.tls import Tls
from engine.errors import HomeInUse, MoontideError, SettingsError
from engine.version import VERSION

#: What is under way when the server stops gets so long, then its connection is cut.
STOP_SECONDS = 2.0

#: So many connections wait at a socket for being accepted.
BACKLOG = 128
#: So many are accepted at once. While no descriptor is free, asyncio tells of each one that it tries, with a
#: traceback, and goes on to the next; with its ordinary number the engine would do nothing else.
_AT_ONCE = 1

#: Every part of the API.
ROUTERS = (
    routes.router,
    historyroutes.router,
    stateroutes.router,
    overrideroutes.router,
    overviewroutes.router,
    draftroutes.router,
    reloadroutes.router,
    ledgerroutes.router,
    holdroutes.router,
    alertroutes.router,
    scheduleroutes.router,
    auditroutes.router,
    bulkroutes.router,
    noderoutes.router,
)

_HTTP_CODES = {401: "unauthorized", 403: "forbidden", 404: "not_found", 405: "not_found", 413: "too_large"}


def create_app(
    operations: Operations, *, callers: Callers | None = None, added: Sequence[APIRouter] = ()
) -> FastAPI:
    """Return the API as an ASGI application.

    Args:
        operations: the engine that answers.
        callers: the tokens of which requests from TCP must bring one; without any, none of them passes.
        added: further routes, behind the same walls.
    """
    app = FastAPI(
        title="Moontide",
        summary="A Lua job engine: its jobs, their runs and logs, and what happens now.",
        version=VERSION,
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
        # As they are: `include_router` would make all anew at the first request, while everything waits.
        routes=[route for router in ROUTERS for route in router.routes],
    )
    app.state.operations = operations
    app.state.feeds = Feeds(operations.events)
    for router in added:
        app.include_router(router)
    put_walls_before(app, callers)
    return app


def put_walls_before(app: FastAPI, callers: Callers | None) -> None:
    """Let an application answer whom it knows alone, as far as their role goes, and errors in one form."""
    app.add_exception_handler(MoontideError, _answer_error)
    app.add_exception_handler(RequestValidationError, _answer_invalid)
    app.add_exception_handler(HTTPException, _answer_http)
    app.add_exception_handler(Exception, _answer_crash)
    app.add_middleware(BodyLimit)
    app.add_middleware(RoleGuard, rights=Rights(ROUTERS))
    app.add_middleware(CallerGuard, callers=callers or Callers())


async def _answer_error(request: Request, error: Exception) -> Response:
    status, failure = describe(cast(MoontideError, error))
    return failure_response(status, failure)


async def _answer_invalid(request: Request, error: Exception) -> Response:
    problems = cast(RequestValidationError, error).errors()
    message = "; ".join(_in_words(problem) for problem in problems)
    return failure_response(422, Failure(FailureDetail("bad_input", message)))


def _in_words(problem: dict[str, object]) -> str:
    if problem["type"] == "json_invalid":
        context = cast(dict[str, str], problem.get("ctx", {}))
        return f"the body is not JSON: {context.get('error', 'it cannot be read')}"
    place = ".".join(str(part) for part in cast(tuple[object, ...], problem["loc"]))
    return f"{place}: {problem['msg']}"


async def _answer_http(request: Request, error: Exception) -> Response:
    failed = cast(HTTPException, error)
    code = _HTTP_CODES.get(failed.status_code, "bad_input")
    detail = FailureDetail(code, _http_words(request, failed))
    return failure_response(failed.status_code, Failure(detail), dict(failed.headers or {}))


def _http_words(request: Request, error: HTTPException) -> str:
    if error.status_code in (404, 405):
        return f"the API has no {request.method} {request.url.path}; /openapi.json lists what it has"
    return error.detail


async def _answer_crash(request: Request, error: Exception) -> Response:
    # The exception itself is logged by the server, with its traceback.
    detail = FailureDetail("failed", "the engine failed to answer; its log says why")
    return failure_response(500, Failure(detail))


class Listeners:
    """Serves an application on sockets inside the running loop, and leaves signals alone."""

    def __init__(
        self, app: FastAPI, *, socket_path: Path, tcp: str | None = None, tls: Tls | None = None
    ) -> None:
        """Prepare them.

        Args:
            socket_path: the Unix socket, made with mode 0600.
            tcp: an address to listen on as well, such as "127.0.0.1:7424".
            tls: what the TCP listener shows who connects; without it nothing is encrypted.
        """
        self._app = app
        self._tls = tls
        self._path = socket_path
        self._tcp = tcp
        self._inode: int | None = None
        self._listeners: list[_Listener] = []
        self.tcp_port: int | None = None

    async def start(self) -> None:
        """Listen; once it returns, requests are answered.

        Raises:
            HomeInUse: another engine answers at the socket.
            SettingsError: the TCP address cannot be used.
        """
        try:
            await self._listen_on_socket()
            if self._tcp:
                await self._listen_on_tcp(self._tcp)
        except BaseException:
            await self.stop()
            raise

    async def stop(self) -> None:
        """Let requests under way finish for a moment, and remove the socket."""
        await asyncio.gather(*(listener.stop() for listener in self._listeners))
        self._listeners.clear()
        self._remove_socket()

    async def _listen_on_socket(self) -> None:
        bound = bind_unix(self._path)
        self._inode = self._path.stat().st_ino
        await self._serve(_Listener(LocalListener(self._app), bound))

    async def _listen_on_tcp(self, address: str) -> None:
        if self._tls is not None:
            self._tls.check()
        bound = bind_tcp(address, key="api.tcp")
        self.tcp_port = bound.getsockname()[1]
        await self._serve(_Listener(self._app, bound, self._tls))

    async def _serve(self, listener: _Listener) -> None:
        self._listeners.append(listener)
        await listener.start()

    def _remove_socket(self) -> None:
        """Remove the socket's file if it is still ours: another engine may have taken the place."""
        try:
            if self._inode is not None and self._path.stat().st_ino == self._inode:
                self._path.unlink()
        except FileNotFoundError:
            pass
        self._inode = None


class ApiServer(Listeners):
    """Serves the API of an engine."""

    def __init__(
        self,
        operations: Operations,
        *,
        socket_path: Path,
        tcp: str | None = None,
        callers: Callers | None = None,
        tls: Tls | None = None,
        added: Sequence[APIRouter] = (),
    ) -> None:
        """Prepare a server; see `Listeners` for what it listens on.

        Args:
            operations: the engine that answers.
            callers: the tokens of which requests from TCP must bring one; without any, none of them passes.
            added: further routes, behind the same walls.
        """
        app = create_app(operations, callers=callers, added=added)
        super().__init__(app, socket_path=socket_path, tcp=tcp, tls=tls)

    async def stop(self) -> None:
        """End all streams, let requests under way finish for a moment, and remove the socket."""
        cast(Feeds, self._app.state.feeds).close()
        await super().stop()


class _Listener:
    """One socket served by uvicorn.

    Its server is started and shut down by hand: its own main loop would wake up ten times a second, and
    would take over the process's signals.
    """

    def __init__(self, app: ASGIApp, bound: socket.socket, tls: Tls | None = None) -> None:
        self._socket = bound
        self._server = uvicorn.Server(
            uvicorn.Config(
                BrokenOff(app),
                http="h11",
                ws="none",
                lifespan="off",
                log_config=None,
                log_level="warning",
                access_log=False,
                proxy_headers=False,
                server_header=False,
                date_header=False,
                ssl_certfile=tls.certificate if tls else None,
                ssl_keyfile=tls.key if tls else None,
                backlog=_AT_ONCE,
                timeout_graceful_shutdown=int(2 * STOP_SECONDS),
            )
        )

    async def start(self) -> None:
        config = self._server.config
        config.load()
        self._server.lifespan = config.lifespan_class(config)
        await self._server.startup(sockets=[self._socket])
        self._socket.listen(BACKLOG)

    async def stop(self) -> None:
        if not self._server.started:
            self._socket.close()
            return
        await self._accept_no_more()
        cut = asyncio.get_running_loop().call_later(STOP_SECONDS, self._cut_connections)
        try:
            await self._server.shutdown(sockets=[self._socket])
        finally:
            cut.cancel()

    async def _accept_no_more(self) -> None:
        """Take no further connection, and let each that was just taken become one that can be closed.

        A server of asyncio that is closed between the two loses the connection (CPython's issue 109564): its
        socket stays open until somebody collects it, and whoever called hears nothing for so long.
        """
        loop = asyncio.get_running_loop()
        for server in self._server.servers:
            for listening in server.sockets:
                loop.remove_reader(listening)
        # In one turn of the loop its transport is made, in the next its protocol hears of it.
        await asyncio.sleep(0)
        await asyncio.sleep(0)

    def _cut_connections(self) -> None:
        for connection in list(self._server.server_state.connections):
            connection.transport.abort()


def bind_unix(path: Path) -> socket.socket:
    """Return a socket bound to `path` that only this user can open, at every instant.

    Raises:
        HomeInUse: somebody answers at the path already.
    """
    _remove_stale(path)
    bound = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        # On Linux the file inherits the mode of the unbound socket, so there is no moment of a wider one,
        # and no change of the process's umask that other threads would feel.
        os.fchmod(bound.fileno(), 0o600)
        with short_path(path) as short:
            bound.bind(short)
    except BaseException:
        bound.close()
        raise
    return bound


def _remove_stale(path: Path) -> None:
    """Remove the socket that a killed engine left, if nobody answers at it."""
    try:
        if not stat.S_ISSOCK(path.lstat().st_mode):
            raise SettingsError(f"{path} is in the way: the API's socket goes there; move it elsewhere")
    except FileNotFoundError:
        return
    if _answers(path):
        raise HomeInUse(str(path.parent), None)
    path.unlink(missing_ok=True)


def _answers(path: Path) -> bool:
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe, short_path(path) as short:
        try:
            probe.connect(short)
        except (ConnectionRefusedError, FileNotFoundError):
            return False
        return True


def bind_tcp(address: str, *, key: str) -> socket.socket:
    """Return a socket bound to a TCP address.

    Args:
        key: of the setting that holds the address, for the error.

    Raises:
        SettingsError: the address is none, or it cannot be listened on.
    """
    try:
        host, port = split_tcp(address)
        family, *_, place = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)[
            0
        ]
        return socket.create_server(place[:2], family=family, backlog=BACKLOG)
    except (OSError, ValueError) as error:
        raise SettingsError(f"{key} = {address!r}: cannot listen there: {error}") from error
