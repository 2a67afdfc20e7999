"""The judge of hostile jobs sees what it must see."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from tests.hostile.attack import Attack, End
from tests.hostile.canaries import Canaries
from tests.hostile.judge import Observed, complaints
from tests.hostile.vitals import Vitals, harm

ATTACK = Attack(
    "cpu", "loop", "a loop", (), (End("TIMEOUT", "CPU time"), End("COMPLETE", result=[1, None])), b""
)
HELD = Observed("TIMEOUT", "stopped after 1 s of CPU time: the limit", log=("a line",))
SECRET = "canary-5"

WELL = Vitals(pid=1, memory_bytes=2**27, descriptors=20, workers=2, others=1)


@pytest.mark.parametrize("seen", [HELD, Observed("COMPLETE", result=[1, None])])
def test_an_acceptable_end_is_no_complaint(seen: Observed) -> None:
    assert complaints(ATTACK, seen, (SECRET,)) == []


@pytest.mark.parametrize(
    "seen",
    [
        Observed("COMPLETE", result="reached"),
        Observed("TIMEOUT", "stopped after 5 s: the job's timeout"),
        Observed("CRASHED", "CPU time"),
        replace(HELD, log=("the key is canary-5",)),
        replace(HELD, texts=('{"key": "canary-5"}',)),
        replace(HELD, error=HELD.error + " at 0x7f0012345678"),
        replace(HELD, log=("\x1b[2J",)),
        replace(HELD, log=("\u009b2J",)),
        replace(HELD, cpu_ms=5000.0),
        replace(HELD, peak_memory_bytes=2**30),
        replace(HELD, log=("x" * 100_000,)),
        replace(HELD, log=("x" * 4000,) * 50),
        replace(HELD, info_bytes=10**6),
        replace(HELD, error="of CPU time" * 10_000),
        replace(HELD, problems=101),
    ],
)
def test_anything_else_is(seen: Observed) -> None:
    assert complaints(ATTACK, seen, (SECRET,)) != []


@pytest.mark.parametrize(
    "after",
    [
        replace(WELL, pid=2),
        replace(WELL, memory_bytes=2**30),
        replace(WELL, descriptors=60),
        replace(WELL, workers=3),
        replace(WELL, others=4),
    ],
)
def test_an_engine_that_was_harmed_is_seen(after: Vitals) -> None:
    assert harm(WELL, WELL) == []
    assert harm(WELL, after) != []


def test_a_touched_canary_is_seen(tmp_path: Path) -> None:
    canaries = Canaries(tmp_path)
    try:
        assert canaries.touched() == []
        canaries.file.write_text("gone")
        (tmp_path / "new").touch()
        assert canaries.touched() == ["the canary new was touched", "the canary untouched.txt was touched"]
    finally:
        canaries.close()
