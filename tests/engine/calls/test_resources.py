"""What a run holds open is closed when it ends."""

import logging

import pytest

from engine.calls.resources import MOST_OPEN, Resources
from engine.errors import CoreError


class Door:
    def __init__(self, name: str, closed: list[str], *, stuck: bool = False) -> None:
        self.name, self.closed, self.stuck = name, closed, stuck

    async def close(self) -> None:
        if self.stuck:
            raise OSError("stuck")
        self.closed.append(self.name)


async def test_everything_is_closed_the_newest_first() -> None:
    resources, closed = Resources(), []
    for name in "abc":
        door = Door(name, closed)
        resources.keep(door, door.close)
    await resources.close()
    assert closed == ["c", "b", "a"]


async def test_one_that_fails_is_logged_and_keeps_no_other_open(caplog: pytest.LogCaptureFixture) -> None:
    resources, closed = Resources(), []
    for name in "abc":
        door = Door(name, closed, stuck=name == "b")
        resources.keep(door, door.close)
    with caplog.at_level(logging.ERROR):
        await resources.close()
    assert closed == ["c", "a"]
    assert "Door could not be closed" in caplog.text


async def test_a_thing_is_found_by_its_number_and_kind_until_it_is_released() -> None:
    resources, closed = Resources(), []
    door = Door("a", closed)
    number = resources.keep(door, door.close)
    assert resources.get(number, Door) is door
    with pytest.raises(CoreError):
        resources.get(number, str)
    await resources.release(number)
    await resources.release(number)
    assert closed == ["a"]
    with pytest.raises(CoreError, match="closed"):
        resources.get(number, Door)


def test_a_run_cannot_hold_things_without_end() -> None:
    resources = Resources()
    door = Door("a", [])
    for _ in range(MOST_OPEN):
        resources.keep(door, door.close)
    with pytest.raises(CoreError, match="open already"):
        resources.keep(door, door.close)
