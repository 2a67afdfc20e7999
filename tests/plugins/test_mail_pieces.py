from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from plugins.mail import pieces as module
from plugins.mail.pieces import pieces

TEXTS = st.lists(st.sampled_from([b"a", b".", b"..", b"\r\n", b"\n", b"\r", b"x" * 50])).map(b"".join)


@given(TEXTS.filter(bool), st.integers(1, 100))
def test_a_server_reads_from_the_pieces_what_was_written(text: bytes, size: int) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "PIECE_BYTES", size)
        sent = b"".join(pieces(text))
    lines = sent.split(b"\r\n")
    assert lines.pop() == b""
    assert b"." not in lines
    received = b"\n".join(line.removeprefix(b".") for line in lines)
    assert received == re.sub(rb"\n\Z", b"", re.sub(rb"\r\n|\r|\n", b"\n", text))


def test_pieces_are_small() -> None:
    text = (b"x" * 76 + b"\r\n") * 20_000
    sizes = [len(piece) for piece in pieces(text)]
    assert sum(sizes) == len(text)
    assert max(sizes) < module.PIECE_BYTES + 100
