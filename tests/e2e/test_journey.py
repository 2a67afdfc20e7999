"""A person's way with a job, from making it to mending it, on the terminals that people have.

In tmux and in GNU screen, through OpenSSH's client and server, and through OpenSSH's client and the engine's
own front door.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.drawn import Drawn
from tests.e2e.conftest import MOONTIDE
from tests.e2e.frontdoor import Door
from tests.e2e.processes import until
from tests.e2e.sshd import Sshd
from tests.screen import GnuScreen
from tests.tmux import Tmux

pytestmark = pytest.mark.long

#: What is written into the job to break it; behind it is the line as it was.
BROKEN = 'error "broken on purpose" '

#: A terminal as a shell expects it.
IN_ORDER = {"alternate_on": "0", "cursor_flag": "1", "mouse_any_flag": "0", "mouse_sgr_flag": "0"}


@pytest.fixture(scope="module")
def door(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Door]:
    door = Door(tmp_path_factory.mktemp("h") / "home", tmp_path_factory.mktemp("k"))
    yield door
    door.close()


@pytest.fixture
def sshd(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sshd]:
    sshd = Sshd(tmp_path_factory.mktemp("s"))
    yield sshd
    sshd.close()


Sit = Callable[..., Tmux]


@pytest.fixture
def sit(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sit]:
    """Sit down in front of a terminal with a command on it."""
    seats: list[Tmux] = []

    def sit_down(*command: str) -> Tmux:
        seats.append(Tmux(tmp_path_factory.mktemp("t"), *command))
        return seats[-1]

    yield sit_down
    for seat in seats:
        seat.close()


def test_a_job_is_made_broken_and_mended_in_tmux(door: Door, sit: Sit) -> None:
    seat = sit(MOONTIDE, "--home", str(door.home), "tui")
    live_through(seat, "tmuxed")
    assert seat.left_behind() == IN_ORDER


def test_a_job_is_made_broken_and_mended_in_screen(door: Door, tmp_path: Path) -> None:
    seat = GnuScreen(tmp_path, MOONTIDE, "--home", str(door.home), "tui")
    try:
        live_through(seat, "screened")
        assert not any("STATUS" in line for line in seat.lines)
    finally:
        seat.close()


def test_a_job_is_made_broken_and_mended_over_ssh(door: Door, sit: Sit, sshd: Sshd, tmp_path: Path) -> None:
    # A login has the home of its person, where the dashboard remembers what was chosen.
    command = ["env", f"HOME={tmp_path}", MOONTIDE, "--home", str(door.home), "tui"]
    seat = sit(*sshd.command(*command))
    live_through(seat, "secured")
    assert seat.left_behind() == IN_ORDER


def test_a_job_is_made_broken_and_mended_through_the_front_door(door: Door, sit: Sit) -> None:
    seat = sit(*door.command("admin"))
    live_through(seat, "doored")
    assert seat.left_behind() == IN_ORDER


@pytest.mark.parametrize("way", ["tmux", "front door"])
def test_what_is_copied_comes_into_the_clipboard(door: Door, sit: Sit, way: str) -> None:
    local = [MOONTIDE, "--home", str(door.home), "tui"]
    seat = sit(*(local if way == "tmux" else door.command("viewer")))
    seat.reads("Running", "beat")
    seat.type("/beat")
    seat.press("Enter")
    seat.type("y")
    seat.reads("copied: beat")
    until(lambda: seat.clipboard == "beat", 60)


def live_through(seat: Drawn, name: str) -> None:
    """Make a job that runs each second, see it run, break it, see why it stands, mend it, see it run."""
    seat.reads("Running", "moontide/cleanup")
    make(seat, name)
    seat.reads_in_a_line(name, "complete")
    break_it(seat, name)
    seat.reads_in_a_line(name, "inactive")
    seat.press("Enter")
    seat.reads(f"jobs › {name}", "broken on purpose")
    mend(seat, name)
    seat.reads_in_a_line(name, "inactive")
    seat.type("p")
    seat.reads("activated")
    seat.press("C-r")
    seat.reads("Read the jobs folder again?")
    seat.type("y")
    seat.reads("reloaded:")
    seat.reads_in_a_line(name, "complete")
    seat.type("q")
    seat.reads("ended with 0")


def make(seat: Drawn, name: str) -> None:
    """Make a job in the form, with its code as the template has it."""
    seat.type("n")
    seat.reads("New job")
    seat.type(name)
    seat.press("Enter")
    seat.reads(f"{name} › new", "every 1h")
    seat.press("BSpace", "BSpace")
    seat.type("1s")
    seat.reads("✓ every 1s")
    seat.press("C-s")
    seat.reads(f"{name} › edit", "saved")
    seat.press("Escape")


def break_it(seat: Drawn, name: str) -> None:
    """Find the job in the list, and let its code fail."""
    seat.type(f"/{name}")
    seat.press("Enter")
    open_at_work(seat, name)
    seat.type(BROKEN)
    seat.reads("broken on purpose", "modified")
    save(seat)
    seat.reads("STATUS")


def mend(seat: Drawn, name: str) -> None:
    """Take out again what broke it, and go back to the list."""
    open_at_work(seat, name)
    seat.press(*["DC"] * len(BROKEN))
    seat.reads("modified")
    save(seat)
    seat.reads(f"jobs › {name}", "Overview")
    seat.press("Escape")
    seat.reads("STATUS")


def open_at_work(seat: Drawn, name: str) -> None:
    """Open the code where a run begins."""
    seat.type("e")
    seat.reads(f"{name} › edit", "job.run")
    seat.press("C-g")
    seat.reads("Go to line")
    seat.type("7")
    seat.press("Enter")
    seat.reads("Ln 7")


def save(seat: Drawn) -> None:
    """Save and leave."""
    seat.press("C-s")
    seat.reads("saved and reloaded")
    seat.press("Escape")
