"""Bodies of answers: unpacked piece by piece, and never larger than they may be."""

from __future__ import annotations

import asyncio
import zlib
from collections.abc import AsyncIterable, Iterator

from moontide.quantities import format_size

#: Packed data grows a thousandfold at most; a piece of it is unpacked in steps of this size.
STEP_BYTES = 2**16

_GZIP_MAGIC = b"\x1f\x8b"


class BodyError(Exception):
    """A body cannot be taken; the text says why."""


class Room:
    """What the bodies of a call may fill, together."""

    def __init__(self, limit_bytes: int) -> None:
        self._limit = self._left = limit_bytes

    def take(self, size: int) -> None:
        """Use some of it.

        Raises:
            BodyError: there is not so much left.
        """
        self._left -= size
        if self._left < 0:
            raise BodyError(f"the answer is larger than {format_size(self._limit)}, the limit (max_body)")


class Unpacker:
    """Unpacks gzip and deflate in small steps; everything else passes as it is."""

    def __init__(self, encoding: str) -> None:
        """Make an unpacker.

        Args:
            encoding: the header Content-Encoding.
        """
        self._kind = encoding.strip().lower()
        self._packed = self._kind in ("gzip", "x-gzip", "deflate")
        self._inflate: zlib._Decompress | None = None
        self._ended = False

    def pieces(self, data: bytes) -> Iterator[bytes]:
        """Yield what becomes of the next bytes of the body.

        Raises:
            BodyError: the body is not packed as its header says.
        """
        if not self._packed:
            yield data
            return
        if self._ended or not data:
            return
        try:
            yield from self._unpacked(data)
        except zlib.error as error:
            raise BodyError(f"the answer is not in the format {self._kind} that it claims") from error

    def finish(self) -> None:
        """End the body.

        Raises:
            BodyError: something is missing at the end.
        """
        if self._inflate is not None and not self._inflate.eof:
            raise BodyError("the answer ended in the middle of its packed data")

    def _unpacked(self, data: bytes) -> Iterator[bytes]:
        if self._inflate is None:
            self._inflate = self._start(data)
        while True:
            piece = self._inflate.decompress(data, STEP_BYTES)
            if piece:
                yield piece
            data = self._inflate.unconsumed_tail
            if self._inflate.eof:
                data = self._inflate.unused_data
                # A file of several parts goes on; whatever else follows the end is no part of the body.
                if not data.startswith(_GZIP_MAGIC):
                    self._ended = bool(data)
                    return
                self._inflate = self._start(data)
            elif not data and len(piece) < STEP_BYTES:
                return

    def _start(self, data: bytes) -> zlib._Decompress:
        if self._kind == "deflate":
            # Some servers send the bare format, without the two bytes that RFC 1950 puts in front.
            wrapped = data[0] & 0x0F == 8 and (len(data) < 2 or int.from_bytes(data[:2], "big") % 31 == 0)
            return zlib.decompressobj(zlib.MAX_WBITS if wrapped else -zlib.MAX_WBITS)
        return zlib.decompressobj(zlib.MAX_WBITS | 16)


async def read_body(chunks: AsyncIterable[bytes], encoding: str, room: Room) -> bytes:
    """Return a whole body, unpacked.

    Args:
        encoding: the header Content-Encoding.
        room: asked for each piece before it is kept.

    Raises:
        BodyError: it is too large, or packed wrongly.
    """
    unpacker, body = Unpacker(encoding), bytearray()
    async for chunk in chunks:
        for piece in unpacker.pieces(chunk):
            room.take(len(piece))
            body += piece
            await asyncio.sleep(0)  # a long body must not keep others waiting
    unpacker.finish()
    return bytes(body)
