"""Durations, sizes and signals in words, and the time zones that workers get."""

from __future__ import annotations

import signal
from datetime import UTC, datetime

import pytest

from engine.sandbox import words
from engine.sandbox.zones import transitions


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0.5, "0.5 s"),
        (30, "30 s"),
        (90, "90 s"),
        (60, "1 min"),
        (300, "5 min"),
        (3600, "1 h"),
        (5400, "1 h 30 min"),
    ],
)
def test_durations_read_well(seconds: float, text: str) -> None:
    assert words.duration(seconds) == text


@pytest.mark.parametrize(
    ("count", "text"), [(512, "512 bytes"), (1024, "1 KB"), (64 * 2**20, "64 MB"), (2**30, "1024 MB")]
)
def test_sizes_read_well(count: int, text: str) -> None:
    assert words.size(count) == text


def test_a_crash_names_its_signal_or_exit_code() -> None:
    assert words.crash(signal.SIGSEGV) == "worker crashed (SIGSEGV): the Lua interpreter failed"
    assert words.crash(3 << 8) == "worker crashed (exit code 3): it ended without an answer"
    assert words.crash(signal.SIGHUP) == "worker crashed (SIGHUP)"


def test_control_characters_of_a_worker_s_text_are_visible() -> None:
    assert words.from_worker(b"a\x1b[2Jb\nc\td\xff") == "a\\x1b[2Jb\nc\td\ufffd"


def test_a_worker_s_text_is_bounded() -> None:
    assert len(words.from_worker(b"x" * 10**6)) == words.MAX_ERROR_CHARACTERS


def seconds_of(text: str) -> int:
    return int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp())


def test_the_offset_changes_at_the_second_of_the_switch() -> None:
    now = seconds_of("2026-03-28T12:00")
    assert transitions("Europe/Berlin", now, 86_400)[1:] == [[seconds_of("2026-03-29T01:00"), 7200]]
    assert transitions("Europe/Berlin", now, 86_400)[0][1] == 3600


def test_a_zone_without_changes_has_one_offset() -> None:
    assert [offset for _from, offset in transitions("Asia/Kathmandu", 0.0, 3600)] == [19800]


def test_utc_needs_no_look_at_the_calendar() -> None:
    assert transitions("UTC", 5e9, 1e9) == [[0, 0]]


@pytest.mark.parametrize("zone", ["Middle/Earth", "../etc/passwd", ""])
def test_an_unknown_zone_is_an_error(zone: str) -> None:
    with pytest.raises((KeyError, ValueError)):
        transitions(zone, 0.0, 3600)
