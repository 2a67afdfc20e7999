"""What a run tells of itself by `job.warn` and `job.err`."""

from __future__ import annotations

from engine.calls.problems import ERROR, Problems


def test_problems_cannot_reach_a_terminal_as_commands() -> None:
    problems = Problems()
    problems.add(ERROR, "E\x07", "\x1b[2J gone")
    assert problems.listed == [{"level": "error", "code": "E\\x07", "text": "\\x1b[2J gone"}]
    assert problems.error == "job.err: E\\x07: \\x1b[2J gone"
