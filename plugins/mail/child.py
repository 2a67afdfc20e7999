"""The process that builds one large letter: no secrets, limited memory, and gone when it is done.

It is started with the seconds that it may take. The order comes on standard input; the answer goes to
standard output: a frame with what is told of the letter, then the letter's text as it goes over the line.
"""

from __future__ import annotations

import math
import resource
import sys
from collections.abc import Iterable

import msgspec

from moontide import CoreError
from plugins.mail.message import build_letter
from plugins.mail.order import frame, read_order

#: Address space of the process. A letter of 16 MB takes 250 to 500 MB; 16 MB of line ends would take 1.5 GB.
MEMORY_BYTES = 768 * 2**20


class Answer(msgspec.Struct):
    """A letter but for its text, or else a problem with its code.

    Attributes:
        size: of the text, in bytes.
        sent_size: of the text as it follows, with its dots doubled.
    """

    sender: str = ""
    recipients: tuple[str, ...] = ()
    message_id: str = ""
    size: int = 0
    sent_size: int = 0
    problem: str = ""
    code: int = 0


def main(seconds: float) -> None:
    """Carry out the order."""
    _limit(seconds)
    order = read_order(sys.stdin.buffer)
    try:
        letter = build_letter(order.draft, default_sender=order.default_sender, tag_field=order.tag_field)
    except CoreError as error:
        _write(Answer(problem=error.message, code=error.code))
        return
    sent_size = sum(map(len, letter.pieces))
    answer = Answer(letter.sender, letter.recipients, letter.message_id, letter.size, sent_size)
    _write(answer, letter.pieces)


def _write(answer: Answer, text: Iterable[bytes] = ()) -> None:
    outgoing = sys.stdout.buffer
    outgoing.write(frame(msgspec.msgpack.encode(answer)))
    outgoing.writelines(text)
    outgoing.flush()


def _limit(seconds: float) -> None:
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    # Also where nobody is left to kill it.
    resource.setrlimit(resource.RLIMIT_CPU, (math.ceil(seconds) + 1, resource.RLIM_INFINITY))


if __name__ == "__main__":
    main(float(sys.argv[1]))
