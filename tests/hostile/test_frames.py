"""Whatever bytes come from a worker, reading them ends, and ends in a message or in the declared error."""

from __future__ import annotations

import pytest

from engine.errors import WireError
from engine.sandbox import wire
from tests.hostile.frames import SEEDS, read_many, take

SEED = 20260302


def test_twenty_thousand_changed_frames_raise_nothing_but_the_declared_error() -> None:
    read = read_many(20_000, SEED)
    assert read.frames == 20_000
    # A mutator that breaks all of them, or none, would try nothing.
    assert 0.01 < read.messages / read.frames < 0.5


@pytest.mark.parametrize("message", SEEDS, ids=lambda message: type(message).__name__)
def test_what_a_worker_really_sends_is_read(message: wire.Message) -> None:
    assert take(bytes(wire.frame(message))) == 1


def test_noise_is_refused() -> None:
    with pytest.raises(WireError):
        take(b"\x00\x00\x00\x02\xc1\xc1")
