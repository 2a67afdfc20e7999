"""Letters from drafts without keeping the engine waiting: small ones in a thread, large ones in a process.

The `email` package works on a letter of 16 MB for a second and more; for much of that time no other thread
can run.
"""

from __future__ import annotations

import asyncio
import contextlib
import sys
from asyncio.subprocess import DEVNULL, PIPE, Process

import msgspec

from moontide import CoreError
from moontide.quantities import format_duration
from plugins.mail.child import Answer
from plugins.mail.message import Draft, Letter, build_letter
from plugins.mail.order import LENGTH_BYTES, Order, write_order
from plugins.mail.pieces import PIECE_BYTES

NOT_BUILT = 701

#: Text and files above this make a draft large.
LARGE_BYTES = 2**17

#: Large letters that are built at once; further ones wait.
MOST_PROCESSES = 2

#: For building one large letter; the usual ones of 16 MB take two.
LONGEST_SECONDS = 60.0

_CHILD = "plugins.mail.child"


class Builder:
    """Builds letters."""

    def __init__(self, *, default_sender: str, tag_field: str, seconds: float = LONGEST_SECONDS) -> None:
        """Make a builder.

        Args:
            default_sender: stands in where a job has set none; empty for none.
            tag_field: the header field that holds the tag.
            seconds: for one large letter.
        """
        self._default_sender = default_sender
        self._tag_field = tag_field
        self._seconds = seconds
        self._free = asyncio.Semaphore(MOST_PROCESSES)

    async def build(self, draft: Draft) -> Letter:
        """Return the message of a draft.

        Raises:
            CoreError: as `build_letter`; 701 if it takes too much time or memory.
        """
        if _size(draft) <= LARGE_BYTES:
            return await asyncio.to_thread(
                build_letter, draft, default_sender=self._default_sender, tag_field=self._tag_field
            )
        order = Order(draft, self._default_sender, self._tag_field)
        async with self._free:
            return await self._build_apart(order)

    async def _build_apart(self, order: Order) -> Letter:
        process = await _start(self._seconds)
        try:
            async with asyncio.timeout(self._seconds):
                await _send(process, order)
                return await _receive(process)
        except TimeoutError as error:
            problem = f"it took longer than {format_duration(self._seconds)}"
            raise CoreError(f"core.email: the message was not built: {problem}", NOT_BUILT) from error
        except (OSError, EOFError) as error:
            problem = "it takes more time or memory than a message may have"
            raise CoreError(f"core.email: the message was not built: {problem}", NOT_BUILT) from error
        finally:
            await _end(process)


def _size(draft: Draft) -> int:
    texts = (draft.text or "", draft.html or "", *(file.content for file in draft.attachments))
    return sum(map(len, texts))


async def _start(seconds: float) -> Process:
    # Nothing of the engine's environment: it may hold secrets.
    return await asyncio.create_subprocess_exec(
        *(sys.executable, "-I", "-m", _CHILD, str(seconds)),
        stdin=PIPE,
        stdout=PIPE,
        stderr=DEVNULL,
        env={},
        cwd="/",
    )


async def _send(process: Process, order: Order) -> None:
    assert process.stdin is not None
    for data in write_order(order):
        process.stdin.write(data)
        await process.stdin.drain()
    process.stdin.close()


async def _receive(process: Process) -> Letter:
    assert process.stdout is not None
    length = int.from_bytes(await process.stdout.readexactly(LENGTH_BYTES), "big")
    answer = msgspec.msgpack.decode(await process.stdout.readexactly(length), type=Answer)
    if answer.problem:
        raise CoreError(answer.problem, answer.code)
    pieces = []
    missing = answer.sent_size
    while missing:
        piece = await process.stdout.read(min(missing, PIECE_BYTES))
        if not piece:
            raise EOFError("the text is cut short")
        pieces.append(piece)
        missing -= len(piece)
    return Letter(answer.sender, answer.recipients, answer.message_id, answer.size, tuple(pieces))


async def _end(process: Process) -> None:
    with contextlib.suppress(ProcessLookupError):
        process.kill()
    await process.wait()
