"""Every command under arguments that nobody would give, and some that somebody might."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.hostile import commandfuzz

#: For each command; `make prove` tries far more.
EXAMPLES = 3


@pytest.fixture(scope="module")
def shell(tmp_path_factory: pytest.TempPathFactory) -> Iterator[commandfuzz.Shell]:
    with commandfuzz.shell(tmp_path_factory.mktemp("commands")) as shell:
        yield shell


def test_no_arguments_crash_a_command_or_reach_the_terminal_raw(shell: commandfuzz.Shell) -> None:
    report = shell.try_all(EXAMPLES)
    assert list(report.complaints.values()) == []
    # Else the arguments are all refused, and nothing behind them is tried.
    assert set(report.codes) == commandfuzz.CODES


@pytest.mark.parametrize("text", ["\x1b]0;title\x07", "\x9b2J", "\u202eabc"])
@pytest.mark.parametrize(
    "words",
    [
        ("show",),
        ("run", "--json"),
        ("set", "ticker", "every", "5m"),
        ("check", "--json"),
        ("no-such-command",),
        ("jobs", "--no-such-option"),
        ("pause", "--for"),
    ],
    ids=" ".join,
)
def test_control_characters_in_arguments_are_shown_and_not_obeyed(
    shell: commandfuzz.Shell, words: tuple[str, ...], text: str
) -> None:
    said = shell.carry_out(*words, text)
    assert said["code"] in (1, 2)
    assert not commandfuzz.RAW.search(said["out"] + said["err"])


def test_a_traceback_would_be_told() -> None:
    said = {"code": 1, "out": "", "err": "Traceback (most recent call last):\n"}
    assert commandfuzz.wrong(said) == ["it ended with a traceback"]
    assert commandfuzz.wrong({"code": -14, "out": "\x1b", "err": ""}) == [
        "it ended with -14",
        "it printed control characters",
    ]


def test_all_commands_are_tried(shell: commandfuzz.Shell) -> None:
    assert {("status",), ("schedule", "add"), ("import-crontab",)} <= shell.commands
    assert shell.commands >= commandfuzz.ENDLESS
