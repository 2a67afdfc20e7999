"""The log of one run keeps its limits."""

from dataclasses import replace
from datetime import UTC, datetime
from time import perf_counter

from hypothesis import given
from hypothesis import strategies as st

from engine.calls.masking import MASK
from engine.calls.tally import Tally
from engine.extensions.runlog import RunLog, cut
from engine.run import Limits, LogLine
from engine.times.clock import ManualClock

CLOCK = ManualClock(datetime(2026, 3, 1, tzinfo=UTC))


def log_with(limits: Limits) -> tuple[RunLog, list[LogLine]]:
    lines: list[LogLine] = []
    return RunLog(limits=limits, clock=CLOCK, keep=lines.append), lines


def test_lines_are_numbered_from_one() -> None:
    log, lines = log_with(Limits())
    log.write("info", "first")
    log.write("warn", "second")
    assert [(line.number, line.level, line.text) for line in lines] == [
        (1, "info", "first"),
        (2, "warn", "second"),
    ]


def test_a_full_log_ends_with_one_line_that_says_so() -> None:
    log, lines = log_with(replace(Limits(), log_bytes=100))
    for _ in range(1000):
        log.write("info", "x" * 30)
    assert len(lines) == 4
    assert lines[-1].text == "log cut: more than 100 B, the limit"


def test_calls_are_told_without_secrets_and_only_where_they_are_known() -> None:
    log, _ = log_with(Limits())
    assert log.calls is None
    log.tally = Tally()
    log.tally.add("http.get", perf_counter(), "no access with hunter2")
    log.masking.hide("hunter2")
    [line] = log.calls or []
    assert line["error"] == f"no access with {MASK}"


def test_control_characters_cannot_reach_a_terminal() -> None:
    assert cut("a\x1b[2Jb\x07\r", 100) == "a\\x1b[2Jb\\x07\\x0d"
    assert cut("a\u009b2Jb", 100) == "a\\x9b2Jb"


def test_nothing_hides_or_turns_round_what_a_line_says() -> None:
    assert cut("\u202etxt.exe\u2028next", 100) == "\\u202etxt.exe\\u2028next"


def test_a_long_line_is_cut_and_says_so() -> None:
    assert cut("ä" * 100, 11) == "äääää ... (cut)"


@given(st.lists(st.text(max_size=200), max_size=60), st.integers(1, 500))
def test_a_log_never_keeps_more_than_its_limit(texts: list[str], limit: int) -> None:
    log, lines = log_with(replace(Limits(), log_bytes=limit, log_line_bytes=100))
    for text in texts:
        log.write("info", text)
    kept = [line for line in lines if not line.text.startswith("log cut")]
    assert sum(len(line.text.encode("utf-8", "replace")) for line in kept) <= limit
