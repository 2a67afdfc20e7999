"""What is told of something that takes long."""

from __future__ import annotations

import io

import pytest

from tests.progress import ELSEWHERE_SECONDS, ON_TERMINAL_SECONDS, Progress


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize(
    ("stream", "pause"), [(io.StringIO(), ELSEWHERE_SECONDS), (Terminal(), ON_TERMINAL_SECONDS)]
)
def test_it_tells_at_once_what_begins_and_from_time_to_time_how_far_it_is(
    stream: io.StringIO, pause: float
) -> None:
    now = 0.0
    progress = Progress(stream, lambda: now)
    for item in progress.through("killed", range(5), 5):
        now += 0 if item < 3 else pause
    progress.say("the runs come to their ends")
    said = stream.getvalue()
    assert [f"{n} of 5 done" in said for n in range(5)] == [True, False, False, False, True]
    assert "the runs come to their ends" in said


def test_on_a_terminal_words_replace_each_other_and_are_gone_in_the_end() -> None:
    terminal = Terminal()
    progress = Progress(terminal)
    progress.say("one")
    progress.say("two")
    progress.end()
    assert "\n" not in terminal.getvalue()
    assert terminal.getvalue().endswith("\r\x1b[K")
