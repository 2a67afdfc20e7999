"""One connection to an engine on an event loop; h11 knows the words of HTTP/1.1."""

from __future__ import annotations

import asyncio
import select
from collections.abc import AsyncIterator
from http import HTTPStatus

import h11

_READ_BYTES = 2**18


class Connection:
    """Sends requests one after another, and reads their answers.

    Whatever takes longer than it is given ends in a TimeoutError, and what is no answer in an
    h11.RemoteProtocolError.
    """

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer
        self._words = h11.Connection(h11.CLIENT)
        self._status = 0

    def is_open(self) -> bool:
        """Return whether the engine has left it open; between two answers there is nothing else to read."""
        if self._reader.at_eof() or self._writer.is_closing():
            return False
        # The event loop may not have looked at it since the last answer.
        look = select.poll()
        look.register(self._writer.get_extra_info("socket"), select.POLLIN)
        return not look.poll(0)

    def close(self) -> None:
        """Close it, whatever is under way."""
        self._writer.transport.abort()

    async def send(self, request: h11.Request, content: bytes, seconds: float) -> None:
        """Send a whole request."""
        for event in (request, h11.Data(content), h11.EndOfMessage()):
            self._writer.write(self._words.send(event) or b"")
        async with asyncio.timeout(seconds):
            await self._writer.drain()

    async def status(self, seconds: float) -> int:
        """Read the answer up to its content, and return its status."""
        event = await self._next(seconds)
        while not isinstance(event, h11.Response):
            event = await self._next(seconds)
        self._status = event.status_code
        return event.status_code

    async def content(self, seconds: float) -> AsyncIterator[bytes]:
        """Read the content as it comes; each part of it may take so long."""
        while isinstance(event := await self._next(seconds), h11.Data):
            yield event.data

    def begins_anew(self) -> bool:
        """Make it ready for another request; false if there can be none after this answer."""
        # A server that failed closes the connection soon after, without having said so.
        if self._status >= HTTPStatus.INTERNAL_SERVER_ERROR or self._words.their_state is not h11.DONE:
            return False
        self._words.start_next_cycle()
        return True

    async def _next(self, seconds: float) -> h11.Event | type[h11.NEED_DATA] | type[h11.PAUSED]:
        while (event := self._words.next_event()) is h11.NEED_DATA:
            async with asyncio.timeout(seconds):
                self._words.receive_data(await self._reader.read(_READ_BYTES))
        return event
