from __future__ import annotations

import os
import termios
import tty
from collections.abc import Iterator

import pytest

from engine.door.terminal import TYPED_BYTES, Terminal, can_draw, described
from tests.engine.conftest import until


@pytest.fixture
async def drawn() -> bytearray:
    return bytearray()


@pytest.fixture
async def terminal(drawn: bytearray) -> Iterator[Terminal]:
    terminal = Terminal(on_data=drawn.extend)
    tty.setraw(terminal.inner)
    yield terminal
    terminal.close()


async def test_what_is_drawn_comes_out_and_what_is_typed_goes_in(
    terminal: Terminal, drawn: bytearray
) -> None:
    terminal.read_on()
    os.write(terminal.inner, b"hello")
    await until(lambda: drawn == b"hello")
    terminal.type(b"q")
    os.set_blocking(terminal.inner, False)
    await until(lambda: readable(terminal.inner))
    assert os.read(terminal.inner, 10) == b"q"


def readable(fd: int) -> bool:
    import select

    return bool(select.select([fd], [], [], 0)[0])


async def test_while_nobody_takes_what_is_drawn_the_drawer_has_to_wait(
    terminal: Terminal, drawn: bytearray
) -> None:
    os.set_blocking(terminal.inner, False)
    written = fill(terminal.inner)
    assert written < 200_000
    assert drawn == b""
    terminal.read_on()
    await until(lambda: len(drawn) == written)


def fill(fd: int) -> int:
    written = 0
    while True:
        try:
            written += os.write(fd, b"x" * 4096)
        except BlockingIOError:
            return written


async def test_too_much_typed_is_told_until_it_is_taken(terminal: Terminal) -> None:
    typed = b"x" * (TYPED_BYTES + 50_000)
    terminal.type(typed)
    assert not terminal.takes.is_set()
    os.set_blocking(terminal.inner, False)
    taken = 0

    def take() -> bool:
        nonlocal taken
        while readable(terminal.inner):
            taken += len(os.read(terminal.inner, 65536))
        return taken == len(typed)

    await until(take)
    await until(terminal.takes.is_set)


async def test_it_is_over_when_the_drawer_leaves(terminal: Terminal) -> None:
    terminal.read_on()
    terminal.release_inner()
    await until(terminal.ended.is_set)


async def test_sizes_pass_through_and_impossible_ones_are_the_usual_size(terminal: Terminal) -> None:
    terminal.resize(120, 30)
    assert termios.tcgetwinsize(terminal.inner) == (30, 120)
    terminal.resize(0, 4_000_000_000)
    assert termios.tcgetwinsize(terminal.inner) == (24, 80)
    terminal.close()
    terminal.resize(10, 10)


async def test_nothing_typed_ahead_is_echoed() -> None:
    terminal = Terminal(on_data=lambda data: None)
    assert not termios.tcgetattr(terminal.inner)[3] & termios.ECHO
    terminal.close()


def test_only_what_describes_a_terminal_is_taken_from_a_client() -> None:
    sent = {
        "COLORTERM": "truecolor",
        "LANG": "de_DE.UTF-8",
        "LC_ALL": "../../etc/passwd",
        "COLUMNS": "10",
        "PATH": "/tmp",
        "LD_PRELOAD": "x",
        "PYTHONPATH": "x",
        "EDITOR": "vi",
    }
    told = {"COLORTERM": "truecolor", "LANG": "de_DE.UTF-8", "TERM": "xterm-256color"}
    assert described("xterm-256color", sent) == told
    assert described("linux", {}) == {"TERM": "linux", "LANG": "C.UTF-8"}


def test_no_dashboard_is_drawn_on_what_cannot_show_it() -> None:
    assert all(map(can_draw, ("xterm-256color", "screen-256color", "linux", "vt100", "tmux")))
    assert not any(map(can_draw, ("dumb", "", None, "a b", "../x", "x" * 100)))
