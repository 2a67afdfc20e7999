"""Requests to an engine one after another, with nothing but the standard library.

The command line lives for one request, and to import an HTTP library would take it longer than that.
"""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import closing, contextmanager
from http.client import HTTPConnection, HTTPException, HTTPResponse, HTTPSConnection
from typing import Any
from urllib.parse import urlsplit

from engine.api.calls import Call
from engine.api.target import ANSWER_SECONDS, CONNECT_SECONDS, JSON, STREAM_SECONDS, Target
from engine.api.wording import Answer, address_of

_READ_BYTES = 65_536


class _SocketConnection(HTTPConnection):
    """A connection to a Unix socket."""

    def __init__(self, path: str, timeout: float) -> None:
        super().__init__("moontide", timeout=timeout)
        self._path = path

    def connect(self) -> None:
        """Connect to the socket instead of a host."""
        opened = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        opened.settimeout(self.timeout)
        try:
            opened.connect(self._path)
        except OSError:
            opened.close()
            raise
        self.sock = opened


class Exchange:
    """Sends requests to one engine, each over a connection of its own."""

    def __init__(self, target: Target) -> None:
        self._target = target
        self._socket_path = target.open_socket_path()
        self._trusted = target.trusted()
        self._url = urlsplit(target.base_url)

    def ask(self, call: Call[Any]) -> Answer:
        """Send a request and return the answer.

        Raises:
            EngineUnreachable: there is no engine, or it went away.
        """
        with self._answered(call, ANSWER_SECONDS) as response:
            return Answer(response.status, self._whole(response))

    @contextmanager
    def lines(self, call: Call[Any]) -> Iterator[tuple[Answer, Iterator[str]]]:
        """Send a request, and give what is answered line by line as it comes.

        Yields:
            the answer with its lines; one that tells of a failure has its content and no lines.

        Raises:
            EngineUnreachable: there is no engine, or it went away.
        """
        with self._answered(call, STREAM_SECONDS) as response:
            if response.status == 200:
                yield Answer(200, b""), self._lines_of(response)
            else:
                yield Answer(response.status, self._whole(response)), iter(())

    @contextmanager
    def _answered(self, call: Call[Any], seconds: float) -> Iterator[HTTPResponse]:
        address = address_of(call, self._url.path)
        headers: dict[Any, Any] = {**JSON, **self._target.headers}
        with closing(self._connected(seconds)) as connection:
            with self._telling():
                connection.request(call.method, address, call.content(), headers)
                response = connection.getresponse()
            yield response

    @contextmanager
    def _telling(self) -> Iterator[None]:
        """Tell what goes wrong with the connection in words for people."""
        try:
            yield
        except (OSError, HTTPException) as error:
            raise self._target.went_away(error) from error

    def _connected(self, seconds: float) -> HTTPConnection:
        self._target.require_socket()
        connection = self._connection()
        try:
            connection.connect()
        except OSError as error:
            raise self._target.not_there(error) from error
        connection.sock.settimeout(seconds)
        return connection

    def _connection(self) -> HTTPConnection:
        if self._socket_path is not None:
            return _SocketConnection(self._socket_path, CONNECT_SECONDS)
        host, port = self._url.hostname or "", self._url.port
        if self._trusted is not None:
            return HTTPSConnection(host, port, timeout=CONNECT_SECONDS, context=self._trusted)
        return HTTPConnection(host, port, timeout=CONNECT_SECONDS)

    def _whole(self, response: HTTPResponse) -> bytes:
        with self._telling():
            return response.read()

    def _lines_of(self, response: HTTPResponse) -> Iterator[str]:
        rest = b""
        while data := self._more(response):
            *lines, rest = (rest + data).split(b"\n")
            for line in lines:
                yield line.decode().removesuffix("\r")

    def _more(self, response: HTTPResponse) -> bytes:
        """Return what has come, or nothing at the proper end."""
        with self._telling():
            return response.read1(_READ_BYTES)
